package ui

// inspector is the view of everything about one access token.
type inspector struct {
	bare

	f *frame
}

func newInspector(f *frame) *inspector { return &inspector{f: f} }

func (v *inspector) view(w, h int) string { return emptyView(v.f.st, w, h, "Not here yet.", "") }

package ui

// activity is the view of what happened.
type activity struct {
	bare

	f *frame
}

func newActivity(f *frame) *activity { return &activity{f: f} }

func (v *activity) view(w, h int) string { return emptyView(v.f.st, w, h, "Not here yet.", "") }

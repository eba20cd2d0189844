package ui

// users is the view of the users of a stack.
type users struct {
	bare

	f *frame
}

func newUsers(f *frame) *users { return &users{f: f} }

func (v *users) view(w, h int) string { return emptyView(v.f.st, w, h, "Not here yet.", "") }

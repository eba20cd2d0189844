package ui

// sessions is the view of the sessions of a user.
type sessions struct {
	bare

	f *frame
}

func newSessions(f *frame) *sessions { return &sessions{f: f} }

func (v *sessions) view(w, h int) string { return emptyView(v.f.st, w, h, "Not here yet.", "") }

package ui

// refreshTokens is the view of the refresh tokens of a user.
type refreshTokens struct {
	bare

	f *frame
}

func newRefreshTokens(f *frame) *refreshTokens { return &refreshTokens{f: f} }

func (v *refreshTokens) view(w, h int) string { return emptyView(v.f.st, w, h, "Not here yet.", "") }

package session

import "time"

// FindingKind says what the watch noticed.
type FindingKind string

// The kinds of findings.
const (
	// UnknownClient is a refresh token whose client_id no account of this machine has and nobody
	// has labelled.
	UnknownClient FindingKind = "unknown client"
	// KnownSignIn is a refresh token of a labelled client, made since the last look.
	KnownSignIn FindingKind = "known client signed in"
	// OwnRecreated is our own client_id with another refresh token behind it.
	OwnRecreated FindingKind = "our refresh token was made anew"
	// OwnGone is our own refresh token, not listed any more.
	OwnGone FindingKind = "our refresh token is gone"
	// UnknownSessions are sessions that no account of this machine opened and no labelled client explains.
	UnknownSessions FindingKind = "unknown sessions"
	// RefreshRefused is a stack that answers, and refuses our refresh token.
	RefreshRefused FindingKind = "refresh refused"
	// OtherUser is a refresh that answered with another user's token.
	OtherUser FindingKind = "another user answers"
	// LoginChanged is a user that is not called any more what it signed in as.
	LoginChanged FindingKind = "login changed"
	// MissingPermission is something that the watch can't look at.
	MissingPermission FindingKind = "missing permission"
)

// Finding is something that the watch noticed about an account. It stays until it is over and a
// person has seen it; one that is only worth knowing goes when it is over.
type Finding struct {
	Kind  FindingKind `json:"kind"`
	Level Level       `json:"level"`
	// Subject is the client_id, as the server has it, or the missing permission; empty where
	// the kind says it all. Clean it before printing.
	Subject string `json:"subject,omitempty"`
	// Text is one line for a person, fit for a terminal, with what to do next.
	Text string `json:"text"`
	// New tells what appeared since the first look, or since the person last saw the findings,
	// from what was there before.
	New       bool      `json:"new,omitempty"`
	Sessions  []string  `json:"sessions,omitempty"`  // uuids, of UnknownSessions
	CreatedAt time.Time `json:"created_at,omitzero"` // of a refresh token, by the server's clock
	First     time.Time `json:"first"`               // when it was noticed
	Last      time.Time `json:"last"`                // the last look at which it held
	Gone      bool      `json:"gone,omitempty"`      // it held at an earlier look, and not at the last one
	Seen      bool      `json:"seen,omitempty"`
}

// Open tells whether a person should still look at f.
func (f *Finding) Open() bool { return !f.Seen && f.Level > Info }

// Headline says in a few words, fit for a terminal, what was noticed.
func (f *Finding) Headline() string {
	text := string(f.Kind)
	switch f.Kind {
	case UnknownClient:
		text = "unknown client_id"
		if f.Subject != "" {
			text += " " + shown(f.Subject)
		}
	case UnknownSessions:
		text = count(len(f.Sessions), "unknown session")
	case LoginChanged:
		text = "signs in with another name now"
	default:
	}
	if f.Gone {
		text += ", gone again"
	}
	return text
}

func (f *Finding) key() string { return string(f.Kind) + "\n" + f.Subject }

// carry takes over into the findings of a look what is known of them from earlier ones. judged
// tells whether the look could tell about a kind; what it could not tell about stays as it was.
// news are those that a person has not been told of.
func carry(before, now []Finding, at time.Time, judged func(FindingKind) bool) (all, news []Finding) {
	old := make(map[string]*Finding, len(before))
	for i := range before {
		old[before[i].key()] = &before[i]
	}
	for _, f := range now {
		f.First, f.Last = at, at
		was := old[f.key()]
		delete(old, f.key())
		told := false
		if was != nil {
			f.First = was.First
			worse := was.Gone || f.Level > was.Level || !f.CreatedAt.Equal(was.CreatedAt) ||
				f.Level > Info && moreSessions(was.Sessions, f.Sessions)
			told = !worse
			f.Seen = was.Seen && !worse
		}
		all = append(all, f)
		if !told {
			news = append(news, f)
		}
	}
	for i := range before {
		f := before[i]
		switch {
		case old[f.key()] == nil:
			continue
		case !judged(f.Kind):
			all = append(all, f)
		case !f.Seen && f.Level > Info:
			f.Gone = true
			all = append(all, f)
		}
	}
	return all, news
}

// moreSessions tells whether now holds one that was does not.
func moreSessions(was, now []string) bool {
	had := make(map[string]bool, len(was))
	for _, s := range was {
		had[s] = true
	}
	for _, s := range now {
		if !had[s] {
			return true
		}
	}
	return false
}

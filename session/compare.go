package session

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"wakey/api"
)

// watched is what the watch keeps of an account from look to look: no secrets.
type watched struct {
	Version  int       `json:"version"`
	Stack    string    `json:"stack"`
	UserUUID string    `json:"user"`
	LookedAt time.Time `json:"looked_at"`
	// Base is what was there at the first look or has been seen since: client_ids with when
	// their refresh tokens were made.
	Base         map[string]time.Time `json:"base"`
	BaseSessions []string             `json:"base_sessions"`
	// Listed and Foreign are what the last look saw: they become the base once seen.
	Listed  map[string]time.Time `json:"listed"`
	Foreign []string             `json:"foreign"`
	// Own are the sessions that this machine opened, with how long the server may list them.
	Own map[string]time.Time `json:"own"`
	// Leaks are until when sessions of requests that were cut off here may be listed.
	Leaks    []time.Time `json:"leaks"`
	Findings []Finding   `json:"findings"`
	// Newest is when the newest refresh token of each list of others was made that was looked at,
	// by the server's clock: see SawTenant.
	Newest map[string]time.Time `json:"newest,omitempty"`
	// SeenProblem and Explained are of the problem that began then.
	SeenProblem time.Time `json:"seen_problem,omitzero"`
	Explained   time.Time `json:"explained,omitzero"`
}

const watchVersion = 1

// look is what one round saw.
type look struct {
	at       time.Time
	tokens   []api.RefreshToken // nil with noTokens
	sessions []api.Session      // nil with noSessions
	// noTokens and noSessions name the permission that the list would have taken.
	noTokens, noSessions string
	noTime               bool // sessions were not asked for: the second request was another one
	problem              bool // the stack refuses to refresh, see explainProblem
}

// ours is what this machine knows that it holds of a user of a stack.
type ours struct {
	current  string               // the account's client_id; empty when it holds no refresh token
	retired  bool                 // it has earlier ones still to be revoked
	clients  map[string]bool      // of all accounts of this machine, earlier ones too
	leaked   map[string]time.Time // client_ids of sign-ins that were cut off, by when they began
	sessions map[string]time.Time // opened here, by when they expire
	leaks    []time.Time          // until when sessions of requests that were cut off may stand
}

const (
	// listedAfter is how long an expired session may still be listed: the server purges once a
	// minute (contract 8), and our own estimate of its end is early by up to one request.
	listedAfter = 2 * time.Minute
	// clientSessions is how many sessions at once a client that refreshes as it should may have.
	clientSessions = 4
	// maxClientFindings bounds what is told of one by one.
	maxClientFindings = 100
)

// decodeWatched reads what was kept; what can't be read, or is of another user, begins anew.
func decodeWatched(b []byte, stack, user string) watched {
	var w watched
	if json.Unmarshal(b, &w) != nil || w.Version != watchVersion || w.Stack != stack || w.UserUUID != user {
		return watched{Version: watchVersion, Stack: stack, UserUUID: user}
	}
	return w
}

// after compares a look with the earlier ones.
func (w watched) after(l look, o ours, labels map[string]string) (next watched, news []Finding) {
	first := w.LookedAt.IsZero()
	next = w
	next.LookedAt = l.at
	var found []Finding
	if l.noTokens == "" {
		found = append(found, next.tokens(l, o, labels, first)...)
	} else {
		found = append(found, missing(l.noTokens, "refresh tokens"))
	}
	switch {
	case l.noTime:
	case l.noSessions == "":
		found = append(found, next.sessions(l, o, labels, first)...)
	default:
		found = append(found, missing(l.noSessions, "sessions"))
	}
	next.Findings, news = carry(w.Findings, found, l.at, func(k FindingKind) bool {
		switch k {
		case UnknownClient, KnownSignIn, OwnRecreated, OwnGone:
			return l.noTokens == ""
		case UnknownSessions:
			return l.noSessions == "" && !l.noTime
		case MissingPermission:
			return !l.noTime
		case LoginChanged:
			return !l.problem
		default:
			return true
		}
	})
	return next, news
}

func missing(permission, what string) Finding {
	return Finding{
		Kind: MissingPermission, Level: Warn, Subject: permission,
		Text: "the user's " + what + " can't be watched: the permission " + shown(permission) + " is missing; ask an administrator of the stack for it, then refresh",
	}
}

// tokens judges the refresh tokens.
func (w *watched) tokens(l look, o ours, labels map[string]string, first bool) []Finding {
	base := w.Base
	w.Base, w.Listed = map[string]time.Time{}, map[string]time.Time{}
	var found, unknown []Finding
	gone := o.current != ""
	for _, rt := range l.tokens {
		id := rt.ClientID
		before, known := base[id]
		w.Listed[id] = rt.CreatedAt
		isNew := !first && (!known || !before.Equal(rt.CreatedAt))
		if known {
			w.Base[id] = before
		} else if first || o.clients[id] {
			w.Base[id] = rt.CreatedAt
		}
		f := Finding{Subject: id, CreatedAt: rt.CreatedAt, New: isNew}
		made := ""
		if !rt.CreatedAt.IsZero() {
			made = ", made " + rt.CreatedAt.UTC().Format("2006-01-02 15:04:05 UTC")
		}
		switch label := labels[id]; {
		case o.clients[id]:
			gone = gone && id != o.current
			if isNew && known {
				f.Kind, f.Level = OwnRecreated, Alarm
				f.Text = "our own refresh token " + shown(id) + " was revoked and made anew by somebody else" + made + "; respond, or sign in again"
				found = append(found, f)
			}
		case label != "":
			if isNew {
				f.Kind = KnownSignIn
				f.Text = label + " (" + shown(id) + ") signed in" + made
				found = append(found, f)
			}
		default:
			f.Kind = UnknownClient
			f.Level, f.Text = describeUnknown(rt, made, isNew, o.leaked[id])
			unknown = append(unknown, f)
		}
	}
	if gone {
		found = append(found, Finding{
			Kind: OwnGone, Level: Alarm, Subject: o.current, New: true,
			Text: "our own refresh token " + shown(o.current) + " was revoked by somebody else; sign in again, and respond unless you know who it was",
		})
	}
	return append(found, bounded(unknown)...)
}

func describeUnknown(rt api.RefreshToken, made string, isNew bool, leaked time.Time) (Level, string) {
	level, text := Info, "unknown client_id "+shown(rt.ClientID)+made+", there before wakey looked; label it if it is yours"
	switch {
	case !leaked.IsZero():
		level = Warn
		text = "refresh token " + shown(rt.ClientID) + made + ", left by a sign-in of this machine that was cut off; revoke it"
	case isNew:
		level = Alarm
		text = "unknown client_id " + shown(rt.ClientID) + made + ", has appeared: somebody has signed in; respond unless it was you, else label it"
	}
	if reason, bad := api.Unrevokable(rt.ClientID); bad {
		text += " (its refresh token can't simply be revoked: " + reason + ")"
	}
	return level, text
}

// bounded tells of the newest one by one, and of the rest by their number.
func bounded(unknown []Finding) []Finding {
	slices.SortStableFunc(unknown, func(a, b Finding) int {
		return cmp.Or(-cmp.Compare(a.Level, b.Level), b.CreatedAt.Compare(a.CreatedAt))
	})
	rest := len(unknown) - maxClientFindings
	if rest <= 0 {
		return unknown
	}
	more := unknown[maxClientFindings]
	more.Subject, more.CreatedAt = "", time.Time{}
	more.Text = fmt.Sprintf("and %d more unknown client_ids", rest)
	return append(unknown[:maxClientFindings:maxClientFindings], more)
}

// sessions judges the sessions.
func (w *watched) sessions(l look, o ours, labels map[string]string, first bool) []Finding {
	own := map[string]time.Time{}
	for id, until := range w.Own {
		if l.at.Before(until) {
			own[id] = until
		}
	}
	for id, expires := range o.sessions {
		if until := expires.Add(listedAfter); l.at.Before(until) {
			own[id] = until
		}
	}
	for _, until := range o.leaks {
		if until = until.Add(listedAfter); !slices.ContainsFunc(w.Leaks, until.Equal) {
			w.Leaks = append(w.Leaks, until)
		}
	}
	w.Leaks = filter(w.Leaks, l.at.Before)
	inBase := map[string]bool{}
	for _, id := range w.BaseSessions {
		inBase[id] = true
	}
	w.Own, w.BaseSessions, w.Foreign = own, nil, nil
	var fresh, all []api.Session
	for _, s := range l.sessions {
		if _, ok := own[s.UUID]; ok {
			continue
		}
		all = append(all, s)
		w.Foreign = append(w.Foreign, s.UUID)
		if first || inBase[s.UUID] {
			w.BaseSessions = append(w.BaseSessions, s.UUID)
		} else {
			fresh = append(fresh, s)
		}
	}
	if len(all) == 0 {
		return nil
	}
	f := Finding{Kind: UnknownSessions, New: len(fresh) > 0}
	if len(fresh) == 0 {
		f.Text = fmt.Sprintf("%s opened elsewhere, none of them new", count(len(all), "session"))
		for _, s := range all {
			f.Sessions = append(f.Sessions, s.UUID)
		}
		return []Finding{f}
	}
	var why string
	f.Level, why = explain(fresh, all, len(w.Leaks), l, o, labels)
	for _, s := range fresh {
		f.Sessions = append(f.Sessions, s.UUID)
	}
	if f.Level == Info && len(w.Leaks) == 0 {
		// What labelled clients explain needs nobody's look.
		w.BaseSessions = slices.Clone(w.Foreign)
	}
	f.Text = fmt.Sprintf("%s that this machine did not open: %s", count(len(fresh), "session"), why)
	return []Finding{f}
}

// explain says who may have opened the fresh ones among all sessions opened elsewhere. A session
// tells nothing but whether it is mobile (contract 8); so all that can be asked is whether there
// are clients of that sort, and not too many sessions for them.
func explain(fresh, all []api.Session, leaks int, l look, o ours, labels map[string]string) (Level, string) {
	if l.noTokens != "" {
		return Warn, "whether another client has opened them can't be told without the list of refresh tokens"
	}
	level, why := Info, []string{}
	for _, mobile := range []bool{false, true} {
		sort := func(s api.Session) bool { return s.Mobile == mobile }
		n := len(filter(fresh, sort))
		if n == 0 {
			continue
		}
		var known, unknown []string
		for _, rt := range l.tokens {
			switch {
			case rt.Mobile != mobile || o.clients[rt.ClientID]:
			case labels[rt.ClientID] != "":
				known = append(known, labels[rt.ClientID])
			default:
				unknown = append(unknown, shown(rt.ClientID))
			}
		}
		total := len(filter(all, sort))
		switch {
		case n <= leaks:
			leaks -= n
			why = append(why, "requests of this machine that were cut off may have opened them")
		case total <= clientSessions*len(known)+leaks:
			why = append(why, "they may be of "+names(known))
		case total <= clientSessions*(len(known)+len(unknown))+leaks:
			level = max(level, Warn)
			why = append(why, "they may be of "+names(unknown)+", which has no label; label it if it is yours, or respond")
		case len(known)+len(unknown) > 0:
			level = Alarm
			why = append(why, "more than the other clients explain; respond, unless you signed in elsewhere")
		default:
			level = Alarm
			why = append(why, "no other client explains them, so somebody has your password or your refresh token; respond, unless you signed in elsewhere")
		}
	}
	return level, strings.Join(why, "; ")
}

func names(list []string) string {
	if len(list) > 4 {
		return strings.Join(list[:4], ", ") + fmt.Sprintf(" or %d more", len(list)-4)
	}
	return strings.Join(list, ", ")
}

func filter[T any](list []T, keep func(T) bool) []T {
	var out []T
	for _, x := range list {
		if keep(x) {
			out = append(out, x)
		}
	}
	return out
}

// count puts a number before a noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

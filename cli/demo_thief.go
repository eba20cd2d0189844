package cli

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"wakey/api"
	"wakey/session"
	"wakey/ui"
)

const (
	// thiefWaits is how long the demo's user has to look around first.
	thiefWaits = 8 * time.Second
	// thiefPace is how long the thief takes between two moves, and thiefHurry once it is refused something.
	thiefPace  = 1500 * time.Millisecond
	thiefHurry = 400 * time.Millisecond
	// thiefWatch is how often wakey looks at the stack in the demo with the thief.
	thiefWatch = 10 * time.Second
)

// thief has copied alice's refresh token and seen her type her password. It makes access tokens, uses
// them, and signs in under names that look like this machine's, until nothing that it has works any
// more; then it goes on trying. What it does is told below the screen.
type thief struct {
	client *api.Client
	m      *session.Manager
	id     session.ID
	news   chan ui.Aside
	speed  time.Duration // how many times as fast it is: 1, but for tests
	rng    *rand.Rand

	loot  []*booty
	lines []ui.AsideLine
	// worked and refused count its requests, inARow the refused ones since the last that worked.
	worked, refused, inARow int
	moves, names            int
	out                     bool // and it was said
}

// booty is one thing that a thief has.
type booty struct {
	what     string // for a person
	access   api.Secret
	refresh  api.RefreshRequest
	password api.Secret
	dead     bool // refused, the last time it was tried
}

func newThief(client *api.Client, m *session.Manager, id session.ID, news chan ui.Aside) *thief {
	return &thief{
		client: client, m: m, id: id, news: news, speed: 1,
		rng: rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0)), //nolint:gosec // a demo's dice
	}
}

// run waits until wakey knows what belongs to alice, then steals, until ctx ends.
func (th *thief) run(ctx context.Context, wait time.Duration) {
	th.tell(ui.AsideLine{Text: fmt.Sprintf("In %s somebody copies alice's refresh token and sees her type her password. Look around until then.", inWords(wait))})
	th.tell(ui.AsideLine{Text: fmt.Sprintf("wakey looks at the stack every %s here, and every %s otherwise.", inWords(thiefWatch), inWords(session.DefaultWatch))})
	if !th.sleep(ctx, wait) {
		return
	}
	for {
		if a, err := th.m.Account(string(th.id)); err == nil && !a.LookedAt.IsZero() {
			break
		}
		if !th.sleep(ctx, 100*time.Millisecond) {
			return
		}
	}
	if err := th.steal(ctx); err != nil {
		return
	}
	for {
		pace := thiefPace
		if th.inARow > 0 {
			pace = thiefHurry
		}
		if !th.sleep(ctx, pace/2+time.Duration(th.rng.Int64N(int64(pace)))) {
			return
		}
		th.move(ctx)
	}
}

func (th *thief) sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d / th.speed)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// steal takes what this machine has.
func (th *thief) steal(ctx context.Context) error {
	rec, err := th.m.Store().Get(ctx, th.id)
	if err != nil {
		return err
	}
	th.loot = append(th.loot,
		&booty{what: "the stolen refresh token …" + rec.RefreshToken.Suffix(), refresh: api.RefreshRequest{RefreshToken: rec.RefreshToken, ClientID: rec.ClientID}},
		&booty{what: "alice's password", password: api.NewSecret(demoUser + "-demo")})
	th.tell(ui.AsideLine{Text: "has copied the refresh token …" + rec.RefreshToken.Suffix() + " and knows alice's password. Watch the header.", Bad: true})
	return nil
}

// move tries one thing: what has worked most of the time, and in turn all of it once something is
// refused.
func (th *thief) move(ctx context.Context) {
	th.moves++
	var b *booty
	switch n := th.moves % 4; {
	case th.inARow > 0:
		b = th.loot[th.moves%len(th.loot)]
	case n == 0 && th.names < 3:
		b = th.loot[1] // the password
	case n == 2 && len(th.loot) > 2:
		b = th.loot[len(th.loot)-1] // the newest
	default:
		b = th.loot[0]
	}
	text, err := th.try(ctx, b)
	if ctx.Err() != nil {
		return
	}
	switch {
	case err == nil:
		b.dead = false
		th.worked++
		th.inARow, th.out = 0, false
		th.tell(ui.AsideLine{Text: text, Bad: true})
	case errors.Is(err, api.ErrTokenDead), errors.Is(err, api.ErrRefreshRefused), errors.Is(err, api.ErrBadCredentials):
		b.dead = true
		th.refused++
		th.inARow++
		th.tell(ui.AsideLine{Text: b.what + " is refused", Good: true})
	default: // the session ceiling, or a stack in trouble: neither
	}
	if th.inARow > 0 && th.beaten() && !th.out {
		th.out = true
		th.tell(ui.AsideLine{Text: "everything it has was tried again and refused: it is out", Good: true})
	}
}

// beaten tells whether everything in its hands was refused when it was last tried.
func (th *thief) beaten() bool {
	return len(th.loot) > 0 && !slices.ContainsFunc(th.loot, func(b *booty) bool { return !b.dead })
}

// try makes one request, and says what came of one that worked.
func (th *thief) try(ctx context.Context, b *booty) (string, error) {
	switch {
	case !b.access.IsZero():
		_, err := th.client.MyRefreshTokens(ctx, b.access, api.ListOptions{})
		return "uses " + b.what + ", as if it was alice", err
	case !b.password.IsZero():
		clientID := th.likeOurs()
		tok, err := th.client.CreateToken(ctx, api.PasswordRequest{Login: demoUser, Password: b.password, ClientID: clientID})
		if err != nil {
			return "", err
		}
		th.names++
		th.got(tok)
		th.loot = append(th.loot, &booty{
			what: "its own refresh token …" + tok.RefreshToken.Suffix(), refresh: api.RefreshRequest{RefreshToken: tok.RefreshToken, ClientID: clientID},
		})
		return "signs in with the password under a name like this machine's: " + clientID, nil
	default:
		tok, err := th.client.Refresh(ctx, b.refresh)
		if err != nil {
			return "", err
		}
		th.got(tok)
		return "makes the access token …" + tok.Value.Suffix() + " with " + b.what, nil
	}
}

// likeOurs is a client_id that nobody can tell from this machine's at a glance.
func (th *thief) likeOurs() string {
	ours := th.loot[0].refresh.ClientID
	return fmt.Sprintf("%s%08x", ours[:max(0, len(ours)-8)], th.rng.Uint32())
}

// got keeps an access token, and lets go of old ones, which have expired.
func (th *thief) got(tok *api.Token) {
	th.loot = append(th.loot, &booty{what: "the access token …" + tok.Value.Suffix(), access: tok.Value})
	const keep = 40
	if len(th.loot) > keep {
		i := slices.IndexFunc(th.loot, func(b *booty) bool { return !b.access.IsZero() })
		th.loot = slices.Delete(th.loot, i, i+1)
	}
}

// wakey is how far wakey is.
func (th *thief) wakey() string {
	if under, _ := th.m.CutOff(); len(under) > 0 {
		return "wakey RESPONDS   "
	}
	if a, err := th.m.Account(string(th.id)); err == nil && a.OpenFindings > 0 {
		return "wakey HAS NOTICED: PRESS !   "
	}
	return ""
}

// tell shows what it does; of what nobody has looked at yet the latest counts.
func (th *thief) tell(l ui.AsideLine) {
	th.lines = append(th.lines, l)
	th.lines = th.lines[max(0, len(th.lines)-10):]
	title := "THE THIEF  is not here yet"
	switch {
	case len(th.loot) == 0:
	case th.beaten():
		title = fmt.Sprintf("THE THIEF  is out: the last %d requests were all refused. %d had worked before", th.inARow, th.worked)
	case th.inARow > len(th.loot)/4 && th.inARow > 1:
		title = fmt.Sprintf("THE THIEF  tries what it has: the last %d requests were refused. %d had worked before", th.inARow, th.worked)
	default:
		title = fmt.Sprintf("THE THIEF  is in: requests that worked %d, refused %d. It has %d tokens and the password", th.worked, th.refused, len(th.loot)-1)
	}
	if len(th.loot) > 0 && !th.beaten() {
		title = th.wakey() + title
	}
	news := ui.Aside{Title: title, Lines: slices.Clone(th.lines)}
	select {
	case <-th.news:
	default:
	}
	th.news <- news
}

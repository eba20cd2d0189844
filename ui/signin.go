package ui

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"wakey/api"
	"wakey/session"
)

// field is a place of the sign-in form.
type field int

const (
	fieldStack field = iota
	fieldLogin
	fieldPassword
	fieldName
	fieldLifetime
	fieldStay
	fieldSubmit
	fieldCount
)

// signIn is the form that makes an account.
type signIn struct {
	bare

	f      *frame
	inputs [fieldStay]input
	stay   bool // keep a refresh token: stay signed in
	at     field
	// wrong is what is wrong, at the field that it concerns; at fieldSubmit it concerns all.
	wrong map[field]string
	pins  map[string]string // keys that the person trusts, by stack
	job   jobID
}

// openSignIn shows the form.
func (f *frame) openSignIn(d SignInDefaults) tea.Cmd {
	if d == (SignInDefaults{}) {
		d = f.opts.Prefill
	}
	f.screen().leave()
	v := &signIn{f: f, stay: true, wrong: map[field]string{}, pins: map[string]string{}}
	v.inputs[fieldPassword].masked = true
	v.inputs[fieldStack].set(d.Stack)
	v.inputs[fieldLogin].set(d.Login)
	v.inputs[fieldName].set(d.Name)
	if d.Lifetime == 0 {
		d.Lifetime = time.Hour
	}
	v.inputs[fieldLifetime].set(lifetimeText(d.Lifetime))
	for v.at < fieldPassword && len(v.inputs[v.at].text) > 0 {
		v.at++
	}
	f.signIn = v
	return nil
}

// againWith fills the form in with an account that has to be signed in again.
func againWith(a session.Account) SignInDefaults {
	return SignInDefaults{Stack: a.Stack, Login: a.Login, Name: a.Name, Lifetime: a.Lifetime}
}

// leave wipes the password and drops the sign-in under way.
func (v *signIn) leave() {
	v.inputs[fieldPassword].wipe()
	v.f.jobs.drop(v.job)
}

func (v *signIn) typing() bool { return true }

func (v *signIn) bindings() []binding {
	return []binding{
		{action: actChoose, keys: []string{"enter"}, short: "next", name: "Next field; at the end sign in"},
		{action: actDown, keys: []string{"tab", "down"}, show: "↑↓", short: "move", name: "Next field"},
		{action: actUp, keys: []string{"shift+tab", "up"}, name: "Field before"},
		{action: actCheck, keys: []string{"space"}, name: "Tick; at the lifetime the next usual one"},
		{action: actBack, keys: []string{"esc"}, short: "back", name: "Back without signing in"},
	}
}

func (v *signIn) do(a action) tea.Cmd {
	switch a {
	case actDown:
		v.at = (v.at + 1) % fieldCount
	case actUp:
		v.at = (v.at + fieldCount - 1) % fieldCount
	case actCheck:
		v.tick()
	case actChoose:
		if v.at < fieldPassword || v.at == fieldPassword && len(v.inputs[v.at].text) == 0 {
			v.at++
			return nil
		}
		return v.submit()
	case actBack:
		if v.job != 0 {
			v.f.jobs.drop(v.job)
			v.job = 0
			return v.f.say(toastInfo, "stopped signing in")
		}
		return v.f.open(v.f.shown)
	}
	return nil
}

// tick turns the switch over, or chooses the next usual lifetime.
func (v *signIn) tick() {
	switch v.at {
	case fieldStay:
		v.stay = !v.stay
	case fieldLifetime:
		now, _ := parseLifetime(v.inputs[fieldLifetime].value())
		next := usualLifetimes[0]
		for _, d := range usualLifetimes {
			if d > now {
				next = d
				break
			}
		}
		v.inputs[fieldLifetime].set(lifetimeText(next))
	default:
	}
}

func (v *signIn) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.KeyPressMsg:
		if msg.String() == "space" && v.at < fieldLifetime {
			break
		}
		if a, ok := matching(v.bindings(), msg); ok {
			return v.do(a)
		}
	case clickMsg:
		return v.click(msg)
	}
	if v.at < fieldStay && v.job == 0 && v.inputs[v.at].update(msg) {
		delete(v.wrong, v.at)
		delete(v.wrong, fieldSubmit)
	}
	return nil
}

// click goes to the field that was hit; the switch and the button work at once.
func (v *signIn) click(msg clickMsg) tea.Cmd {
	w, h := v.f.bodySize()
	_, rows := v.form(w, h)
	at, ok := rows[msg.y]
	if !ok {
		return nil
	}
	v.at = at
	switch at {
	case fieldStay:
		v.tick()
	case fieldSubmit:
		return v.submit()
	default:
	}
	return nil
}

// check reads the form, and marks what can't be right.
func (v *signIn) check() (session.SignInRequest, bool) {
	text := func(at field) string { return strings.TrimSpace(v.inputs[at].value()) }
	clear(v.wrong)
	r := session.SignInRequest{Login: text(fieldLogin), Name: text(fieldName), Online: !v.stay}
	var err error
	if r.Stack, err = api.NormalizeStack(text(fieldStack), true); err != nil {
		v.wrong[fieldStack] = err.Error()
	} else if _, err = api.NormalizeStack(text(fieldStack), false); err != nil {
		r.PlainHTTP = true
	}
	if text(fieldStack) == "" {
		v.wrong[fieldStack] = "which stack? Its host name or address, as in a browser"
	}
	if r.Login == "" {
		v.wrong[fieldLogin] = "a user name or a confirmed e-mail address"
	}
	if len(v.inputs[fieldPassword].text) == 0 {
		v.wrong[fieldPassword] = "the password is missing"
	}
	if r.Lifetime, err = parseLifetime(v.inputs[fieldLifetime].value()); err != nil {
		v.wrong[fieldLifetime] = err.Error()
	}
	if r.Name == "" {
		r.Name = v.suggestion()
	}
	for at := range fieldStay {
		if v.wrong[at] != "" {
			v.at = at
			return r, false
		}
	}
	r.Trust.Pin = v.pins[r.Stack]
	r.Password = api.NewSecret(v.inputs[fieldPassword].value())
	return r, true
}

// submit signs in, after asking when the password would travel in clear.
func (v *signIn) submit() tea.Cmd {
	if v.job != 0 {
		return nil
	}
	if cmd, ok := v.f.ready(); !ok {
		return cmd
	}
	r, ok := v.check()
	if !ok {
		return nil
	}
	if !r.PlainHTTP {
		return v.run(r)
	}
	v.f.push(&confirm{
		f: v.f, heading: "Send the password in clear?", yes: "Send in clear", no: "Back", harm: true,
		items: []confirmItem{{hostOf(session.Account{Stack: r.Stack}), "plain http"}},
		text: []string{
			"Whoever can listen between here and the stack reads the password and every token. Prefer https.",
		},
		then: func(bool) tea.Cmd { return v.run(r) },
	})
	return nil
}

// run signs in.
func (v *signIn) run(r session.SignInRequest) tea.Cmd {
	mgr := v.f.mgr
	id, cmd := start(v.f, "signing in "+r.Login, func(ctx context.Context) (session.Account, error) {
		return mgr.SignIn(ctx, r)
	}, func(a session.Account, err error) tea.Cmd {
		v.job = 0
		if err != nil {
			return v.failed(r, err)
		}
		v.f.want = a.ID
		if v.f.signIn == v {
			v.f.shown = viewAccounts
			v.leave()
			v.f.signIn = nil
		}
		return v.f.say(toastGood, "signed in "+a.Login+" as account "+a.Name)
	})
	v.job = id
	return cmd
}

// failed puts an error where it belongs.
func (v *signIn) failed(r session.SignInRequest, err error) tea.Cmd {
	if cert, ok := errors.AsType[*api.CertError](err); ok {
		v.f.push(newTrustDialog(v, r, cert))
		return nil
	}
	at := fieldSubmit
	switch {
	case errors.Is(err, api.ErrBadCredentials):
		at = fieldPassword
		v.inputs[fieldPassword].wipe()
	case errors.Is(err, api.ErrNetwork), errors.Is(err, api.ErrNotWazo), errors.Is(err, api.ErrBadBody):
		at = fieldStack
	case errors.Is(err, session.ErrNameTaken):
		at = fieldName
	}
	v.wrong[at] = clean(err.Error())
	v.at = at
	return nil
}

// suggestion is the account's name when none is typed: the user at the host's first word, made
// unique.
func (v *signIn) suggestion() string {
	login := strings.TrimSpace(v.inputs[fieldLogin].value())
	base, err := api.NormalizeStack(v.inputs[fieldStack].value(), true)
	if login == "" || err != nil {
		return ""
	}
	login, _, _ = strings.Cut(login, "@")
	host, _, _ := strings.Cut(api.StackName(base), ":")
	if first, rest, ok := strings.Cut(host, "."); ok && strings.ContainsFunc(rest, isLetter) {
		host = first
	}
	name := clean(login + "@" + host)
	for n := 2; v.taken(name, base); n++ {
		name = clean(login + "@" + host + "-" + strconv.Itoa(n))
	}
	return name
}

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' }

// taken tells whether the name belongs to another account. The same user on the same stack is
// the same account: it is signed in again.
func (v *signIn) taken(name, stack string) bool {
	login := strings.TrimSpace(v.inputs[fieldLogin].value())
	for _, a := range v.f.accounts {
		if a.Name == name && (a.Stack != stack || !strings.EqualFold(a.Login, login)) {
			return true
		}
	}
	return false
}

// usualLifetimes are those that space goes through.
var usualLifetimes = []time.Duration{15 * time.Minute, time.Hour, 2 * time.Hour, 8 * time.Hour, 24 * time.Hour}

// The shortest lifetime that leaves time to refresh, and the longest the server takes (contract 5).
const (
	shortestLifetime = 30 * time.Second
	longestLifetime  = 3650 * 24 * time.Hour
)

// parseLifetime reads "90s", "15m", "2h", "1h30m", "7d".
func parseLifetime(s string) (time.Duration, error) {
	s = strings.ReplaceAll(strings.ToLower(strings.TrimSpace(s)), " ", "")
	var d time.Duration
	var err error
	if days, ok := strings.CutSuffix(s, "d"); ok {
		var n int
		n, err = strconv.Atoi(days)
		d = time.Duration(min(n, 100000)) * 24 * time.Hour
	} else {
		d, err = time.ParseDuration(s)
	}
	switch {
	case err != nil:
		return 0, errors.New("a lifetime is typed as 90s, 15m, 2h or 7d")
	case d < shortestLifetime:
		return 0, fmt.Errorf("too short to refresh in time: %s at least", span(shortestLifetime))
	case d > longestLifetime:
		return 0, errors.New("no stack takes more than 3650d")
	}
	return d, nil
}

// lifetimeText writes a lifetime the way it is typed.
func lifetimeText(d time.Duration) string {
	if d >= 48*time.Hour && d%(24*time.Hour) == 0 {
		return strconv.Itoa(int(d/(24*time.Hour))) + "d"
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

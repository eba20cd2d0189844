package ui

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	tea "charm.land/bubbletea/v2"

	"wakey/api"
	"wakey/session"
)

// askEnable lets users sign in again at once, and asks before it ends their sessions.
func (v *users) askEnable(rows []userRow, on bool) tea.Cmd {
	rows = slices.DeleteFunc(slices.Clone(rows), func(r userRow) bool { return r.Enabled == on })
	if len(rows) == 0 {
		return nil
	}
	if !v.allowed("change "+rows[0].name(), "auth.users."+rows[0].UUID+".update") {
		return nil
	}
	if on {
		return v.enable(rows, true)
	}
	c := &confirm{f: v.f, heading: "Disable " + whom(rows) + " on " + hostOf(v.acc), yes: "Disable", no: "Leave it", harm: true, text: []string{disabling}}
	for _, r := range rows {
		c.items = append(c.items, confirmItem{r.name(), strings.TrimSpace(r.first + " " + r.last)})
		for _, name := range v.ownAccounts(r.UUID) {
			c.text = append(c.text, "! The account "+name+" of this machine is "+r.name()+".")
			c.word = "disable"
		}
	}
	c.then = func(bool) tea.Cmd { return v.enable(rows, false) }
	v.f.push(c)
	return nil
}

// whom names one user, or counts several.
func whom(rows []userRow) string {
	if len(rows) == 1 {
		return rows[0].name()
	}
	return plural(len(rows), "user")
}

func (v *users) enable(rows []userRow, on bool) tea.Cmd {
	mgr, sc := v.f.mgr, v.scope
	verb := enabledWord(on)
	return v.bulk(map[bool]string{true: "enabling ", false: "disabling "}[on]+whom(rows), verb, rows, func(ctx context.Context, r userRow) error {
		before, err := mgr.ReadUser(ctx, sc.acc, r.UUID)
		if err != nil {
			return err
		}
		wanted := before
		wanted.Enabled = on
		_, err = mgr.ChangeUser(ctx, sc.acc, before, wanted)
		return err
	}, func(int) string { return "" })
}

// bulk does something to each of rows, and lists again. said has more to say of how many it was done to.
func (v *users) bulk(title, verb string, rows []userRow, run func(context.Context, userRow) error, said func(done int) string) tea.Cmd {
	sc := v.scope
	items := make([]bulkItem, len(rows))
	for i, r := range rows {
		items[i] = bulkItem{label: r.name(), run: func(ctx context.Context) error { return run(ctx, r) }}
	}
	v.list.do(actUnmark)
	return startBulk(v.f, title, items, func(done int, failed []bulkFailure) tea.Cmd {
		if len(failed) > 0 {
			v.f.push(newFailures(v.f, title, verb, done, failed))
		}
		res := result{toastGood, verb + " " + plural(done, "user")}
		if done == 1 && len(rows) == 1 {
			res.text = verb + " " + rows[0].name()
		}
		res.text += said(done)
		if left := len(rows) - done; left > 0 {
			res.kind = toastWarn
			res.text += fmt.Sprintf("; %d not", left)
		}
		return v.over(sc, res)
	})
}

// maxLooks is of how many users it is asked what goes with them, before they are deleted.
const maxLooks = 25

// askDelete looks at what hangs on the users, and asks.
func (v *users) askDelete(rows []userRow) tea.Cmd {
	if !v.allowed("delete "+rows[0].name(), "auth.users."+rows[0].UUID+".delete") {
		return nil
	}
	mgr, sc := v.f.mgr, v.scope
	v.f.jobs.drop(v.reading)
	var cmd tea.Cmd
	v.reading, cmd = start(v.f, "looking at "+whom(rows), func(ctx context.Context) (map[string]session.UserDetails, error) {
		found := map[string]session.UserDetails{}
		for _, r := range rows[:min(len(rows), maxLooks)] {
			d, err := mgr.UserDetails(ctx, sc.acc, r.UUID)
			if err != nil {
				return nil, err
			}
			found[r.UUID] = d
		}
		return found, nil
	}, func(found map[string]session.UserDetails, err error) tea.Cmd {
		if err != nil {
			return v.f.fail("nothing was deleted", err)
		}
		v.f.push(v.confirmDelete(rows, found))
		return nil
	})
	return cmd
}

// confirmDelete says exactly what will happen, and what will not.
func (v *users) confirmDelete(rows []userRow, found map[string]session.UserDetails) *confirm {
	c := &confirm{f: v.f, no: "Keep", harm: true, word: "delete"}
	var ends []userRow
	sessions := 0
	for _, r := range rows {
		if own := v.ownAccounts(r.UUID); len(own) > 0 {
			c.kept = append(c.kept, confirmItem{r.name(), "of this machine's account " + own[0]})
			continue
		}
		d, looked := found[r.UUID]
		note := ""
		if looked {
			note = plural(len(d.Tokens), "refresh token") + ", " + plural(len(d.Sessions), "session")
		}
		sessions += len(d.Sessions)
		c.items = append(c.items, confirmItem{r.name(), note})
		ends = append(ends, r)
	}
	if len(ends) == 0 {
		c.heading, c.no, c.word = "Not deleted", "Close", ""
		c.text = []string{"An account of this machine is that user. Sign it out first" + v.f.hint(" (press 1, then L)") + ", and delete the user as another administrator."}
		return c
	}
	c.heading, c.yes = "Delete "+whom(ends)+" on "+hostOf(v.acc), "Delete "+plural(len(ends), "user")
	c.text = []string{
		"The stack deletes refresh tokens with their user, and leaves access tokens alive until they expire, the usual ones for two hours.",
		"A deletion is for good. A disabled user can be enabled again.",
	}
	c.check, c.checked = "end their access first, sessions included", true
	if len(rows) <= maxLooks && sessions > 0 {
		c.check = "end their access first: " + plural(sessions, "session")
	}
	c.then = func(first bool) tea.Cmd { return v.deleteAll(ends, first) }
	return c
}

func (v *users) deleteAll(rows []userRow, first bool) tea.Cmd {
	mgr, sc := v.f.mgr, v.scope
	var mu sync.Mutex
	ended, alive, unseen := 0, 0, ""
	return v.bulk("deleting "+whom(rows), "deleted", rows, func(ctx context.Context, r userRow) error {
		d, err := mgr.DeleteUser(ctx, sc.acc, r.User, first)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		ended, alive, unseen = ended+len(d.Sessions), alive+len(d.Alive), d.NotSeen
		return nil
	}, func(int) string {
		mu.Lock()
		defer mu.Unlock()
		text := ""
		if ended > 0 {
			text += "; " + plural(ended, "session") + " ended first"
		}
		if alive > 0 {
			text += "; " + plural(alive, "session") + " still listed: an access token lives until it expires"
		}
		if unseen != "" {
			text += "; whether access tokens are alive can't be seen: " + clean(unseen)
		}
		return text
	})
}

// leaveGroup and losePolicy take away what a user has through a group or a policy.
func (c *userCard) askTake(what, name string, take func(context.Context) error) tea.Cmd {
	d := &confirm{f: c.f, heading: "Take " + userName(c.d.User) + " out of the group " + name, yes: "Take out", no: "Leave it", harm: true}
	if what == "policy" {
		d.heading, d.yes = "Take the policy "+name+" from "+userName(c.d.User), "Take away"
	}
	d.text = []string{"Access tokens keep what they may do until they are refreshed."}
	d.then = func(bool) tea.Cmd {
		_, cmd := start(c.f, "changing "+userName(c.d.User), func(ctx context.Context) (struct{}, error) { return struct{}{}, take(ctx) },
			func(_ struct{}, err error) tea.Cmd {
				if err != nil {
					return c.f.fail("nothing was changed", err)
				}
				c.result = result{toastGood, "the " + what + " " + name + " is taken away"}
				return c.load()
			})
		return cmd
	}
	c.f.push(d)
	return nil
}

// ours are what this machine's accounts hold of a user.
func (v *users) ours(u api.User) (tokens, sessions map[string]string) {
	o := ownersOf(v.f.accounts, v.acc.Stack)
	tokens, sessions = map[string]string{}, map[string]string{}
	for key, name := range o.tokens {
		if key.user == u.UUID {
			tokens[key.client] = name
		}
	}
	for uuid, s := range o.sessions {
		sessions[uuid] = s.name
	}
	return tokens, sessions
}

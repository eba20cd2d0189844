package session

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Alert is something that gets no better until a person acts.
type Alert struct {
	Name  string // the account's
	What  string // in a few words: "sign-in needed", "unknown client"
	Text  string // what it is and what to do next, on one line
	Grave bool   // somebody else may be at it
	Key   string // two alerts with the same key are about the same thing
}

// Alerts returns what needs a person now, in order of the accounts' names: accounts that can't go on by
// themselves, and what the watch noticed and nobody has seen yet, if it is an alarm. When all is well there
// are none, and it costs little, for it is asked at each change.
func (m *Manager) Alerts() []Alert {
	now := m.now()
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []Alert
	for _, e := range m.order {
		if e.noticed.open == 0 && !e.state(now).NeedsPerson() {
			continue
		}
		a := m.account(e, now)
		if alert, ok := alertOf(&a); ok {
			all = append(all, alert)
		}
	}
	slices.SortFunc(all, func(a, b Alert) int { return strings.Compare(a.Name, b.Name) })
	return all
}

func alertOf(a *Account) (alert Alert, ok bool) {
	switch f := &a.Noticed; {
	case a.State == RevokedElsewhere:
		return Alert{a.Name, string(a.State), a.Reason, true, goneKey(a)}, true
	case a.State.NeedsPerson():
		key := fmt.Sprintf("%s %s %d", a.ID, a.State, a.SignedInAt.UnixNano()) // signing in again ends it
		return Alert{a.Name, string(a.State), a.Reason, a.State == IdentityChanged, key}, true
	case a.OpenFindings == 0 || f.Level < Alarm:
		return Alert{}, false
	case f.Kind == OwnGone:
		return Alert{a.Name, string(f.Kind), f.Text, true, goneKey(a)}, true
	default:
		key := fmt.Sprintf("%s%s %s %d", findingKeys(a.ID), f.Kind, f.Subject, f.First.UnixNano())
		return Alert{a.Name, string(f.Kind), f.Text, true, key}, true
	}
}

// goneKey is for a refresh token that is dead, whether a list told it first or the next refresh.
func goneKey(a *Account) string { return fmt.Sprintf("%s %s %s", a.ID, OwnGone, a.ClientID) }

// findingKeys are how the keys of what the watch noticed begin.
func findingKeys(id ID) string { return string(id) + " finding " }

// toldFile remembers which alerts a person was told of.
const toldFile = "told.json"

const (
	toldFor = 400 * 24 * time.Hour
	maxTold = 5_000
)

// Tell gives tell the alerts that no process of this machine has told anybody yet, if there are
// any, and remembers that they were told. When tell fails they count as untold. Errors: tell's,
// and that it can't be remembered, in which case nobody is told.
func (m *Manager) Tell(tell func([]Alert) error) error {
	alerts := m.Alerts()
	if len(alerts) == 0 {
		return nil
	}
	var mine []Alert
	err := m.changeTold(func(told map[string]time.Time) {
		for _, a := range alerts {
			if _, known := told[a.Key]; !known {
				mine = append(mine, a)
				told[a.Key] = m.now()
			}
		}
	})
	if err != nil {
		return fmt.Errorf("what a person was told can't be kept: %w", err)
	}
	if len(mine) == 0 {
		return nil
	}
	if err = tell(mine); err == nil {
		return nil
	}
	return errors.Join(err, m.changeTold(func(told map[string]time.Time) {
		for _, a := range mine {
			delete(told, a.Key)
		}
	}))
}

// forgetTold is for a person who has seen the account's findings: what they grow by is told again.
func (m *Manager) forgetTold(id ID) error {
	if b, err := m.shelf.read(toldFile); err != nil || b == nil {
		return err
	}
	return m.changeTold(func(told map[string]time.Time) {
		maps.DeleteFunc(told, func(key string, _ time.Time) bool { return strings.HasPrefix(key, findingKeys(id)) })
	})
}

// changeTold changes what was told, alone among all processes. What is very old goes.
func (m *Manager) changeTold(change func(map[string]time.Time)) error {
	return m.shelf.update(toldFile, func(old []byte) ([]byte, error) {
		told := map[string]time.Time{}
		if json.Unmarshal(old, &told) != nil || told == nil {
			told = map[string]time.Time{} // to be told twice is better than never
		}
		change(told)
		maps.DeleteFunc(told, func(_ string, at time.Time) bool { return m.now().Sub(at) > toldFor })
		if over := len(told) - maxTold; over > 0 {
			oldest := slices.SortedFunc(maps.Keys(told), func(a, b string) int { return told[a].Compare(told[b]) })
			for _, key := range oldest[:over] {
				delete(told, key)
			}
		}
		return json.Marshal(told)
	})
}

// Summary puts alerts into a heading and a text: each in full when there are few of them, or else how
// many accounts there are and some of their names.
func Summary(alerts []Alert) (heading, text string) {
	if len(alerts) == 1 {
		a := alerts[0]
		return a.Name + ": " + a.What, a.Text
	}
	var accounts []string
	for _, a := range alerts {
		if !slices.Contains(accounts, a.Name) {
			accounts = append(accounts, a.Name)
		}
	}
	if len(accounts) == 1 {
		texts := make([]string, len(alerts))
		for i, a := range alerts {
			texts[i] = a.Text
		}
		return accounts[0] + ": " + count(len(alerts), "alarm"), strings.Join(texts, "\n")
	}
	if n := len(accounts) - maxNamed; n > 1 {
		accounts = append(accounts[:maxNamed:maxNamed], fmt.Sprintf("%d more", n))
	}
	return count(len(alerts), "alarm") + " of your accounts", strings.Join(accounts, ", ")
}

const maxNamed = 6

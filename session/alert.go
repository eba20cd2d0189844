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
	Account ID
	Name    string // the account's
	What    string // in a few words: "sign-in needed", "unknown client"
	Text    string // what it is and what to do next, on one line
	Grave   bool   // somebody else may be at it
	Key     string // two alerts with the same key are about the same thing
}

// Alerts returns what needs a person now: accounts that can't go on by themselves, and what the
// watch of this process has noticed and calls an alarm. When all is well there are none.
func (m *Manager) Alerts() []Alert { return alertsOf(m.Accounts(), m.Events()) }

func alertsOf(accounts []Account, events []Event) []Alert {
	var all []Alert
	byID := make(map[ID]*Account, len(accounts))
	for i := range accounts {
		a := &accounts[i]
		byID[a.ID] = a
		if a.State.NeedsPerson() {
			all = append(all, Alert{a.ID, a.Name, string(a.State), a.Reason, a.State != SignInNeeded, stateKey(a)})
		}
	}
	for _, e := range events {
		a := byID[e.Account]
		if a == nil || e.Finding == "" || e.Level != Alarm || a.State.NeedsPerson() || !e.Time.After(a.SignedInAt) {
			continue // where the account itself calls for a person, the finding says why
		}
		key := fmt.Sprintf("%s %s %d", a.ID, e.Finding, e.Time.UnixNano())
		if e.Finding == OwnGone { // the next refresh is going to fail on it
			key = goneKey(a)
		}
		all = append(all, Alert{a.ID, a.Name, string(e.Finding), e.Text, true, key})
	}
	return all
}

// stateKey tells one trouble of an account from the next: signing in again ends it.
func stateKey(a *Account) string {
	if a.State == RevokedElsewhere {
		return goneKey(a)
	}
	return fmt.Sprintf("%s %s %d", a.ID, a.State, a.SignedInAt.UnixNano())
}

func goneKey(a *Account) string { return fmt.Sprintf("%s %s %s", a.ID, OwnGone, a.ClientID) }

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
	var fresh []Alert
	for _, a := range m.Alerts() {
		if !m.wasTold(a.Key) {
			fresh = append(fresh, a)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	var mine []Alert
	err := m.changeTold(func(told map[string]time.Time) {
		for _, a := range fresh {
			if _, known := told[a.Key]; !known {
				mine = append(mine, a)
				told[a.Key] = m.now()
			}
		}
	})
	if err != nil {
		return fmt.Errorf("whom a person was told of can't be kept: %w", err)
	}
	m.mu.Lock()
	for _, a := range fresh {
		m.told[a.Key] = true
	}
	m.mu.Unlock()
	if len(mine) == 0 {
		return nil
	}
	if err = tell(mine); err == nil {
		return nil
	}
	m.mu.Lock()
	for _, a := range mine {
		delete(m.told, a.Key)
	}
	m.mu.Unlock()
	return errors.Join(err, m.changeTold(func(told map[string]time.Time) {
		for _, a := range mine {
			delete(told, a.Key)
		}
	}))
}

func (m *Manager) wasTold(key string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.told[key]
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

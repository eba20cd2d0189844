package ui

import (
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"wakey/api"
	"wakey/session"
)

var (
	sweepWidths  = []int{1, 2, 3, 5, 8, 13, 21, 34, 40, 59, 60, 80, 119, 120, 200}
	sweepHeights = []int{1, 2, 4, 7, 11, 15, 24, 50}
)

// scenes are the states in which the program is drawn at every size: every view, every dialog.
func scenes() map[string]func(a *app) {
	long := strings.Repeat("very-long-", 30)
	all := map[string]func(a *app){
		"accounts":       func(*app) {},
		"inspector":      func(a *app) { press(a, "2") },
		"refresh tokens": func(a *app) { press(a, "3") },
		"sessions":       func(a *app) { press(a, "4") },
		"users":          func(a *app) { press(a, "5") },
		"activity":       func(a *app) { press(a, "6") },
		"last row":       func(a *app) { press(a, "G") },
		"filtered":       func(a *app) { press(a, "/"); typeText(a, "pro") },
		"filtered out":   func(a *app) { press(a, "/"); typeText(a, "zzz"); press(a, "enter") },
		"sorted":         func(a *app) { press(a, "o", "o", "o", "O") },
		"no accounts":    func(a *app) { a.setAccounts(nil, nil) },
		"opening": func(a *app) {
			a.setAccounts(nil, nil)
			a.store = storeWaiting
		},
		"hostile names": func(a *app) {
			a.setAccounts([]session.Account{{ID: "1", Name: "\x1b[2J\u202e👨‍👩‍👧" + long, Login: "e\u0301\u0301" + long, Stack: "https://" + long, State: session.Active, Reason: long + " " + long}}, nil)
		},
		"help":    func(a *app) { press(a, "?") },
		"palette": func(a *app) { press(a, ":"); typeText(a, "re") },
		"sign in": func(a *app) { press(a, "n"); typeText(a, "pbx") },
		"sign in, all wrong": func(a *app) {
			press(a, "n")
			v := a.signIn
			for at := range fieldCount {
				v.wrong[at] = "it is " + long + "; do something about it"
			}
		},
		"toast": func(a *app) { a.say(toastBad, long) },
		"job": func(a *app) {
			a.jobs.add(&job{title: long, slow: true, cancel: func() {}})
		},
		"bulk job": func(a *app) {
			a.jobs.add(&job{title: "revoking", slow: true, cancel: func() {}, bulk: &bulk{items: make([]bulkItem, 40), done: 12, failed: make([]bulkFailure, 3)}})
		},
		"copy as": func(a *app) { a.chooseCopy(a.accounts[0]) },
		"sign out": func(a *app) {
			a.mgr = session.New(session.NewMemoryStore(), session.Options{})
			press(a, "j", "L")
		},
		"notice": func(a *app) { a.push(newNotice(a.frame, long, long+" "+long+"; "+long)) },
		"passphrase": func(a *app) {
			a.push(newPassphrase(a.frame, askMsg{answer: make(chan api.Secret, 1), req: session.PassphraseRequest{New: true, Reason: "no keyring"}}))
		},
		"keyring": func(a *app) {
			a.push(newKeyringWait(a.frame, keyringMsg{req: session.KeyringRequest{New: true}, enough: make(chan struct{})}))
		},
		"trust": func(a *app) {
			press(a, "n")
			a.push(newTrustDialog(a.signIn, session.SignInRequest{}, testCertError(api.CertUntrusted)))
		},
		"key changed": func(a *app) {
			press(a, "n")
			a.push(newTrustDialog(a.signIn, session.SignInRequest{}, testCertError(api.CertChanged)))
		},
		"confirm": func(a *app) {
			c := &confirm{f: a.frame, heading: "Revoke 40 refresh tokens", yes: "Revoke 40", no: "Keep", harm: true, check: "also revoke the sessions that are not ours", word: "revoke", text: []string{long, "short"}}
			for range 40 {
				c.items = append(c.items, confirmItem{"phone-" + long, "made 3 months ago"})
			}
			a.push(c)
		},
		"failures": func(a *app) {
			a.push(newFailures(a.frame, "revoking", "revoked", 2, []bulkFailure{{bulkItem{label: "a"}, errors.New(long)}, {bulkItem{label: long}, errors.New("b")}}))
		},
	}
	maps.Copy(all, remoteScenes())
	maps.Copy(all, inspectorScenes())
	maps.Copy(all, respondScenes())
	maps.Copy(all, moreScenes())
	maps.Copy(all, usersScenes())
	return all
}

func testCertError(r api.CertReason) *api.CertError {
	return &api.CertError{
		Host: "pbx.example.com", Fingerprint: "SHA256:uuT9mUZ0N7eAqMbHPkJfX4V7iYJm3rT1Wc2lLr8Zk0E",
		Pin: "SHA256:9rT1Wc2lLr8Zk0EuuT9mUZ0N7eAqMbHPkJfX4V7iYJm", Issuer: "CN=wazo", Names: []string{"localhost", "pbx"},
		NotAfter: noon.Add(1000 * 24 * time.Hour), Reason: r,
	}
}

func TestGeometry(t *testing.T) {
	for name, setUp := range scenes() {
		t.Run(name, func(t *testing.T) {
			a := newTestApp(t, 80, 24, testAccounts(noon))
			setUp(a)
			for i, w := range sweepWidths {
				for j, h := range sweepHeights {
					if testing.Short() && (i+j)%6 != 0 {
						continue // a sixth of the sizes, spread over all widths and heights
					}
					a.Update(tea.WindowSizeMsg{Width: w, Height: h})
					checkGeometry(t, name, a, w, h)
				}
			}
		})
	}
}

func TestNothingToDrawOn(t *testing.T) {
	a := newTestApp(t, 0, 0, nil)
	if v := a.View(); v.Content != "" || !v.AltScreen {
		t.Errorf("without a size: %q, alternate screen %v", v.Content, v.AltScreen)
	}
}

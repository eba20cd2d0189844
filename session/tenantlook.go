package session

import (
	"encoding/json"
	"fmt"
	"time"
)

// SawTenant notes when the newest refresh token was made that a person sees in the list of the
// account's tenant, or of that and the tenants below it: two lists, looked at apart. It returns
// what was noted at the look before: what was made after that is new since. Zero at the first look.
// Both are instants of the server's clock; one that claims to be of after tomorrow is not believed,
// or nothing would be new again. Errors: ErrNoAccount, and those of the file.
func (m *Manager) SawTenant(id ID, below bool, newest time.Time) (before time.Time, err error) {
	a, err := m.Account(string(id))
	if err != nil {
		return time.Time{}, err
	}
	if tomorrow := m.now().Add(24 * time.Hour); newest.After(tomorrow) {
		newest = tomorrow
	}
	list := "tenant"
	if below {
		list = "below"
	}
	err = m.shelf.update(watchFile(id), func(old []byte) ([]byte, error) {
		w := decodeWatched(old, a.Stack, a.UserUUID)
		before = w.Newest[list]
		if !newest.After(before) {
			return old, nil
		}
		if w.Newest == nil {
			w.Newest = map[string]time.Time{}
		}
		w.Newest[list] = newest
		return json.Marshal(w)
	})
	if err != nil {
		return before, fmt.Errorf("what was looked at can't be kept: %w", err)
	}
	return before, nil
}

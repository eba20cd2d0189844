package session

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/pelletier/go-toml/v2"

	"wakey/api"
)

// KnownClient is a client_id that a person has given a label: "my laptop", "CI". The server
// knows client_ids per user, so a label belongs to a user of a stack (contract 5).
type KnownClient struct {
	Stack    string `toml:"stack"` // base URL, as api.NormalizeStack gives it
	UserUUID string `toml:"user"`
	ClientID string `toml:"client_id"` // as the server has it: clean it before printing
	Label    string `toml:"label"`     // clean, 64 characters at most
}

// Bounds of what is read as known clients. A client_id has 1024 characters at most (contract 5).
const (
	maxClientsFile = 1 << 20
	maxClients     = 5000
	maxLabel       = 64
	maxClientID    = 4096
)

const clientsFile = "clients.toml"

type clientsTOML struct {
	Client []KnownClient `toml:"client"`
}

// KnownClients returns all labels, in order of stack, user and client_id.
func (m *Manager) KnownClients() ([]KnownClient, error) {
	b, err := m.shelf.read(clientsFile)
	if err != nil {
		return nil, err
	}
	return decodeClients(b)
}

// Label gives a client_id of the account's user a label; an empty one takes it away. Whoever
// labels a client vouches for it: the watch is silent about it from then on. The label is cleaned.
func (m *Manager) Label(id ID, clientID, label string) error {
	a, err := m.Account(string(id))
	if err != nil {
		return err
	}
	return m.LabelOf(id, a.UserUUID, clientID, label)
}

// LabelOf is Label for another user of the account's stack: whoever lists a tenant's refresh tokens
// may know some of them.
func (m *Manager) LabelOf(id ID, userUUID, clientID, label string) error {
	a, err := m.Account(string(id))
	if err != nil {
		return err
	}
	c := KnownClient{a.Stack, userUUID, clientID, label}
	if label == "" {
		return m.changeClients(func(all []KnownClient) []KnownClient {
			return slices.DeleteFunc(all, c.Same)
		})
	}
	return m.AddClients([]KnownClient{c})
}

// AddClients keeps labels, of a file that ReadClients read for example; those that a client_id
// has already are replaced. Show them to the person first: who is known is not watched.
func (m *Manager) AddClients(add []KnownClient) error {
	add = slices.Clone(add)
	for i := range add {
		if err := add[i].check(); err != nil {
			return err
		}
	}
	err := m.changeClients(func(all []KnownClient) []KnownClient {
		for _, c := range add {
			all = append(slices.DeleteFunc(all, c.Same), c)
		}
		return all
	})
	for _, c := range add { // who is known is not watched: that has to be found again
		if err == nil {
			m.tell(Event{Op: "label", Text: shown(c.ClientID) + " at " + api.StackName(c.Stack) + " is known as " + c.Label}, map[string]string{"user": c.UserUUID})
		}
	}
	return err
}

func (m *Manager) changeClients(change func([]KnownClient) []KnownClient) error {
	err := m.shelf.update(clientsFile, func(old []byte) ([]byte, error) {
		all, err := decodeClients(old)
		if err != nil {
			return nil, err
		}
		all = change(all)
		if len(all) > maxClients {
			return nil, fmt.Errorf("more than %d known clients: remove some first", maxClients)
		}
		var b bytes.Buffer
		err = encodeClients(&b, all)
		return b.Bytes(), err
	})
	if err != nil {
		return fmt.Errorf("the known clients can't be kept: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.signal()
	return nil
}

// ExportClients writes all labels, and this machine's own client_ids under its host name, so
// that another machine can know them by AddClients.
func (m *Manager) ExportClients(ctx context.Context, w io.Writer) error {
	all, err := m.KnownClients()
	if err != nil {
		return err
	}
	recs, err := m.store.Load(ctx)
	if err != nil {
		return err
	}
	host, _ := os.Hostname()
	for _, r := range recs {
		c := KnownClient{r.Stack, r.UserUUID, r.ClientID, "wakey on " + cmp.Or(host, "another machine")}
		if r.ClientID != "" && c.check() == nil && !slices.ContainsFunc(all, c.Same) {
			all = append(all, c)
		}
	}
	return encodeClients(w, all)
}

// ReadClients reads what ExportClients wrote, from whoever sent it: at most 1 MiB and 5,000
// clients, nothing but what belongs there, no label of over 64 characters. Labels are cleaned.
func ReadClients(r io.Reader) ([]KnownClient, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxClientsFile+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxClientsFile {
		return nil, errors.New("a list of known clients has at most 1 MiB: this is something else")
	}
	return decodeClients(b)
}

func decodeClients(b []byte) ([]KnownClient, error) {
	var doc clientsTOML
	if err := toml.NewDecoder(bytes.NewReader(b)).DisallowUnknownFields().Decode(&doc); err != nil {
		return nil, fmt.Errorf("this is no list of known clients: %s", api.Clean(err.Error()))
	}
	if len(doc.Client) > maxClients {
		return nil, fmt.Errorf("%d known clients are more than %d", len(doc.Client), maxClients)
	}
	seen := map[KnownClient]bool{}
	for i := range doc.Client {
		c := &doc.Client[i]
		if err := c.check(); err != nil {
			return nil, fmt.Errorf("known client %d: %w", i+1, err)
		}
		key := *c
		key.Label = ""
		if seen[key] {
			return nil, fmt.Errorf("known client %d: %q is there twice", i+1, shown(c.ClientID))
		}
		seen[key] = true
	}
	return doc.Client, nil
}

func encodeClients(w io.Writer, all []KnownClient) error {
	slices.SortFunc(all, func(a, b KnownClient) int {
		return cmp.Or(cmp.Compare(a.Stack, b.Stack), cmp.Compare(a.UserUUID, b.UserUUID), cmp.Compare(a.ClientID, b.ClientID))
	})
	return toml.NewEncoder(w).Encode(clientsTOML{all})
}

// check makes c canonical, or says what is wrong with it.
func (c *KnownClient) check() error {
	stack, err := api.NormalizeStack(c.Stack, true)
	if err != nil {
		return err
	}
	c.Stack = stack
	user, err := uuid.Parse(c.UserUUID)
	if err != nil || len(c.UserUUID) != 36 {
		return fmt.Errorf("%q is no user's uuid", shown(c.UserUUID))
	}
	c.UserUUID = user.String()
	if c.ClientID == "" || len(c.ClientID) > maxClientID {
		return fmt.Errorf("a client_id has 1 to %d bytes", maxClientID)
	}
	c.Label = strings.TrimSpace(api.Clean(c.Label))
	if n := utf8.RuneCountInString(c.Label); n == 0 || n > maxLabel {
		return fmt.Errorf("the label of %q has not 1 to %d characters", shown(c.ClientID), maxLabel)
	}
	return nil
}

// Same tells whether both are of the same client, whatever their labels.
func (c KnownClient) Same(o KnownClient) bool {
	return c.Stack == o.Stack && c.UserUUID == o.UserUUID && c.ClientID == o.ClientID
}

// shown makes a server's or a stranger's text fit for one line: clean, and not too long.
func shown(s string) string {
	s = api.Clean(s)
	if utf8.RuneCountInString(s) > maxLabel {
		s = string([]rune(s)[:maxLabel-1]) + "…"
	}
	return s
}

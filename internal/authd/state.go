package authd

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

type tenant struct {
	uuid, parent, name, slug string
	method                   string
	domains                  []string
	created                  uint64
	allUsers, admins         *group
}

type email struct {
	uuid, address   string
	main, confirmed bool
}

type user struct {
	uuid                          string
	username, firstname, lastname any // nil or a text
	purpose, method, tenant       string
	enabled                       bool
	emails                        []email
	salt, hash                    []byte // nil: no password
	policies                      []*policy
	groups                        []*group
	refreshTokens                 map[string]*refreshToken // by client_id
	names                         []string                 // what indexNames entered
	created                       uint64
}

// accessToken is an access token and its session: there is exactly one of each
// for the other (contract 4).
type accessToken struct {
	value, session string
	authID         string
	sessionUser    string // "" where the session list shows null
	tenant         string
	issued         time.Time
	expires        time.Time
	expireT        int64 // Unix seconds, truncated: what is stored and what ends it
	acl            []string
	metadata       any
	remote, agent  string
	mobile         bool
	from           *refreshToken // nil once that is revoked
	seq            uint64
}

// expired follows the real server: the token is refused once the clock has passed
// the stored second.
func (t *accessToken) expired(now time.Time) bool {
	return now.After(time.Unix(t.expireT, 0))
}

// refreshToken remembers the login typed at its creation, not the user (contract 5).
type refreshToken struct {
	value, clientID, login string
	user                   string
	tenant                 string
	mobile                 bool
	created                time.Time
	seq                    uint64
}

type policy struct {
	uuid, tenant, name, slug string
	description              any
	acl                      []string
	readOnly                 bool
	created                  uint64
}

type group struct {
	uuid, tenant, name, slug string
	system                   bool
	policies                 []*policy
	created                  uint64
}

// newUUID makes a version 4 UUID in lower case.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return formatUUID(b)
}

func formatUUID(b [16]byte) string {
	var out [36]byte
	hex.Encode(out[0:8], b[0:4])
	hex.Encode(out[9:13], b[4:6])
	hex.Encode(out[14:18], b[6:8])
	hex.Encode(out[19:23], b[8:10])
	hex.Encode(out[24:36], b[10:16])
	out[8], out[13], out[18], out[23] = '-', '-', '-', '-'
	return string(out[:])
}

// pathUUID reads a UUID of a path: 8-4-4-4-12, any letter case (contract 1).
func pathUUID(s string) (string, bool) {
	if len(s) != 36 {
		return "", false
	}
	for i := range len(s) {
		c := s[i]
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return "", false
			}
		default:
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
				return "", false
			}
		}
	}
	return strings.ToLower(s), true
}

// isUUID4 tells the users whose sessions carry a user and count for the ceiling.
func isUUID4(s string) bool {
	u, ok := pathUUID(s)
	return ok && u[14] == '4' && strings.IndexByte("89ab", u[19]) >= 0
}

// next numbers whatever is created, so that lists have the order of creation.
func (s *Server) next() uint64 {
	s.seq++
	return s.seq
}

// purgeEvery is the real server's housekeeping interval: an expired session stays
// listed and counts for the ceiling until then (contract 5, 8).
const purgeEvery = 60 * time.Second

// purge does what the real server's loop has done by now.
func (s *Server) purge(now time.Time) {
	edge := s.started.Add(now.Sub(s.started).Truncate(purgeEvery))
	if !edge.After(s.purged) {
		return
	}
	s.purged = edge
	for _, t := range s.tokens {
		if t.expired(edge) {
			s.dropToken(t)
		}
	}
}

// dropToken removes an access token and its session.
func (s *Server) dropToken(t *accessToken) {
	delete(s.tokens, t.value)
	delete(s.sessions, t.session)
	if of := s.byUser[t.authID]; of != nil {
		delete(of, t)
		if len(of) == 0 {
			delete(s.byUser, t.authID)
		}
	}
}

func (s *Server) addToken(t *accessToken) {
	s.tokens[t.value] = t
	s.sessions[t.session] = t
	of := s.byUser[t.authID]
	if of == nil {
		of = map[*accessToken]struct{}{}
		s.byUser[t.authID] = of
	}
	of[t] = struct{}{}
}

// tokensOf gives a user's access tokens, oldest first.
func (s *Server) tokensOf(uuid string) []*accessToken {
	list := make([]*accessToken, 0, len(s.byUser[uuid]))
	for t := range s.byUser[uuid] {
		list = append(list, t)
	}
	slices.SortFunc(list, func(a, b *accessToken) int { return cmp.Compare(a.seq, b.seq) })
	return list
}

// dropRefreshToken revokes one; the access tokens made from it live on, unlinked
// (contract 7.2).
func (s *Server) dropRefreshToken(rt *refreshToken) {
	delete(s.refreshTokens, rt.value)
	if u := s.users[rt.user]; u != nil && u.refreshTokens[rt.clientID] == rt {
		delete(u.refreshTokens, rt.clientID)
	}
	for t := range s.byUser[rt.user] {
		if t.from == rt {
			t.from = nil
		}
	}
}

// loginOwner finds who signs in with this text: a username or a confirmed e-mail,
// case ignored, over all tenants (contract 5).
func (s *Server) loginOwner(login string) *user {
	login = strings.ToLower(login)
	u := s.names[login]
	if u == nil {
		return nil
	}
	if name, ok := u.username.(string); ok && strings.ToLower(name) == login {
		return u
	}
	for _, e := range u.emails {
		if e.confirmed && strings.ToLower(e.address) == login {
			return u
		}
	}
	return nil
}

// loginTaken tells whether a username or an e-mail, confirmed or not, is in use by
// somebody else.
func (s *Server) loginTaken(login string, except *user) bool {
	owner := s.names[strings.ToLower(login)]
	return owner != nil && owner != except
}

// indexNames makes anew a user's place in the one name space of usernames and e-mails.
func (s *Server) indexNames(u *user) {
	for _, name := range u.names {
		delete(s.names, name)
	}
	u.names = u.names[:0]
	if name, ok := u.username.(string); ok {
		u.names = append(u.names, strings.ToLower(name))
	}
	for _, e := range u.emails {
		u.names = append(u.names, strings.ToLower(e.address))
	}
	for _, name := range u.names {
		s.names[name] = u
	}
}

// sees tells whether tenant is top or below it.
func (s *Server) sees(top, uuid string) bool {
	for t := s.tenants[uuid]; t != nil; t = s.tenants[t.parent] {
		if t.uuid == top {
			return true
		}
		if t.parent == t.uuid {
			return false
		}
	}
	return false
}

package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"wakey/api"
	"wakey/session"
)

// lock tells whether another process holds the account's lock for long.
func (x *examination) lock(ctx context.Context, account session.Account) {
	wait, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	lock, err := x.app.manager.Store().Lock(wait, account.ID)
	if errors.Is(err, context.DeadlineExceeded) {
		x.addf(notice, "lock", "another process holds it for more than a second: it refreshes, or it hangs")
		return
	}
	if !x.checkf("lock", err, "free") {
		return
	}
	defer lock.Release()
	if i := lock.Interrupted; i != nil {
		x.addf(notice, "interrupted", "a %s was cut off %s; the next one sees to it", i.Op, when(i.At, time.Now()))
	}
}

// reach looks at the way to the stack: name, certificate, service.
func (x *examination) reach(ctx context.Context, account session.Account) bool {
	base, err := url.Parse(account.Stack)
	if !x.checkf("address", err, "%s", account.Stack) {
		return false
	}
	if _, err := netip.ParseAddr(base.Hostname()); err != nil {
		found, err := net.DefaultResolver.LookupHost(ctx, base.Hostname())
		if !x.checkf("name", err, "%s is %s", base.Hostname(), strings.Join(found, ", ")) {
			x.findings[len(x.findings)-1].err = &api.Error{Kind: api.KindNetwork, Host: base.Hostname(), Message: "its name is not known"}
			return false
		}
	}
	if base.Scheme == "https" {
		x.certificate(ctx, account)
	} else {
		x.addf(notice, "certificate", "none: plain http")
	}
	client, err := x.app.manager.Client(account.ID)
	if err == nil {
		err = client.Status(ctx)
	}
	return x.checkf("service", err, "wazo-auth answers")
}

func (x *examination) certificate(ctx context.Context, account session.Account) {
	shown, err := api.Fingerprint(ctx, account.Stack)
	if err != nil {
		return // the service's own check says why
	}
	t := trusted{Account: account, asked: true, shown: shown}
	left := time.Until(shown.NotAfter)
	switch {
	case account.Trust.Pin != "" && account.Trust.Pin != shown.Fingerprint:
		x.checkf("certificate", &api.CertError{
			Host: shown.Host, Fingerprint: shown.Fingerprint, Pin: account.Trust.Pin, Reason: api.CertChanged,
			Subject: shown.Subject, Issuer: shown.Issuer, NotBefore: shown.NotBefore, NotAfter: shown.NotAfter,
		}, "")
	case left < 0 && account.Trust.Pin != "":
		x.addf(notice, "certificate", "expired %s; its key is pinned, so it is accepted", when(shown.NotAfter, time.Now()))
	case left < 14*24*time.Hour:
		x.addf(notice, "certificate", "expires %s", when(shown.NotAfter, time.Now()))
	default:
		x.addf(fine, "certificate", "%s (%s), expires %s", t.verdict(), trustWords(account), when(shown.NotAfter, time.Now()))
	}
}

// clock compares the stack's clock with ours.
func (x *examination) clock(stack, sent, came time.Time) {
	if stack.IsZero() {
		return
	}
	// The stack told whole seconds, at some time between the two.
	skew := time.Duration(0)
	switch {
	case stack.Add(time.Second).Before(sent):
		skew = stack.Add(time.Second).Sub(sent)
	case stack.After(came):
		skew = stack.Sub(came)
	}
	switch {
	case skew > skewTolerated:
		x.addf(notice, "clocks", "the stack's is %s ahead of this machine's", inWords(skew))
	case skew < -skewTolerated:
		x.addf(notice, "clocks", "the stack's is %s behind this machine's", inWords(skew))
	default:
		x.addf(fine, "clocks", "together")
	}
}

// needed are the permissions that wakey makes use of, by what is lost without them.
var needed = []struct{ access, loss string }{
	{"auth.users.%s.tokens.read", "refresh tokens can't be listed"},
	{"auth.users.%s.tokens.wakey.delete", "refresh tokens can't be revoked: signing out fails"},
	{"auth.users.%s.sessions.read", "sessions can't be listed"},
	{"auth.users.%s.sessions.wakey.delete", "sessions can't be revoked: superseded ones stay until they expire"},
	{"auth.users.%s.password.update", "the password can't be changed"},
}

func (x *examination) permissions(ctx context.Context, client *api.Client, token api.Secret, account session.Account) {
	scopes := make([]string, len(needed))
	for i, n := range needed {
		scopes[i] = fmt.Sprintf(n.access, account.UserUUID)
	}
	allowed, err := client.CheckScopes(ctx, token, scopes, "")
	if err != nil {
		x.addf(notice, "permissions", "%v", err)
		return
	}
	missing := false
	for i, n := range needed {
		if !allowed[scopes[i]] {
			missing = true
			x.addf(notice, "permissions", "%s is missing: %s", strings.Replace(scopes[i], ".wakey.", ".*.", 1), n.loss)
		}
	}
	if !missing {
		x.addf(fine, "permissions", "all that wakey makes use of")
	}
}

// stackVersion asks confd, which alone knows it (contract 11).
func (x *examination) stackVersion(ctx context.Context, client *api.Client, token api.Secret) {
	resp, err := client.Do(ctx, http.MethodGet, "/confd/1.1/infos", nil, nil, token)
	if err != nil {
		return
	}
	defer resp.Body.Close()
	var infos struct {
		Version string `json:"wazo_version"`
	}
	if resp.StatusCode == http.StatusOK && json.NewDecoder(http.MaxBytesReader(nil, resp.Body, failureLimit)).Decode(&infos) == nil && infos.Version != "" {
		x.addf(fine, "version", "Wazo %s", api.Clean(infos.Version))
		return
	}
	x.addf(notice, "version", "the stack doesn't tell (status %d of confd); by what it answers, %s", resp.StatusCode, versionClue(ctx, client, token))
}

// versionClue tells what the list of refresh tokens says of the stack's version (contract 13).
func versionClue(ctx context.Context, client *api.Client, token api.Secret) string {
	resp, err := client.Do(ctx, http.MethodGet, "/auth/0.1/users/me/tokens?limit=1", nil, nil, token)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	var list struct {
		Items []map[string]any `json:"items"`
	}
	if json.NewDecoder(http.MaxBytesReader(nil, resp.Body, failureLimit)).Decode(&list) != nil || len(list.Items) == 0 {
		return "any"
	}
	if _, has := list.Items[0]["metadata"]; has {
		return "25.09 or newer"
	}
	return "older than 25.09"
}

// openToOthers counts the files of the store that others have access to.
func openToOthers(dir string) (n int) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // there is none yet
		}
		if info, err := d.Info(); err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
			n++
		}
		return nil
	})
	return n
}

// passphrase looks at where the store's passphrase comes from.
func (x *examination) passphrase() {
	from, err := (&passphraser{x.app}).source()
	switch {
	case err != nil:
		return // it was told what is wrong with the settings
	case from.command != "":
		x.addf(fine, "passphrase", "from a command")
		return
	case from.file == "":
		x.addf(notice, "passphrase", "each command asks for it; \"wakey unlock\" keeps the store open for a while")
		return
	}
	x.secretFile("passphrase", from.file)
}

// secretFile looks at a file that nobody else should read.
func (x *examination) secretFile(part, path string) {
	switch info, err := os.Stat(path); {
	case err != nil:
		x.addf(notice, part, "%v", err)
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0:
		x.addf(notice, part, "others may read %s (mode %#o): chmod 600 takes that away", path, info.Mode().Perm())
	default:
		x.addf(fine, part, "from %s", path)
	}
}

// clipboardWay says how a token would get into the clipboard from here.
func clipboardWay() (string, bool) {
	remote := os.Getenv("SSH_CONNECTION") != "" || os.Getenv("SSH_TTY") != ""
	switch {
	case os.Getenv("TMUX") != "":
		return "through tmux", true
	case remote:
		return "through the terminal (OSC 52), which tells nobody whether it worked", true
	case runtime.GOOS == "darwin" || runtime.GOOS == "windows":
		return "the system's own", true
	}
	for _, tool := range []string{"wl-copy", "xclip", "xsel"} {
		display := "DISPLAY"
		if tool == "wl-copy" {
			display = "WAYLAND_DISPLAY"
		}
		if _, err := exec.LookPath(tool); err == nil && os.Getenv(display) != "" {
			return "through " + tool, true
		}
	}
	return "through the terminal (OSC 52): there is no display, or no wl-copy, xclip or xsel", false
}

// bundleLines is how much of the log goes into a report.
const bundleLines = 200

// writeBundle writes a report that names nobody.
func writeBundle(path string, findings []finding, accounts []session.Account, servers []string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "wakey doctor, %s\n\n", time.Now().UTC().Format(time.RFC3339))
	if err := printFindings(&b, findings); err != nil {
		return err
	}
	var entries []session.Entry
	for e, err := range session.OpenAudit(session.DefaultDir()).Read(session.AuditFilter{}) {
		if err == nil {
			entries = append(entries, e)
		}
	}
	fmt.Fprintf(&b, "\nThe end of the log:\n")
	for _, e := range entries[max(0, len(entries)-bundleLines):] {
		fmt.Fprintf(&b, "%s %s %s %s: %s\n", e.Time.UTC().Format(time.RFC3339), e.Name, e.Op, levelName(e.Level), api.Clean(e.Text))
	}
	return os.WriteFile(path, []byte(anonymous(b.String(), accounts, servers)), 0o600)
}

// anonymous replaces what names somebody or something: the longest first, as names hold others.
func anonymous(text string, accounts []session.Account, servers []string) string {
	type pair struct{ name, stand string }
	var pairs []pair
	add := func(name, kind string, n int) {
		name = api.Clean(name)
		if len(name) > 1 && !slices.ContainsFunc(pairs, func(p pair) bool { return p.name == name }) {
			pairs = append(pairs, pair{name, fmt.Sprintf("<%s %d>", kind, n+1)})
		}
	}
	for i, a := range accounts {
		add(a.Name, "account", i)
		add(stackName(a), "stack", i)
		if u, err := url.Parse(a.Stack); err == nil {
			add(u.Hostname(), "stack", i)
		}
		add(a.Login, "user", i)
		add(a.ClientID, "client", i)
	}
	for i, name := range servers {
		add(name, "server", i)
	}
	if home, err := os.UserHomeDir(); err == nil {
		add(home, "home", 0)
	}
	if host, err := os.Hostname(); err == nil {
		add(host, "machine", 0)
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return len(b.name) - len(a.name) })
	all := make([]string, 0, 2*len(pairs))
	for _, p := range pairs {
		all = append(all, p.name, p.stand)
	}
	text = strings.NewReplacer(all...).Replace(text)
	for _, p := range telling() {
		text = p.ReplaceAllString(text, "<…>")
	}
	return text
}

// telling finds what names something by its shape: uuids, fingerprints, ends of tokens, addresses, client_ids.
var telling = sync.OnceValue(func() []*regexp.Regexp {
	return []*regexp.Regexp{
		regexp.MustCompile(`(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`),
		regexp.MustCompile(`SHA256:[A-Za-z0-9+/]{43}`),
		regexp.MustCompile(`…[0-9a-f]{8}`),
		regexp.MustCompile(`client_id \S+`),
		regexp.MustCompile(`\b(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?::[0-9]+)?\b`),
		regexp.MustCompile(`[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+`),
		regexp.MustCompile(`age1[0-9a-z]{58}`),
	}
})

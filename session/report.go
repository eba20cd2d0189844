package session

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"wakey/api"
)

// incidentReport is what exportIncident gives as JSON.
type incidentReport struct {
	Incident *Incident `json:"incident"`
	Clean    bool      `json:"clean"`
	Log      []logLine `json:"log"` // of the account, from the findings to the end
	// Verified is what Verify said of the whole log when the report was written.
	Verified string `json:"verified"`
}

// logLine is an entry with its hash, so that it can be found in the log.
type logLine struct {
	Entry
	OwnHash string `json:"hash"`
}

// exportIncident gives the report of a response, for a person as Markdown and for a program as
// JSON. It holds no secrets: the last 8 characters of tokens at most. Errors: ErrNoIncident, and
// those of the log, beside which the reports are still given.
func (m *Manager) exportIncident(id string) (markdown, asJSON []byte, err error) {
	in, err := m.Incident(id)
	if err != nil {
		return nil, nil, err
	}
	r := incidentReport{Incident: in, Clean: in.Clean()}
	from := in.Plan.MadeAt
	for _, f := range in.Findings {
		if f.First.Before(from) {
			from = f.First
		}
	}
	var logErr error
	for e, err := range m.audit.Read(AuditFilter{Since: from.Truncate(time.Microsecond), Account: in.Plan.Account}) {
		switch {
		case err != nil:
			logErr = err
		case in.Ended.IsZero() || !e.Time.After(in.Ended.Add(time.Second)):
			r.Log = append(r.Log, logLine{e, e.Hash})
		}
	}
	r.Verified = m.verifiedLog()
	asJSON, err = json.MarshalIndent(r, "", "  ")
	if err != nil {
		return nil, nil, err
	}
	return r.markdown(), append(api.CleanJSON(asJSON), '\n'), logErr
}

// verifiedLog says whether the log is whole, and the hash that it can be held against later.
func (m *Manager) verifiedLog() string {
	switch v, err := m.audit.Verify(""); {
	case err != nil:
		return "the log could not be read: " + err.Error()
	case v.Lines == 0:
		return "there is no log"
	case !v.OK():
		return fmt.Sprintf("the log is not what was written: %s (%s)", v.Flaws[0], count(len(v.Flaws), "flaw"))
	default:
		return fmt.Sprintf("the log is whole, lines %d to %d; the hash of its last line is %s", v.First, v.Last, v.Hash)
	}
}

// WriteReport writes the report of a response into dir, as wakey-ID.md and wakey-ID.json, which
// only their owner may read: they hold names, if no secrets. It gives the paths of what is
// written, also beside an error. Errors: ErrNoIncident, those of the log, and those of the files.
func (m *Manager) WriteReport(id, dir string) ([]string, error) {
	markdown, asJSON, err := m.exportIncident(id)
	if markdown == nil {
		return nil, err
	}
	errs := []error{err, os.MkdirAll(dir, dirMode)}
	var written []string
	for ending, b := range map[string][]byte{".md": markdown, ".json": asJSON} {
		path := filepath.Join(dir, "wakey-"+id+ending)
		err := replaceFile(path, "", true, writer(b))
		if err == nil {
			written = append(written, path)
		}
		errs = append(errs, err)
	}
	slices.Sort(written)
	slices.Reverse(written) // what a person reads first
	return written, errors.Join(errs...)
}

// stamp writes instants as the report does.
func stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

// cell makes a text fit for a table and harmless in Markdown, whoever wrote it.
func cell(s string) string {
	s = api.Clean(s)
	return strings.NewReplacer(`\`, `\\`, "|", `\|`, "`", "\\`", "<", "&lt;", ">", "&gt;", "[", `\[`, "]", `\]`, "*", `\*`, "_", `\_`, "&", "&amp;").Replace(s)
}

func (r *incidentReport) markdown() []byte {
	var b bytes.Buffer
	in, p := r.Incident, &r.Incident.Plan
	fmt.Fprintf(&b, "# Incident %s\n\n", p.ID)
	fmt.Fprintf(&b, "Account %s: user %s (%s) at %s.\n", cell(p.Name), cell(p.Login), cell(p.UserUUID), cell(api.StackName(p.Stack)))
	if p.Tenant != "" {
		fmt.Fprintf(&b, "Everyone in the tenant %s: %d users.\n", cell(p.Tenant), len(p.Users))
	}
	fmt.Fprintf(&b, "Begun %s, ended %s.\n\n", stamp(in.Begun), stamp(in.Ended))
	switch {
	case in.Ended.IsZero():
		fmt.Fprint(&b, "**The response is not over: resume it.**\n\n")
	case r.Clean:
		fmt.Fprint(&b, "**Everything that it set out to do is done, and what can be proven is.**\n\n")
	default:
		fmt.Fprint(&b, "**Something is left open: see the steps and the proofs.**\n\n")
	}
	fmt.Fprintf(&b, "%s\n\n", cell(in.inShort()))
	for _, warn := range []string{p.PasswordKnown, p.KeptAtRisk()} {
		if warn != "" {
			fmt.Fprintf(&b, "About the password: %s.\n\n", cell(warn))
		}
	}
	if p.Missing != nil {
		fmt.Fprintf(&b, "The user lacks the permissions %s.\n\n", cell(strings.Join(p.Missing, ", ")))
	}

	table(&b, "What was noticed", []string{"First", "Level", "What"}, in.Findings, func(f Finding) []string {
		return []string{stamp(f.First), f.Level.String(), f.Text}
	})
	table(&b, "Steps", []string{"Step", "State", "At", "What came of it"}, in.Steps, func(s Step) []string {
		return []string{string(s.Name), string(s.State), stamp(s.At), s.Text}
	})
	for _, part := range []struct {
		title string
		state ProofState
	}{{"Not so yet", Disproven}, {"Proven", Proven}, {"Can't be proven", NotProvable}} {
		list := filter(in.Proofs, func(p Proof) bool { return p.State == part.state })
		table(&b, part.title, []string{"Claim", "How", "Seen", "Over by"}, list, func(p Proof) []string {
			return []string{p.Claim, p.How, stamp(p.At), stamp(p.Until)}
		})
	}
	r.evidence(&b)
	fmt.Fprintf(&b, "Checked when this was written: %s.\n\n", cell(r.Verified))
	table(&b, "Log", []string{"No.", "Time", "Op", "Level", "Text", "Hash"}, r.Log, func(l logLine) []string {
		return []string{strconv.FormatUint(l.N, 10), stamp(l.Time), l.Op, l.Level.String(), l.Text, l.OwnHash[:16]}
	})
	return b.Bytes()
}

// inShort says in a sentence what was done.
func (in *Incident) inShort() string {
	tokens, sessions := 0, 0
	for _, v := range in.Revoked {
		switch {
		case v.Result != whatCameOf(nil) && v.Result != whatCameOf(api.ErrNotFound):
		case v.Session != "":
			sessions++
		case v.ClientID != "":
			tokens++
		}
	}
	text := fmt.Sprintf("%s and %s ended", count(tokens, "refresh token"), count(sessions, "session"))
	if n := len(in.Rotated); n > 0 {
		text += fmt.Sprintf(", %s of this machine with a new refresh token", count(n, "account"))
	}
	if in.step(StepPassword).State == Done {
		return text + ", the password changed."
	}
	return text + ", the password not changed."
}

// evidence writes what there was, and what was done to it.
func (r *incidentReport) evidence(b *bytes.Buffer) {
	in, p := r.Incident, &r.Incident.Plan
	tokens := func(list []PlannedToken) [][]string {
		rows := make([][]string, 0, len(list))
		for _, t := range list {
			rows = append(rows, []string{t.ClientID, stamp(t.CreatedAt), t.Label, t.UserUUID, strings.Trim(t.Why+"; "+t.Help, "; ")})
		}
		return rows
	}
	head := []string{"client_id", "Made", "Known as", "User", "Why"}
	same := func(row []string) []string { return row }
	table(b, "Refresh tokens to be revoked", head, tokens(p.Revoke), same)
	table(b, "Refresh tokens left alone", head, tokens(filter(p.Keep, func(t PlannedToken) bool { return !p.rotates(t) })), same)
	table(b, "Refresh tokens that can't be revoked", head, tokens(p.Stuck), same)
	table(b, "Refresh tokens that appeared during the response", head, tokens(in.Appeared), same)
	if in.Before != nil {
		fmt.Fprintf(b, "## Before\n\nAt %s the stack listed %s and %s. This machine held %s: %s.\n\n", stamp(in.Before.At),
			count(len(in.Before.Tokens), "refresh token"), count(len(in.Before.Sessions), "session"),
			count(len(in.Before.Held), "access token"), "…"+strings.Join(in.Before.Held, ", …"))
	}
	table(b, "Revocations", []string{"At", "What", "User", "Result"}, in.Revoked, func(v Revocation) []string {
		what := "refresh token " + v.ClientID
		if v.Session != "" {
			what = "session " + v.Session
		}
		return []string{stamp(v.At), what, v.UserUUID, v.Result}
	})
	table(b, "Rotated", []string{"Account", "New client_id"}, in.Rotated, func(o PlannedRotate) []string {
		return []string{o.Name, o.ClientID}
	})
}

func table[T any](b *bytes.Buffer, title string, head []string, list []T, row func(T) []string) {
	if len(list) == 0 {
		return
	}
	line := func(cells []string) { fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | ")) }
	fmt.Fprintf(b, "## %s\n\n", title)
	line(head)
	line(slices.Repeat([]string{"---"}, len(head)))
	for _, x := range list {
		cells := row(x)
		for i := range cells {
			cells[i] = cell(cells[i])
		}
		line(cells)
	}
	fmt.Fprintln(b)
}

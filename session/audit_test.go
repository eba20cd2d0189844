package session

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// logOf is a log of n lines in a new directory.
func logOf(t *testing.T, n int) *Audit {
	t.Helper()
	a := OpenAudit(filepath.Join(t.TempDir(), "wakey"))
	for i := range n {
		say(t, a, fmt.Sprintf("line %d", i+1))
	}
	return a
}

func say(t *testing.T, a *Audit, text string) {
	t.Helper()
	if err := a.Append(Entry{Account: "0a0b0c0d", Name: "alice", Op: "test", Text: text, Fields: map[string]string{"k": "v"}}); err != nil {
		t.Fatal(err)
	}
}

func verify(t *testing.T, a *Audit, noted string) *AuditReport {
	t.Helper()
	r, err := a.Verify(noted)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// intact fails unless the log verifies, and gives the report.
func intact(t *testing.T, a *Audit) *AuditReport {
	t.Helper()
	r := verify(t, a, "")
	for _, f := range r.Flaws {
		t.Errorf("flaw: %s", f)
	}
	return r
}

// flawed fails unless Verify finds a flaw whose text holds want.
func flawed(t *testing.T, a *Audit, want string) {
	t.Helper()
	r := verify(t, a, "")
	for _, f := range r.Flaws {
		if strings.Contains(f.String(), want) {
			return
		}
	}
	t.Errorf("flaws %q, want one with %q", r.Flaws, want)
}

func texts(t *testing.T, a *Audit, f AuditFilter) []string {
	t.Helper()
	var out []string
	for e, err := range a.Read(f) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e.Text)
	}
	return out
}

// rewrite changes the lines of the active file.
func rewrite(t *testing.T, a *Audit, change func(lines [][]byte) [][]byte) {
	t.Helper()
	b, err := os.ReadFile(a.active())
	if err != nil {
		t.Fatal(err)
	}
	lines := change(bytes.SplitAfter(bytes.TrimSuffix(b, []byte("\n")), []byte("\n")))
	out := bytes.TrimSuffix(bytes.Join(lines, nil), []byte("\n"))
	if len(out) > 0 {
		out = append(out, '\n')
	}
	if err := os.WriteFile(a.active(), out, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAuditKeepsWhatIsSaid(t *testing.T) {
	a := logOf(t, 3)
	when := time.Date(2026, 11, 23, 8, 0, 0, 123456789, time.FixedZone("", 3600))
	if err := a.Append(Entry{Time: when, Op: "refresh", Level: Alarm, Text: "evil \x1b[31m\u202e" + strings.Repeat("é", 5000)}); err != nil {
		t.Fatal(err)
	}
	r := intact(t, a)
	if r.Lines != 4 || r.First != 1 || r.Last != 4 || len(r.Hash) != 64 {
		t.Errorf("report %+v", r)
	}
	if got := texts(t, a, AuditFilter{Account: "0a0b0c0d"}); len(got) != 3 || got[2] != "line 3" {
		t.Errorf("by account: %q", got)
	}
	var last Entry
	for e, err := range a.Read(AuditFilter{Op: "refresh"}) {
		if err != nil {
			t.Fatal(err)
		}
		last = e
	}
	if last.N != 4 || last.Level != Alarm || !last.Time.Equal(when.Truncate(time.Microsecond)) || last.Time.Location() != time.UTC {
		t.Errorf("entry %+v", last)
	}
	if strings.ContainsAny(last.Text, "\x1b\u202e") || len(last.Text) > maxAuditText+20 {
		t.Errorf("text of %d bytes: %.60q", len(last.Text), last.Text)
	}
	if got := texts(t, a, AuditFilter{Since: time.Now().Add(time.Hour)}); len(got) != 0 {
		t.Errorf("since: %q", got)
	}
	for _, name := range []string{"audit.jsonl", "audit.head", "audit.lock"} {
		info, err := os.Stat(filepath.Join(a.dir, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
}

func TestAuditWithoutDirectory(t *testing.T) {
	a := OpenAudit("")
	say(t, a, "nobody hears")
	if got := texts(t, a, AuditFilter{}); got != nil {
		t.Errorf("read %q", got)
	}
	intact(t, a)
	none := OpenAudit(filepath.Join(t.TempDir(), "not", "there"))
	intact(t, none)
	if got := texts(t, none, AuditFilter{}); got != nil {
		t.Errorf("read %q", got)
	}
}

func TestVerifyFinds(t *testing.T) {
	cases := map[string]struct {
		change func(l [][]byte) [][]byte
		want   string
	}{
		"an edited line": {func(l [][]byte) [][]byte {
			l[4] = bytes.Replace(l[4], []byte("line 5"), []byte("line 6"), 1)
			return l
		}, "number 5 was edited"},
		"a line edited with its hash": {func(l [][]byte) [][]byte {
			l[4] = forged(l[4], "something else")
			return l
		}, "number 6 does not follow"},
		"the last line edited with its hash": {func(l [][]byte) [][]byte {
			l[9] = forged(l[9], "something else")
			return l
		}, "the last line, number 10, is not"},
		"a line taken out":  {func(l [][]byte) [][]byte { return append(l[:4:4], l[5:]...) }, "the 1 lines from 5 to 5 are missing"},
		"the beginning cut": {func(l [][]byte) [][]byte { return l[3:] }, "begins with number 4"},
		"the end cut":       {func(l [][]byte) [][]byte { return l[:7] }, "from 8 to 10 are missing at the end"},
		"everything cut":    {func([][]byte) [][]byte { return nil }, "from 1 to 10 are missing at the end"},
		"two lines swapped": {func(l [][]byte) [][]byte { l[2], l[6] = l[6], l[2]; return l }, "out of order"},
		"a line twice":      {func(l [][]byte) [][]byte { return append(l[:5:5], l[4:]...) }, "out of order, or twice"},
		"a line cut short": {func(l [][]byte) [][]byte {
			l[4] = append(l[4][:40:40], '\n')
			return l
		}, "no line of the log"},
		"text put in": {func(l [][]byte) [][]byte {
			return append(l[:5:5], append([][]byte{[]byte("hello\n")}, l[5:]...)...)
		}, "no line of the log"},
		"lines put in at the end": {func(l [][]byte) [][]byte {
			e, _, _ := parseEntry(bytes.TrimSuffix(l[9], []byte("\n")))
			for range 2 {
				e.N, e.Prev = e.N+1, e.Hash
				line, _ := e.line()
				l = append(l, line)
			}
			l[9] = append(l[9], '\n')
			return l
		}, "2 lines behind"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			a := logOf(t, 10)
			rewrite(t, a, c.change)
			flawed(t, a, c.want)
			say(t, a, "life goes on") // which must not cover it
			say(t, OpenAudit(a.dir), "and on")
			if name == "lines put in at the end" {
				return // what is appended to them makes them as good as the program's own
			}
			if r := verify(t, a, ""); r.OK() {
				t.Error("not found any more after new lines")
			}
		})
	}
}

// forged is a line with another text and a hash that fits it.
func forged(line []byte, text string) []byte {
	e, _, _ := parseEntry(bytes.TrimSuffix(line, []byte("\n")))
	e.Text = text
	out, _ := e.line()
	return out
}

func TestVerifyAgainstNotedHash(t *testing.T) {
	a := logOf(t, 5)
	noted := verify(t, a, "").Hash
	say(t, a, "more")
	if r := verify(t, a, noted); !r.OK() {
		t.Errorf("flaws %v", r.Flaws)
	}
	if err := os.RemoveAll(a.dir); err != nil {
		t.Fatal(err)
	}
	a = OpenAudit(a.dir)
	say(t, a, "a new life")
	if r := verify(t, a, ""); !r.OK() {
		t.Errorf("flaws %v", r.Flaws)
	}
	if r := verify(t, a, noted); r.OK() {
		t.Error("a log written anew passes for the old one")
	}
}

func TestAuditHeadGone(t *testing.T) {
	a := logOf(t, 3)
	if err := os.Remove(a.headName()); err != nil {
		t.Fatal(err)
	}
	flawed(t, a, "gone or unreadable")
	say(t, a, "next")
	if got := texts(t, a, AuditFilter{Op: "log"}); len(got) != 1 || !strings.Contains(got[0], "audit.head was gone") {
		t.Errorf("not told: %q", got)
	}
}

func TestAuditCrash(t *testing.T) {
	for cut := 1; ; cut++ {
		a := logOf(t, 3)
		// A crash after part of line 4 was written, its head not.
		e := Entry{N: 4, Time: time.Unix(1e9, 0).UTC(), Op: "test", Text: "cut off", Prev: verify(t, a, "").Hash}
		line, err := e.line()
		if err != nil {
			t.Fatal(err)
		}
		tear(t, a, string(line[:cut]))
		torn := 0
		if cut < len(line)-1 {
			torn = 1
		}
		if r := intact(t, a); cut < len(line) && len(r.Torn) != 1 {
			t.Fatalf("torn %v", r.Torn)
		}
		say(t, OpenAudit(a.dir), "after the crash")
		say(t, a, "and by one who had it open")
		if r := intact(t, a); len(r.Torn) != torn || r.Lines != 6 {
			t.Fatalf("torn %v, %d lines", r.Torn, r.Lines)
		}
		if t.Failed() {
			t.Fatalf("cut at %d of %d", cut, len(line))
		}
		if cut == len(line) {
			return
		}
	}
}

// tear appends b as a process that dies in the middle does.
func tear(t *testing.T, a *Audit, b string) {
	t.Helper()
	f, err := os.OpenFile(a.active(), os.O_WRONLY|os.O_APPEND, 0o600)
	if err == nil {
		_, err = f.WriteString(b)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

// A crash in the middle of telling of a crash.
func TestAuditCrashTwice(t *testing.T) {
	a := logOf(t, 3)
	tear(t, a, `{"n":4,"ti`+"\n"+`{"n":4,"time":"2026`)
	say(t, a, "after")
	if r := intact(t, a); len(r.Torn) != 1 {
		t.Errorf("torn %v", r.Torn)
	}
	// What is told can't stand for something else.
	rewrite(t, a, func(l [][]byte) [][]byte { l[3] = []byte("{\"n\":4,\"xx\n"); return l })
	flawed(t, a, "no line of the log")
}

func TestAuditRotation(t *testing.T) {
	a := logOf(t, 0)
	a.size, a.keep = 2000, 3
	for i := range 100 {
		say(t, a, fmt.Sprintf("line %d", i))
		if i == 10 || i == 40 {
			if r := intact(t, a); i == 10 && (r.First != 1 || r.Lines != 11) {
				t.Errorf("after %d: %+v", i, r)
			}
		}
	}
	names, err := a.rotated()
	if err != nil || len(names) != 3 {
		t.Fatalf("rotated %v, %v", names, err)
	}
	r := intact(t, a)
	if r.First == 1 || r.Last-r.First+1 != r.Lines {
		t.Errorf("report %+v", r)
	}
	for _, name := range names {
		if info, _ := os.Stat(name); info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v", name, info.Mode())
		}
	}
	// Rotation excuses the lines it dropped, and no others.
	if err := os.Remove(names[0]); err != nil {
		t.Fatal(err)
	}
	flawed(t, a, "no line tells that those before were dropped")
	if err := os.Remove(names[2]); err != nil {
		t.Fatal(err)
	}
	flawed(t, a, "are missing")
}

func TestAuditCrashInRotation(t *testing.T) {
	a := logOf(t, 3)
	if err := os.Rename(a.active(), filepath.Join(a.dir, rotatedName(3))); err != nil {
		t.Fatal(err)
	}
	intact(t, a)
	say(t, OpenAudit(a.dir), "after")
	if r := intact(t, a); r.Lines != 4 {
		t.Errorf("report %+v", r)
	}
}

// TestAuditProcess is not a test: it is what TestAuditTogether starts.
func TestAuditProcess(t *testing.T) {
	dir := os.Getenv("WAKEY_TEST_AUDIT")
	if dir == "" {
		t.Skip("only TestAuditTogether runs it, in processes of their own")
	}
	a := OpenAudit(dir)
	a.size, a.keep = 20_000, 1000
	for i := range 100 {
		say(t, a, fmt.Sprintf("line %d of %d", i, os.Getpid()))
	}
}

func TestAuditTogether(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAuditProcess$")
			cmd.Env = append(os.Environ(), "WAKEY_TEST_AUDIT="+dir)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	a := OpenAudit(dir)
	a.size, a.keep = 20_000, 1000
	for range 4 {
		wg.Go(func() {
			for i := range 50 {
				err := a.Append(Entry{Op: "test", Text: fmt.Sprint("here ", i)})
				if err != nil {
					t.Error(err)
				}
				if i%10 == 0 {
					if r, err := a.Verify(""); err != nil || !r.OK() {
						t.Errorf("while writing: %v, %v", r, err)
					}
				}
			}
		})
	}
	wg.Wait()
	if r := intact(t, a); r.Lines != 500 {
		t.Errorf("%d lines, want 500", r.Lines)
	}
}

func TestAuditCanNotWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := OpenAudit(dir).Append(Entry{Op: "test"})
	if err == nil {
		t.Fatal("no error")
	}
	if errors.Unwrap(err) == nil {
		t.Errorf("cause lost: %v", err)
	}
}

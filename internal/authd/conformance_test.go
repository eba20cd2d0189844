package authd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// recording is one exchange with the real server. vary holds the paths of what
// changes from run to run.
type recording struct {
	number  int
	Name    string `json:"name"`
	Base    string `json:"base"`
	Request struct {
		Method  string            `json:"method"`
		Path    string            `json:"path"`
		Headers map[string]string `json:"headers"`
		Body    any               `json:"body"`
	} `json:"request"`
	Response struct {
		Status  int               `json:"status"`
		Headers map[string]string `json:"headers"`
		Kind    string            `json:"body_kind"`
		Body    any               `json:"body"`
	} `json:"response"`
	Vary []string `json:"vary"`
}

// outOfScope names the recordings that authd doesn't answer, and why.
var outOfScope = map[string]string{
	"nginx_http_redirect": "port 80's redirect to https; authd listens on one port",
}

// TestConformance plays the recorded exchanges, in their order and at their times,
// and holds every answer against the recorded one.
func TestConformance(t *testing.T) {
	recordings := readRecordings(t)
	synctest.Test(t, func(t *testing.T) {
		p := newPlayer(t, recordings[0])
		conforming, inScope := 0, 0
		var out []string
		for _, r := range recordings {
			if reason, ok := outOfScope[r.Name]; ok {
				out = append(out, fmt.Sprintf("  %s: %s", r.Name, reason))
				continue
			}
			inScope++
			p.until(r)
			if problems := p.play(r); len(problems) > 0 {
				t.Errorf("%03d %s:\n  %s", r.number, r.Name, strings.Join(problems, "\n  "))
				continue
			}
			conforming++
		}
		t.Logf("recorded exchanges\n  conforming    %3d\n  in scope      %3d\n  out of scope  %3d\n%s",
			conforming, inScope, len(out), strings.Join(out, "\n"))
		if inScope < 225 {
			t.Errorf("%d exchanges in scope, want at least 225", inScope)
		}
	})
}

func readRecordings(t *testing.T) []recording {
	t.Helper()
	files, err := filepath.Glob("testdata/transcripts/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	slices.Sort(files)
	list := make([]recording, len(files))
	for i, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw, &list[i]); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if list[i].number, err = strconv.Atoi(filepath.Base(file)[:3]); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
	return list
}

// player sends recorded requests to a fresh authd. ids maps what the real server
// made up (tokens, sessions, e-mails, policies) to what authd made up.
type player struct {
	client
	s     *Server
	ids   map[string]string
	done  int // number of the last recording whose missing predecessors were made up for
	zero  time.Time
	begun time.Time
}

func newPlayer(t *testing.T, first recording) *player {
	t.Helper()
	zone, err := time.LoadLocation("America/Toronto")
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Config{Timezone: zone, StackUUID: recordedStack}, labSeed())
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(1234567 * time.Microsecond)
	return &player{client: client{t, s}, s: s, ids: map[string]string{}, zero: first.date(t), begun: time.Now()}
}

func (r recording) date(t *testing.T) time.Time {
	t.Helper()
	at, err := http.ParseTime(r.Response.Headers["Date"])
	if err != nil {
		t.Fatalf("%s: %v", r.Name, err)
	}
	return at
}

// until brings the clock and the state to where they were before a recording. Not
// every exchange was kept; the steps of conformance_steps_test.go stand for the
// others.
func (p *player) until(r recording) {
	p.t.Helper()
	if ahead := r.date(p.t).Sub(p.zero) - time.Since(p.begun); ahead > 0 {
		time.Sleep(ahead)
	}
	time.Sleep(1013 * time.Microsecond)
	for p.done < r.number {
		p.done++
		if step := steps[p.done]; step != nil {
			step(p)
		}
	}
}

// play sends one recorded request and tells how the answer differs.
func (p *player) play(r recording) []string {
	p.t.Helper()
	var raw []byte
	switch body := r.Request.Body.(type) {
	case nil:
	case string:
		raw = []byte(body)
	default:
		var err error
		if raw, err = json.Marshal(body); err != nil {
			p.t.Fatal(err)
		}
	}
	req, err := http.NewRequest(r.Request.Method, "http://stack.example"+p.translate(r.Request.Path), bytes.NewReader([]byte(p.translate(string(raw)))))
	if err != nil {
		p.t.Fatal(err)
	}
	for name, value := range r.Request.Headers {
		if name != "Host" && name != "Content-Length" {
			req.Header.Set(name, p.translate(value))
		}
	}
	res, err := Transport(p.s).RoundTrip(req)
	if err != nil {
		return []string{err.Error()}
	}
	got, err := io.ReadAll(res.Body)
	if err != nil {
		return []string{err.Error()}
	}
	return p.compare(r, res, got)
}

func (p *player) compare(r recording, res *http.Response, got []byte) []string {
	c := comparison{player: p, vary: map[string]bool{}, unordered: strings.HasPrefix(r.Name, "rt_deleted_sessions") ||
		strings.Contains(r.Request.Path, "/sessions")}
	for _, path := range r.Vary {
		c.vary[strings.TrimPrefix(path, "$.response.")] = true
	}
	if res.StatusCode != r.Response.Status {
		c.sayf("status %d, recorded %d: %s", res.StatusCode, r.Response.Status, got)
		return c.problems
	}
	c.headers(r, res)
	kind := "json"
	switch {
	case len(got) == 0:
		kind = "empty"
	case res.Header.Get("Content-Type") != typeJSON:
		kind = "text"
	}
	if kind != r.Response.Kind {
		c.sayf("body is %s, recorded %s", kind, r.Response.Kind)
		return c.problems
	}
	switch kind {
	case "text":
		if string(got) != r.Response.Body {
			c.sayf("page is %q", got)
		}
	case "json":
		var body any
		if err := json.Unmarshal(got, &body); err != nil {
			c.sayf("%v in %q", err, got)
			break
		}
		c.value("body", r.Response.Body, body)
		c.lifetime(r.Response.Body, body)
	}
	return c.problems
}

type comparison struct {
	*player
	vary      map[string]bool
	unordered bool // a list without ORDER BY: which row comes first is chance
	problems  []string
}

func (c *comparison) sayf(format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}

// headers compares names and values; those of the connection depend on the server
// in front.
func (c *comparison) headers(r recording, res *http.Response) {
	skip := map[string]bool{"Content-Length": true, "Date": true}
	for name, want := range r.Response.Headers {
		got := res.Header.Get(name)
		switch {
		case skip[name]:
		case name == "Allow":
			if !reflect.DeepEqual(words(want), words(got)) {
				c.sayf("header Allow: %q, recorded %q", got, want)
			}
		case got != want && !c.vary["headers."+name]:
			c.sayf("header %s: %q, recorded %q", name, got, want)
		}
	}
	for name := range res.Header {
		if _, ok := r.Response.Headers[name]; !ok && !skip[name] {
			c.sayf("header %s is not in the recording", name)
		}
	}
}

func words(list string) []string {
	parts := strings.Split(list, ", ")
	slices.Sort(parts)
	return parts
}

// value compares a body value by value.
func (c *comparison) value(path string, want, got any) {
	if c.vary[path] {
		c.varying(path, want, got)
		return
	}
	switch want := want.(type) {
	case map[string]any:
		got, ok := got.(map[string]any)
		if !ok {
			c.sayf("%s is %v, recorded an object", path, got)
			return
		}
		for key, value := range want {
			if _, ok := got[key]; !ok {
				c.sayf("%s.%s is missing, recorded %v", path, key, value)
				continue
			}
			c.value(path+"."+key, value, got[key])
		}
		for key, value := range got {
			if _, ok := want[key]; !ok {
				c.sayf("%s.%s is %v, not in the recording", path, key, value)
			}
		}
	case []any:
		got, ok := got.([]any)
		if !ok || len(got) != len(want) {
			c.sayf("%s is %v, recorded %d items", path, got, len(want))
			return
		}
		for i := range want {
			c.value(fmt.Sprintf("%s[%d]", path, i), want[i], got[i])
		}
	default:
		if want != got {
			c.sayf("%s is %#v, recorded %#v", path, got, want)
		}
	}
}

var (
	uuidText = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	anyDigit = regexp.MustCompile(`[0-9]`)
)

// varying compares what changes from run to run: an id must be the one that stands
// for the recorded one, everything else must have the same form.
func (c *comparison) varying(path string, want, got any) {
	if reflect.TypeOf(want) != reflect.TypeOf(got) {
		c.sayf("%s is %#v, recorded %#v", path, got, want)
		return
	}
	w, ok := want.(string)
	if !ok {
		return
	}
	g := got.(string)
	id := uuidText.FindString(w)
	if id == "" {
		if form := anyDigit.ReplaceAllString(w, "0"); form != anyDigit.ReplaceAllString(g, "0") {
			c.sayf("%s has the form of %q, recorded %q", path, g, w)
		}
		return
	}
	switch mine := uuidText.FindString(g); {
	case mine == "":
		c.sayf("%s is %q, recorded a UUID", path, g)
	case c.unordered && strings.HasSuffix(path, "uuid"):
	case c.ids[id] == "":
		c.ids[id] = mine
	case c.ids[id] != mine:
		c.sayf("%s is %s, want %s, which stands for the recorded %s", path, mine, c.ids[id], id)
	}
}

// lifetime compares how long a token lives.
func (c *comparison) lifetime(want, got any) {
	long := func(body any) (time.Duration, bool) {
		o := result{body: body}
		issued, err := time.Parse(isoMicro, o.text("data", "utc_issued_at"))
		if err != nil {
			return 0, false
		}
		expires, err := time.Parse(isoMicro, o.text("data", "utc_expires_at"))
		return expires.Sub(issued), err == nil
	}
	w, ok := long(want)
	if g, _ := long(got); ok && g != w {
		c.sayf("the token lives %v, recorded %v", g, w)
	}
}

// translate puts authd's ids in the place of the recorded ones.
func (p *player) translate(s string) string {
	return uuidAnyCase.ReplaceAllStringFunc(s, func(id string) string {
		mine, ok := p.ids[strings.ToLower(id)]
		switch {
		case !ok:
			return id
		case id != strings.ToLower(id):
			return strings.ToUpper(mine)
		}
		return mine
	})
}

var uuidAnyCase = regexp.MustCompile(`(?i)` + uuidText.String())

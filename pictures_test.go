package main_test

import (
	"flag"
	"fmt"
	"html"
	"image/color"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"wakey/internal/authd"
)

//go:generate go test . -count=1 -run TestPictures -update

var update = flag.Bool("update", false, "draw the pictures in docs/screens anew")

// pictureWidth and pictureHeight are the terminal's in every picture.
const pictureWidth, pictureHeight = 112, 30

// TestPictures runs the program, and holds the pictures of the documentation against what it shows.
// The text has to be the same but for times and names made up on the spot; -update draws them anew.
func TestPictures(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	seed := authd.DemoSeed()
	seed.Users = append(seed.Users, authd.SeedUser{Username: "carol", Password: "carol-demo", Tenant: "example"})
	stack := m.stack(host, seed)
	m.stack("tokyo.example.jp", authd.Seed{
		Tenants: []authd.SeedTenant{{Name: "東京", Slug: "tokyo"}},
		Users:   []authd.SeedUser{{Username: "山田太郎", Password: "山田太郎-demo"}},
	})
	m.login(host, "bob", "ci", "--lifetime", "1s")
	stack.RevokeRefreshTokens(bob)
	if out, err := m.command("refresh", "ci").CombinedOutput(); err == nil {
		t.Fatalf("a revoked refresh token still works: %s", out)
	}
	m.login(host, "carol", "old", "--lifetime", "2s", "--no-refresh")
	for _, id := range []string{"ci-runner", "phone-7c1e", "old/plugin"} {
		m.device(host, "alice", id)
	}
	m.login(host, "alice", "prod")
	m.login(host, "admin", "boss", "--lifetime", "1h")
	m.login("tokyo.example.jp", "山田太郎", "東京")
	if out, err := m.command("refresh-tokens", "label", "ci-runner", "CI", "--account", "prod").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}

	x := m.terminal(pictureWidth, pictureHeight)
	x.until("every account as it ends up", func(s string) bool {
		return strings.Contains(s, "revoked elsewhere") && strings.Contains(s, "sign-in needed") && strings.Count(s, "/100") >= 3
	})
	x.click("prod  ")
	x.see("alice", "of 100")
	x.picture("accounts", "lately")
	x.typeKeys("2")
	x.see("Permissions 60")
	x.picture("inspector")
	x.typeKeys("3")
	x.see("phone-7c1e", "known: CI", "can't be revoked")
	x.picture("refresh-tokens")
	x.typeKeys("A", "x")
	x.see("Revoke 2 refresh tokens of alice")
	x.picture("revoke")
	x.esc("the confirmation closed", func(s string) bool { return !strings.Contains(s, "Keep") })
	x.typeKeys("4")
	x.see("sessions, 1 ours", "prod, current")
	x.picture("sessions")
	x.typeKeys("!")
	x.see("Somebody else has a token of alice", "Refresh tokens that end", "S it was me")
	x.picture("respond")
	x.esc("the plan left", func(s string) bool { return !strings.Contains(s, "Somebody else has a token") })
	x.typeKeys("6", "/", "prod", "\r")
	x.see("signed in as alice")
	x.picture("activity")
	x.typeKeys("1")
	x.see("EXPIRES IN")
	x.typeKeys("?")
	x.see("Everywhere")
	x.picture("help")
	x.esc("the help closed", func(s string) bool { return !strings.Contains(s, "Everywhere") })
	x.typeKeys(":", "token")
	x.see("› token")
	x.picture("palette")
	x.esc("the palette closed", func(s string) bool { return !strings.Contains(s, "› token") })
	x.click("boss  ")
	x.typeKeys("5")
	x.see("users of Example", "carol")
	x.typeKeys("j")
	x.until("alice's row chosen", func(s string) bool { return strings.Contains(line(s, "▌"), "alice") })
	x.picture("users")
	x.typeKeys("\r")
	x.see("Refresh tokens 4", "phone-7c1e", "account prod of this machine")
	x.picture("user")
	x.esc("the user's card closed", func(s string) bool { return !strings.Contains(s, "Refresh tokens 4") })
	x.typeKeys("1")
	x.see("EXPIRES IN")
	x.typeKeys("n", host, "\t", "alice")
	x.see("Stay signed in", "alice")
	x.picture("sign-in")
	x.esc("the form left", func(s string) bool { return !strings.Contains(s, "Stay signed in") })
	x.typeKeys("q")
	x.quit()
}

// picture holds the picture called name against the screen, or draws it anew.
func (x *terminal) picture(name string, more ...string) {
	x.t.Helper()
	path := filepath.Join("docs", "screens", name+".svg")
	kept, err := os.ReadFile(path)
	if err != nil && !*update {
		x.t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(kept), "<desc>")
	text, _, _ = strings.Cut(text, "</desc>")
	want := lasting(html.UnescapeString(text))
	if *update {
		x.settle(more...)
		if lasting(x.screen()) == want {
			return // nothing to see: whoever wants it drawn anew removes it first
		}
		if err := os.WriteFile(path, x.draw(name), 0o644); err != nil {
			x.t.Fatal(err)
		}
		return
	}
	late := time.Now().Add(e2eTimeout / 2)
	x.until(name+" as in its picture", func(s string) bool {
		got := lasting(s)
		if got != want && (x.t.Failed() || time.Now().After(late)) {
			x.t.Errorf("%s is not what the program shows: run go generate and look at what changed\n%s", path, firstDifference(want, got))
			return true
		}
		return got == want
	})
}

// settle waits until all that has to be there is, and two looks at the screen are the same.
func (x *terminal) settle(texts ...string) {
	last := ""
	x.until("the screen settle", func(s string) bool {
		for _, text := range texts {
			if !strings.Contains(s, text) {
				return false
			}
		}
		same := lasting(s) == last
		last = lasting(s)
		return same
	})
}

// What differs from one run to the next: times, ages, and what is made up on the spot.
var passing = []struct {
	pattern *regexp.Regexp
	instead string
}{
	{regexp.MustCompile(`wakey-[a-z0-9-]+-[0-9a-f]{8}`), "CLIENT"},
	{regexp.MustCompile(`\b[0-9a-f]{4,12}(-[0-9a-f]{4,12})+(-|\b)|[0-9a-f-]+…[0-9a-f-]+|…[0-9a-f]{8}`), "ID"},
	{regexp.MustCompile(`just now|(\d+ (second|minute)s?|yesterday) ago`), "AGE"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d[ T]|(Mon|Tue|Wed|Thu|Fri|Sat|Sun) `), ""},
	{regexp.MustCompile(`\d+h\d+m\d+s|(\d+ h )?\d+ min|\d+:\d\d(:\d\d)?(\.\d+)?`), "TIME"},
	{regexp.MustCompile(`(6 Activity) \d+|( of) \d+`), "$1$2"}, // the watch tells more or less of the revoked one
	{regexp.MustCompile(`[━─╸┃▼]+`), "─"},
	{regexp.MustCompile(`[ \t]+`), " "},
}

// inFront is the dialog on a screen, and its help line, when there is one: what lies behind is cut.
func inFront(screen string) string {
	lines := strings.Split(strings.TrimRight(screen, "\n"), "\n")
	for top, l := range lines {
		before, rest, ok := strings.Cut(l, "╭─ ")
		box, _, closed := strings.Cut(rest, "╮")
		if !ok || !closed {
			continue
		}
		left := ansi.StringWidth(before)
		right := left + ansi.StringWidth("╭─ "+box+"╮")
		var out []string
		for _, l := range lines[top:] {
			l = ansi.Cut(l, left, right)
			out = append(out, l)
			if strings.HasPrefix(l, "╰") {
				break
			}
		}
		return strings.Join(append(out, lines[len(lines)-1]), "\n")
	}
	return screen
}

// lasting is what a screen shows every time.
func lasting(screen string) string {
	screen = inFront(screen)
	for _, p := range passing {
		screen = p.pattern.ReplaceAllString(screen, p.instead)
	}
	var lines []string
	for l := range strings.Lines(screen) {
		if l = strings.TrimSpace(l); l != "" { // how many are empty hangs on how many lines a list has
			lines = append(lines, l)
		}
	}
	return strings.Join(lines, "\n")
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(w), len(g)) {
		a, b := "", ""
		if i < len(w) {
			a = w[i]
		}
		if i < len(g) {
			b = g[i]
		}
		if a != b {
			return fmt.Sprintf("line %d\n- %s\n+ %s", i+1, a, b)
		}
	}
	return ""
}

const (
	cellWidth  = 8.4
	cellHeight = 18
)

// What the terminal's own colours are drawn as.
var (
	ink   = color.RGBA{0xd6, 0xd6, 0xdd, 0xff}
	paper = color.RGBA{0x16, 0x16, 0x1a, 0xff}
)

// draw makes an SVG of the screen, run by run of cells that look alike, with its text as the
// description for whoever can't see it.
func (x *terminal) draw(name string) []byte {
	var b strings.Builder
	w, h := float64(pictureWidth)*cellWidth+32, pictureHeight*cellHeight+32
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%d" viewBox="0 0 %.0f %d" role="img" font-family="ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace" font-size="14">`+"\n", w, h, w, h)
	fmt.Fprintf(&b, "<title>wakey: %s</title>\n<desc>%s</desc>\n", strings.ReplaceAll(name, "-", " "), html.EscapeString(trimLines(x.screen())))
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" rx="8" fill="%s"/><g transform="translate(16,16)" fill="%s">`+"\n", hex(paper), hex(ink))
	for y, line := range strings.Split(x.em.Render(), "\n") {
		drawLine(&b, line, y)
	}
	b.WriteString("</g></svg>\n")
	return []byte(b.String())
}

func trimLines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " \r")
	}
	return strings.Join(lines, "\n")
}

// look is how a run of cells looks.
type look struct {
	fg, bg                    color.Color
	bold, faint, reverse, und bool
}

// drawLine draws a line as the emulator renders it: text with style sequences between.
func drawLine(b *strings.Builder, line string, y int) {
	var l look
	x := 0
	for line != "" {
		end := strings.IndexByte(line, '\x1b')
		if end < 0 {
			end = len(line)
		}
		if text := strings.TrimRight(line[:end], "\r"); text != "" {
			l.draw(b, text, x, y)
			x += ansi.StringWidth(text)
		}
		if line = line[end:]; line == "" {
			break
		}
		m := strings.IndexByte(line, 'm')
		if m < 0 {
			break
		}
		l.set(strings.Split(strings.TrimPrefix(line[:m], "\x1b["), ";"))
		line = line[m+1:]
	}
}

// set takes a style sequence over, of those that the program uses.
func (l *look) set(codes []string) {
	for i := 0; i < len(codes); i++ {
		switch codes[i] {
		case "", "0":
			*l = look{}
		case "1":
			l.bold = true
		case "2":
			l.faint = true
		case "4":
			l.und = true
		case "7":
			l.reverse = true
		case "22":
			l.bold, l.faint = false, false
		case "24":
			l.und = false
		case "27":
			l.reverse = false
		case "39":
			l.fg = nil
		case "49":
			l.bg = nil
		case "38", "48":
			if i+4 >= len(codes) || codes[i+1] != "2" {
				return
			}
			var rgb [3]uint8
			for j := range rgb {
				_, _ = fmt.Sscan(codes[i+2+j], &rgb[j])
			}
			c := color.RGBA{rgb[0], rgb[1], rgb[2], 0xff}
			if codes[i] == "38" {
				l.fg = c
			} else {
				l.bg = c
			}
			i += 4
		}
	}
}

func (l *look) draw(b *strings.Builder, text string, x, y int) {
	left, top, w := float64(x)*cellWidth, y*cellHeight, float64(ansi.StringWidth(text))*cellWidth
	fg, bg := l.fg, l.bg
	if l.reverse {
		fg, bg = bg, fg
		if bg == nil {
			bg = ink
		}
		if fg == nil {
			fg = paper
		}
	}
	if bg != nil {
		fmt.Fprintf(b, `<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s"/>`+"\n", left, top, w, cellHeight, hex(bg))
	}
	blank := len(text) - len(strings.TrimLeft(text, " "))
	if text = strings.TrimSpace(text); text == "" {
		return
	}
	left += float64(blank) * cellWidth
	more := ""
	if fg != nil {
		more += fmt.Sprintf(` fill="%s"`, hex(fg))
	}
	if l.bold {
		more += ` font-weight="bold"`
	}
	if l.faint {
		more += ` opacity="0.6"`
	}
	if l.und {
		more += ` text-decoration="underline"`
	}
	fmt.Fprintf(b, `<text x="%.1f" y="%d" textLength="%.1f" xml:space="preserve"%s>%s</text>`+"\n",
		left, top+14, float64(ansi.StringWidth(text))*cellWidth, more, html.EscapeString(text))
}

func hex(c color.Color) string {
	r, g, b, _ := c.RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
}

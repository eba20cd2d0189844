//go:build linux

package security_test

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
)

// sequences gives each kind of control in what was written to a terminal: "CSI ?25h", "OSC 2", "ESC c", "U+0007".
func sequences(written string) map[string]int {
	kinds := map[string]int{}
	var state byte
	p := ansi.NewParser()
	for len(written) > 0 {
		seq, _, n, next := ansi.DecodeSequence(written, state, p)
		state = next
		switch {
		case n == 0:
			return kinds
		case ansi.HasCsiPrefix(seq):
			kind := seq[2:]
			if !strings.HasSuffix(seq, "h") && !strings.HasSuffix(seq, "l") { // numbers matter in modes alone
				kind = strings.Map(func(r rune) rune {
					if r >= '0' && r <= '9' || r == ';' || r == ':' {
						return -1
					}
					return r
				}, kind)
			}
			kinds["CSI "+kind]++
		case ansi.HasOscPrefix(seq):
			number, text, _ := strings.Cut(strings.TrimRight(seq[2:], "\a\x1b\\"), ";")
			kinds["OSC "+number+harmful(text)]++
		case seq[0] == 0x1b:
			kinds["ESC "+seq[1:]]++
		case len(seq) == 1 && (seq[0] < ' ' || seq[0] == 0x7f):
			kinds[fmt.Sprintf("%U", seq[0])]++
		default:
			if bad := harmful(seq); bad != "" {
				kinds[bad]++
			}
		}
		written = written[n:]
	}
	return kinds
}

// drawing are the kinds of control that move the cursor, erase, insert or colour: which of them are used, depends on what is drawn.
var drawing = []string{
	"CSI A", "CSI B", "CSI C", "CSI D", "CSI G", "CSI H", "CSI J", "CSI K", "CSI L", "CSI M", "CSI P", "CSI S", "CSI T", "CSI X",
	"CSI Z", "CSI I", "CSI @", "CSI `", "CSI b", "CSI d", "CSI m", "CSI r", "ESC M", "U+0008", "U+0009", "U+000A", "U+000D",
	"CSI ?7h", "CSI ?7l", // wrapping, around what reaches the last column
	"OSC 9", // a notification, of which the text is one
}

// intact fails when the screen is not one that wakey draws. What is broken may be half of a frame of which the rest is on its way.
func (x *terminal) intact(what string) {
	x.t.Helper()
	broken := x.broken()
	for late := time.Now().Add(wholeFrame); broken != "" && x.alive() && time.Now().Before(late); broken = x.broken() {
		x.rest()
	}
	if broken != "" && x.alive() {
		x.t.Errorf("%s, %s: the screen is broken: %s\n%s", x.step, what, broken, x.screen())
	}
}

// wholeFrame is how long the rest of a frame may take.
const wholeFrame = 20 * time.Second

// broken says what is wrong with the screen: its frame has to be in place, each line of it as long as it should be.
func (x *terminal) broken() (bad string) {
	screen := x.screen()
	lines := strings.Split(screen, "\n")
	switch {
	case !x.em.IsAltScreen():
		bad = "it is not on the alternate screen"
	case len(lines) != x.rows:
		bad = fmt.Sprintf("it has %d lines", len(lines))
	case !strings.HasPrefix(lines[0], " wakey"):
		bad = "there is no header"
	case strings.Contains(screen, mark+"\x00"):
		bad = "it holds a control character"
	}
	// The border of a dialog is straight: a text that is wider or narrower than it was thought to be pushes it out of line. A dialog
	// that lies on another one hides some of that.
	var boxes [][2]int // the open ones, left and right border; the last lies on top
	pane := -1         // where the pane beside a list begins
	for _, line := range lines {
		cells := cellsOf(line)
		top := [2]int{slices.Index(cells, "╭"), lastIndex(cells, "╮")}
		if top[0] >= 0 && top[1] >= 0 {
			boxes = append(boxes, top)
			continue
		}
		if len(boxes) == 0 {
			if i := slices.Index(cells, "│"); i >= 0 && !strings.Contains(screen, "╭") {
				if pane >= 0 && i != pane {
					bad = fmt.Sprintf("the pane begins at %d and at %d: %s", pane, i, line)
				}
				pane = i
			}
			continue
		}
		box := boxes[len(boxes)-1]
		left, right := "│", "│"
		if slices.Contains(cells, "╰") || slices.Contains(cells, "╯") {
			left, right = "╰", "╯"
			boxes = boxes[:len(boxes)-1]
		}
		if len(cells) <= box[1] || cells[box[0]] != left || cells[box[1]] != right {
			bad = fmt.Sprintf("a border is broken at %v: %s", box, line)
		}
	}
	return bad
}

// cellsOf gives what is in each cell of a line; the second half of something wide is empty.
func cellsOf(line string) (cells []string) {
	for len(line) > 0 {
		c, w := ansi.FirstGraphemeCluster(line, ansi.GraphemeWidth)
		cells = append(cells, c)
		for range w - 1 {
			cells = append(cells, "")
		}
		line = line[len(c):]
	}
	return cells
}

func lastIndex(cells []string, what string) int {
	for i, c := range slices.Backward(cells) {
		if c == what {
			return i
		}
	}
	return -1
}

// honestly gives the kinds of control that the program uses on an honest stack.
func honestly(t *testing.T) map[string]int {
	t.Helper()
	w := newWorld(t, newStack(t))
	w.quickStore()
	w.login("alice", alicePassword, "prod")
	x := w.sit("honest", 120, 40, command{})
	x.sees("active", "kept by")
	x.types("2")
	x.sees("access token")
	x.types("v", "1", "y")
	x.sees("sent")
	x.types("n")
	x.sees("Sign in to a Wazo stack")
	x.types("x")
	x.rest()
	x.types(keyEsc)
	x.leave()
	return sequences(x.raw())
}

// No text of a stack reaches a terminal as anything but text, in any view, on any key: the screen stays as it is drawn, nothing is
// executed, nothing gets into the clipboard or the title. The second stack was hostile from the start, identifiers and all, and is gone
// then: on the screen is what was kept of it.
func TestHostileStackOnScreens(t *testing.T) {
	t.Parallel()
	honest := honestly(t)
	for _, gone := range []bool{false, true} {
		t.Run(fmt.Sprintf("gone %v", gone), func(t *testing.T) {
			t.Parallel()
			w := hostileWorld(t, 100, gone)
			keys := keysOfViews()
			if gone {
				w.run(command{args: []string{"refresh", "prod"}, code: -1})
				w.stack.set(func(out http.ResponseWriter, _ *http.Request, _ http.Handler) { out.WriteHeader(http.StatusBadGateway) })
				keys = fewKeys
			}
			x := w.sit("screen, hostile", 120, 40, command{})
			x.sees("prod", "root", "kept by")
			x.walk(keys, x.intact)
			x.leave()
			x.unharmed(honest)
			for _, dir := range []string{w.home, w.path("work"), "."} {
				if _, err := os.Stat(dir + "/" + mark); err == nil {
					t.Errorf("executed: %s/%s is there", dir, mark)
				}
			}
		})
	}
}

// unharmed fails when the terminal got anything that an honest stack does not lead to.
func (x *terminal) unharmed(honest map[string]int) {
	x.t.Helper()
	for kind, n := range sequences(x.raw()) {
		if honest[kind] == 0 && !slices.Contains(drawing, kind) {
			x.t.Errorf("the terminal gets %s, %d times", kind, n)
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, text := range append(slices.Clone(x.clips), x.titles...) {
		if strings.Contains(text, mark) || harmful(text) != "" {
			x.t.Errorf("clipboard or title: %q", text)
		}
	}
	if x.bells > 0 {
		x.t.Errorf("%d bells", x.bells)
	}
}

// A list of 50,000 items with a name of a megabyte is shown, gone through and filtered like any other.
func TestEndlessListsOnScreens(t *testing.T) {
	t.Parallel()
	size := 50000
	if testing.Short() {
		size = 5000
	}
	honest := honestly(t)
	w := hostileWorld(t, size, false)
	x := w.sit("screen, endless", 120, 40, command{})
	x.sees("prod", "root", "kept by")
	for _, view := range []string{"3", "4", "5"} {
		if view == "5" {
			x.types("1", "G") // the administrator, who may list the users
			x.rest()
		}
		x.types(view)
		x.sees(fmt.Sprintf("%d,000", size/1000))
		for _, keys := range [][]string{{"G"}, {"g"}, {"\x1b[6~"}, {"o"}, {"A"}, {"x"}, {keyEsc}, {"/", "4", "2", keyEnter}, {"G"}, {keyEsc}} {
			x.types(keys...)
			x.rest()
			x.intact(fmt.Sprintf("view %s, keys %q", view, keys))
		}
	}
	x.leave()
	x.unharmed(honest)
}

package ui

import (
	"bytes"
	"flag"
	"fmt"
	"html"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/vt"
)

// screens are the pictures of the documentation: the scenes they show, in docs/screens.
// Make them anew with: go test ./ui -run Screens -update.
var screens = map[string]struct {
	scene string
	keys  []string
	w, h  int
}{
	"accounts": {scene: "accounts", keys: []string{"G", "k"}, w: 112, h: 26},
	"sign-in":  {scene: "sign in", w: 84, h: 24},
	"help":     {scene: "help", w: 112, h: 26},
}

// TestScreens holds the documentation's pictures against the program.
func TestScreens(t *testing.T) {
	for name, s := range screens {
		t.Run(name, func(t *testing.T) {
			a := newTestApp(t, s.w, s.h, testAccounts(noon))
			scenes()[s.scene](a)
			press(a, s.keys...)
			a.Update(tea.WindowSizeMsg{Width: s.w, Height: s.h})
			got := picture(a.View().Content, s.w, s.h)
			path := filepath.Join("..", "docs", "screens", name+".svg")
			if flag.Lookup("update").Value.String() == "true" {
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			kept, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(kept, got) {
				t.Errorf("%s is not what the program shows: go test ./ui -run Screens -update", path)
			}
		})
	}
}

const (
	cellWidth  = 8.4
	cellHeight = 18
	pictureInk = "#d6d6dd"
	picturePad = "#16161a"
)

// picture draws a frame as SVG, run by run of cells that look alike.
func picture(frame string, w, h int) []byte {
	em := vt.NewEmulator(w, h)
	_, _ = em.WriteString(strings.ReplaceAll(frame, "\n", "\r\n"))
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%d" font-family="ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace" font-size="14">`+"\n",
		float64(w)*cellWidth+32, h*cellHeight+32)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" rx="8" fill="%s"/><g transform="translate(16,16)" fill="%s">`+"\n", picturePad, pictureInk)
	for y := range h {
		for x := 0; x < w; {
			cell := em.CellAt(x, y)
			look, from := cell.Style, x
			var run strings.Builder
			for x < w && em.CellAt(x, y).Style.Equal(&look) {
				c := em.CellAt(x, y)
				run.WriteString(c.Content)
				x += max(c.Width, 1)
			}
			text := run.String()
			width := float64(x-from) * cellWidth
			left, top := float64(from)*cellWidth, y*cellHeight
			fg, bg := look.Fg, look.Bg
			if look.Attrs&attrReverse != 0 {
				fg, bg = bg, fg
				if bg == nil {
					bg = color.RGBA{0xd6, 0xd6, 0xdd, 0xff}
				}
				if fg == nil {
					fg = color.RGBA{0x16, 0x16, 0x1a, 0xff}
				}
			}
			if bg != nil {
				fmt.Fprintf(&b, `<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s"/>`+"\n", left, top, width, cellHeight, hex(bg))
			}
			if strings.TrimSpace(text) == "" {
				continue
			}
			more := ""
			if fg != nil {
				more += fmt.Sprintf(` fill="%s"`, hex(fg))
			}
			if look.Attrs&attrBold != 0 {
				more += ` font-weight="bold"`
			}
			if look.Attrs&attrFaint != 0 {
				more += ` opacity="0.6"`
			}
			fmt.Fprintf(&b, `<text x="%.1f" y="%d" textLength="%.1f" xml:space="preserve"%s>%s</text>`+"\n",
				left, top+14, width, more, html.EscapeString(text))
		}
	}
	b.WriteString("</g></svg>\n")
	return b.Bytes()
}

// The emulator's attribute bits that a picture shows.
const (
	attrBold    = 1 << 0
	attrFaint   = 1 << 1
	attrReverse = 1 << 5
)

func hex(c color.Color) string {
	r, g, b, _ := c.RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
}

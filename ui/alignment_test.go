package ui

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"wakey/session"
)

// Names of every width, and such as terminals disagree about: joined emoji, flags, keycaps, emoji that
// are text without their selector, combining marks, half-width and full-width forms, no width at all.
var wideNames = []string{
	"plain", "東京タワー", "ｶﾀｶﾅ", "ＦＵＬＬ", "한국어", "e\u0301te\u0301", "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A", "👩‍👩‍👧‍👦 family", "👍🏽", "🇫🇷🇯🇵", "❤️", "❤", "1️⃣", "🧑‍💻",
	"a\u200bb", "a\u00adb", "नमस्ते", "ไทย", "עברית", "العربية", "😀", "☕", "™", "ﷺ", "\u0301", "",
}

// TestColumnsStandInLine: whatever is in a name, what stands behind it begins in the same cell of every
// row, for terminals that count characters and for those that count what a person sees as one.
func TestColumnsStandInLine(t *testing.T) {
	for _, w := range []int{80, 120, 160} {
		var accounts []session.Account
		for i, name := range wideNames {
			a := testAccounts(noon)[3]
			a.ID = session.ID(rune('a' + i))
			a.Name, a.Login = name, name
			accounts = append(accounts, a)
		}
		a := newTestApp(t, w, 60, accounts)
		rows := 0
		for _, counts := range []func(string) int{ansi.StringWidth, ansi.StringWidthWc} {
			want := 0
			for line := range strings.SplitSeq(plainFrame(a), "\n") {
				before, _, found := strings.Cut(line, "active ")
				if !found || !strings.Contains(line, "1:12:08") && !strings.Contains(line, "1 h 12 min") {
					continue
				}
				rows++
				if want == 0 {
					want = counts(before)
				}
				if got := counts(before); got != want {
					t.Errorf("at %d: the state begins in cell %d, not %d:\n%s", w, got, want, line)
				}
			}
		}
		if rows != 2*len(wideNames) {
			t.Errorf("at %d: %d rows", w, rows)
		}
	}
}

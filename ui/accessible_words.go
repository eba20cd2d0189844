package ui

import (
	"math"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"wakey/session"
)

// longSpan writes a length of time to be heard: "1 hour 12 minutes".
func longSpan(d time.Duration) string {
	s := int(math.Ceil(d.Seconds()))
	two := func(n int, one string, m int, other string) string {
		if m == 0 {
			return plural(n, one)
		}
		return plural(n, one) + " " + plural(m, other)
	}
	switch {
	case s <= 0:
		return "no time"
	case s < 60:
		return plural(s, "second")
	case s < 600:
		return two(s/60, "minute", s%60, "second")
	case s < 3600:
		return plural(s/60, "minute")
	case s < 48*3600:
		return two(s/3600, "hour", s/60%60, "minute")
	}
	return two(s/86400, "day", s/3600%24, "hour")
}

// countdown says how long it is until t: in digits that change in place, or in words to be heard.
func (f *frame) countdown(t time.Time) string {
	if f.spoken {
		return longSpan(t.Sub(f.now))
	}
	return countdown(t.Sub(f.now))
}

// spokenNext is a sentence of what to do next, as advice gives it.
func spokenNext(next string) string {
	next = strings.TrimPrefix(next, "→ ")
	if next == "" {
		return ""
	}
	return sentence(upper(next))
}

// sayError puts an error, or a reason, into sentences.
func sayError(text string) string {
	what, next := advice(text)
	return strings.TrimSpace(sentence(what) + " " + spokenNext(next))
}

// toastSentence says with a word what the screen says with a colour.
func toastSentence(kind toastKind, text string) string {
	switch kind {
	case toastBad:
		return "Error: " + sayError(text)
	case toastWarn:
		return sentence("Warning: " + text)
	case toastGood, toastInfo:
	}
	return sentence(text)
}

// sentence ends a text, unless it has an end.
func sentence(text string) string {
	if strings.HasSuffix(text, ".") || strings.HasSuffix(text, "?") || strings.HasSuffix(text, "!") {
		return text
	}
	return text + "."
}

// sayAccount is an account in the list.
func sayAccount(a session.Account, now time.Time) string {
	s := a.Name + ", " + a.Login + " at " + hostOf(a) + ": " + string(a.State)
	switch {
	case a.ExpiresAt.IsZero():
	case !a.ExpiresAt.After(now):
		s += ", its access token is over"
	default:
		s += ", expires in " + longSpan(a.ExpiresAt.Sub(now))
	}
	return s
}

// shapes are what the screen draws beside words that say the same.
const shapes = "▌✓‼×─━●◐▲△○◆◇┃╸│→↓↑+?✖›"

// plainWords is a line of the screen as it is read out: without colours and shapes, and with a colon
// after what stands before a gap.
func plainWords(line string) string {
	var parts []string
	for part := range strings.SplitSeq(ansi.Strip(line), "  ") {
		var words []string
		for w := range strings.FieldsSeq(part) {
			switch {
			case w == "·":
				w = ","
			case strings.Trim(w, shapes) == "":
				continue
			}
			words = append(words, w)
		}
		if len(words) > 0 {
			parts = append(parts, strings.ReplaceAll(strings.Join(words, " "), " ,", ","))
		}
	}
	if len(parts) < 2 {
		return strings.Join(parts, "")
	}
	return strings.TrimSuffix(parts[0], ":") + ": " + strings.Join(parts[1:], ", ")
}

// plainLines are those lines that say something.
func plainLines(lines []string) []string {
	var out []string
	for _, l := range lines {
		if p := plainWords(l); p != "" {
			out = append(out, p)
		}
	}
	return out
}

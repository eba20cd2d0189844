package ui

import "testing"

// BenchmarkRemoteKey is what a key costs in a list of 10,000 of a stack's things: Update and View.
func BenchmarkRemoteKey(b *testing.B) {
	lists := map[string]func(*app){
		"tokens":   func(a *app) { showTokens(a, true, manyTokens(10_000)) },
		"sessions": func(a *app) { showSessions(a, true, manySessions(10_000)) },
		"confirmation": func(a *app) {
			markAndAsk(a, showTokens(a, true, manyTokens(10_000)), "a").word = ""
		},
	}
	for name, show := range lists {
		for what, keys := range map[string][]string{
			"down": {"down"}, "page": {"pgdown"}, "sort": {"o"}, "mark all": {"a"}, "filter": {"7", "backspace"},
		} {
			if name == "confirmation" && what != "down" {
				continue
			}
			b.Run(name+" "+what, func(b *testing.B) {
				a := newTestApp(b, 120, 40, nil)
				show(a)
				if what == "filter" {
					press(a, "/")
				}
				b.ResetTimer()
				for i := range b.N {
					press(a, keys[i%len(keys)])
					_ = a.View()
				}
			})
		}
	}
	b.Run("tokens listed", func(b *testing.B) {
		a := newTestApp(b, 120, 40, nil)
		v := showTokens(a, true, manyTokens(10_000))
		for b.Loop() {
			v.rejudge()
			_ = a.View()
		}
	})
}

package ui

import (
	"context"

	tea "charm.land/bubbletea/v2"
)

// Aside is what else goes on, shown below every view: the demo's thief.
type Aside struct {
	Title string
	Lines []AsideLine // the newest last
}

// AsideLine is one line of it.
type AsideLine struct {
	Text string
	Bad  bool // it should not have worked
	Good bool // it was refused, as it should be
}

// asideMsg is the latest state of it.
type asideMsg Aside

// asideLines is how many lines of it there is room for, its title included.
const asideLines = 6

// watchAside waits for news of it.
func watchAside(ctx context.Context, news <-chan Aside) tea.Cmd {
	if news == nil {
		return nil
	}
	return func() tea.Msg {
		select {
		case a := <-news:
			return asideMsg(a)
		case <-ctx.Done():
			return nil
		}
	}
}

// asideHeight is how many lines of the body it takes.
func (f *frame) asideHeight() int {
	if f.aside.Title == "" || areasOf(f.h).bodyH < asideLines+8 {
		return 0
	}
	return asideLines
}

// asideView draws it.
func (f *frame) asideView() []string {
	n := f.asideHeight()
	if n == 0 {
		return nil
	}
	s := f.st
	lines := []string{s.on(s.strong, true).Render(fit(" "+clean(f.aside.Title), f.w))}
	var news []string
	for _, l := range f.aside.Lines {
		shape, st := s.muted.Render("·"), s.text
		switch {
		case l.Bad:
			shape, st = s.bad.Render(shapeAlarm), s.bad
		case l.Good:
			shape, st = s.good.Render("✓"), s.good
		}
		for i, part := range wrap(clean(l.Text), max(1, f.w-4)) {
			if i > 0 {
				shape = " "
			}
			news = append(news, cut(" "+shape+" "+st.Render(part), f.w))
		}
	}
	lines = append(lines, news[max(0, len(news)-n+1):]...)
	for len(lines) < n {
		lines = append(lines, "")
	}
	return lines
}

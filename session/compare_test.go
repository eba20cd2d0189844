package session

import (
	"strconv"
	"testing"
	"time"

	"wakey/api"
)

// What may have opened sessions is judged by sort: mobile clients open mobile sessions.
func TestExplain(t *testing.T) {
	sessions := func(plain, mobile int) (all []api.Session) {
		for i := range plain + mobile {
			all = append(all, api.Session{UUID: strconv.Itoa(i), Mobile: i >= plain})
		}
		return all
	}
	phone, ci, odd := api.RefreshToken{ClientID: "phone", Mobile: true}, api.RefreshToken{ClientID: "ci"}, api.RefreshToken{ClientID: "odd"}
	labels := map[string]string{"phone": "my phone", "ci": "CI"}
	cases := []struct {
		name          string
		plain, mobile int
		leaks         int
		tokens        []api.RefreshToken
		want          Level
	}{
		{"nobody else", 1, 0, 0, nil, Alarm},
		{"the phone's own", 0, 4, 0, []api.RefreshToken{phone}, Info},
		{"not the phone's", 1, 0, 0, []api.RefreshToken{phone}, Alarm},
		{"too many for the phone", 0, 5, 0, []api.RefreshToken{phone}, Alarm},
		{"CI's own", 3, 0, 0, []api.RefreshToken{ci, phone}, Info},
		{"mobile, and only CI", 0, 1, 0, []api.RefreshToken{ci}, Alarm},
		{"a client without a label", 2, 0, 0, []api.RefreshToken{odd}, Warn},
		{"too many for it", 5, 0, 0, []api.RefreshToken{odd}, Alarm},
		{"both sorts, one unexplained", 1, 1, 0, []api.RefreshToken{phone, ci}, Info},
		{"cut off here", 2, 0, 2, nil, Info},
		{"one more than cut off", 3, 0, 2, nil, Alarm},
		{"ours does not explain", 1, 0, 0, []api.RefreshToken{{ClientID: "wakey-here-00000001"}}, Alarm},
	}
	o := ours{clients: map[string]bool{"wakey-here-00000001": true}}
	for _, c := range cases {
		all := sessions(c.plain, c.mobile)
		got, why := explain(all, all, c.leaks, look{tokens: c.tokens}, o, labels)
		if got != c.want || why == "" {
			t.Errorf("%s: %s (%s), want %s", c.name, got, why, c.want)
		}
	}
}

// A user with more refresh tokens than anybody wants to read about one by one.
func TestManyUnknownClients(t *testing.T) {
	l := look{at: time.Unix(1e9, 0)}
	w, _ := watched{}.after(l, ours{}, nil)
	for i := range 5000 {
		l.tokens = append(l.tokens, api.RefreshToken{ClientID: strconv.Itoa(i), CreatedAt: time.Unix(int64(i), 0)})
	}
	w, news := w.after(l, ours{}, nil)
	if len(news) != maxClientFindings+1 || news[0].Subject != "4999" || news[maxClientFindings].Text != "and 4900 more unknown client_ids" {
		t.Errorf("%d findings, %+v", len(news), news[len(news)-1])
	}
	if _, news = w.after(l, ours{}, nil); len(news) != 0 {
		t.Errorf("%d told again", len(news))
	}
}

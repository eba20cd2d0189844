package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"text/template"
)

func TestSecretNeverShows(t *testing.T) {
	type inner struct {
		Shown  Secret
		hidden Secret
		more   []Secret
		byName map[string]Secret
		any    any
		ptr    *Secret
	}
	for _, value := range []string{aToken, "geheim99", strings.Repeat("geheim99", 6), `ge"heim99`} {
		s := NewSecret(value)
		in := inner{s, s, []Secret{s}, map[string]Secret{"k": s}, s, &s}
		values := map[string]any{
			"secret": s, "pointer": &s, "struct": in, "pointer to struct": &in, "slice": []inner{in}, "map": map[string]any{"in": in, "s": s},
			"token": Token{Value: s, RefreshToken: s}, "request": PasswordRequest{Login: "bob", Password: s}, "refresh": &RefreshRequest{RefreshToken: s},
			"new user": NewUser{Password: s}, "request of a client": request{token: s, pass: s, hidden: []Secret{s}},
		}
		var out bytes.Buffer
		logs := []*slog.Logger{
			slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})),
			slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})),
		}
		for name, v := range values {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%c", "%U", "%t", "%e", "%T %[1]v", "%50v", "%-.3s"} {
				fmt.Fprintf(&out, name+" "+verb+"\n", v)
			}
			_, _ = fmt.Fprintln(&out, v)
			for _, l := range logs {
				l.With("with", v).Info("message", "attr", v, slog.Group("group", slog.Any("in", v)))
			}
			if encoded, err := json.Marshal(v); err == nil {
				out.Write(encoded)
			}
			_ = template.Must(template.New("").Parse("{{.}} {{printf \"%v\" .}}")).Execute(&out, v)
			fmt.Fprintln(&out, fmt.Errorf("wrapped: %v: %w", v, errors.New("x")))
		}
		text, err := s.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		out.Write(text)
		for _, form := range []string{value, fmt.Sprintf("%x", value), fmt.Sprintf("%X", value), value[:min(len(value), 27)]} {
			if strings.Contains(out.String(), form) {
				t.Errorf("%q shows", form)
			}
		}
		if value == aToken && !strings.Contains(out.String(), "…6789abcd") {
			t.Error("the masked form is missing")
		}
		if value != aToken && strings.Contains(out.String(), value[len(value)-8:]) {
			t.Errorf("the end of %q shows", value)
		}
	}
}

func TestSecret(t *testing.T) {
	s := NewSecret(aToken)
	if s.Reveal() != aToken || s.IsZero() || s.Suffix() != "6789abcd" || s.String() != "…6789abcd" {
		t.Errorf("%q", s.Reveal())
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if got := fmt.Sprintf(verb, s); got != "…6789abcd" {
			t.Errorf("%s: %q", verb, got)
		}
	}
	if !s.Equal(NewSecret(aToken)) || s.Equal(NewSecret(aRefresh)) || s.Equal(Secret{}) || !(Secret{}).Equal(NewSecret("")) {
		t.Error("Equal")
	}
	var none Secret
	if none.Reveal() != "" || !none.IsZero() || none.Suffix() != "" || none.String() != "" {
		t.Error("the zero Secret is not empty")
	}
	if got, err := json.Marshal(map[string]Secret{"t": s}); err != nil || string(got) != `{"t":"…6789abcd"}` {
		t.Errorf("%s, %v", got, err)
	}
	for _, v := range []string{"short", strings.Repeat("x", 36), aToken + "0", "01234567-89ab-4cde-8f01-23456789abcg"} {
		if got := NewSecret(v).Suffix(); got != "" {
			t.Errorf("the end of %q shows: %q", v, got)
		}
	}
}

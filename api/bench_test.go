package api

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"time"
)

// canned answers at once with the same bytes: what is measured is the client alone.
type canned struct {
	status int
	header http.Header
	body   []byte
}

func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
		_ = r.Body.Close()
	}
	return &http.Response{
		StatusCode: c.status, Header: c.header, Body: io.NopCloser(bytes.NewReader(c.body)), ContentLength: int64(len(c.body)), Request: r, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}, nil
}

func cannedClient(b *testing.B, name string) *Client {
	b.Helper()
	rec := load(b, name)
	h := http.Header{}
	for name, value := range rec.Response.Headers {
		h.Set(name, value)
	}
	c, err := NewClient("pbx.example", Options{Transport: canned{rec.Response.Status, h, rec.body(b)}})
	if err != nil {
		b.Fatal(err)
	}
	return c
}

// BenchmarkRefresh is the client's share of one refresh: an answer as recorded, 60 ACL entries, no network.
func BenchmarkRefresh(b *testing.B) {
	c := cannedClient(b, "refresh_ok")
	request := RefreshRequest{RefreshToken: NewSecret(aRefresh), ClientID: "wakey-host-0a1b2c3d"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Refresh(b.Context(), request); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkListOfThree(b *testing.B) {
	c := cannedClient(b, "tokens_admin")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.AllRefreshTokens(b.Context(), token, ListOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRefusal(b *testing.B) {
	c := cannedClient(b, "me_tokens_acl_missing")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.MyRefreshTokens(b.Context(), token, ListOptions{}); err == nil {
			b.Fatal("no error")
		}
	}
}

// BenchmarkAllows asks one question of a user's whole ACL, as the inspector does at every key.
func BenchmarkAllows(b *testing.B) {
	rec := load(b, "token_get")
	c := cannedClient(b, "token_get")
	t, err := c.GetToken(b.Context(), rec.pathToken())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		Allows(t.ACL, "auth.users.me.tokens.wakey-host-0a1b2c3d.delete", t.AuthID, t.SessionUUID)
	}
}

// BenchmarkCodec is what of BenchmarkRefresh is JSON.
func BenchmarkCodec(b *testing.B) {
	body := load(b, "refresh_ok").body(b)
	now := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		var answer struct {
			Data *wireToken `json:"data"`
		}
		if err := readJSON(nil, &bodyReader{r: bytes.NewReader(body), left: objectLimit}, nil, &answer); err != nil {
			b.Fatal(err)
		}
		if _, err := tokenOf(answer.Data, http.Header{}, now); err != nil {
			b.Fatal(err)
		}
	}
}

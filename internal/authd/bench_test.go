package authd

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"
)

// BenchmarkRefresh measures refreshes without a network; client and server share
// the core. Now and then it ends the sessions, to stay under the ceiling.
func BenchmarkRefresh(b *testing.B) {
	s, err := New(Config{TokenLifetime: time.Hour}, DemoSeed())
	if err != nil {
		b.Fatal(err)
	}
	h := Transport(s)
	send := func(method, path, auth, body string) *http.Response {
		req, err := http.NewRequest(method, "http://stack.example/api/auth/0.1"+path, strings.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		if auth != "" {
			req.SetBasicAuth(auth, auth+"-demo")
		}
		res, err := h.RoundTrip(req)
		if err != nil || res.StatusCode != http.StatusOK {
			b.Fatal(res, err)
		}
		return res
	}
	read := func(res *http.Response, key string) string {
		var buf bytes.Buffer
		if _, err := buf.ReadFrom(res.Body); err != nil {
			b.Fatal(err)
		}
		_, rest, _ := strings.Cut(buf.String(), `"`+key+`":"`)
		return rest[:36]
	}
	rt := read(send("POST", "/token", "alice", `{"access_type":"offline","client_id":"bench"}`), "refresh_token")
	body := `{"client_id":"bench","refresh_token":"` + rt + `"}`
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; b.Loop(); i++ {
		send("POST", "/token", "", body)
		if i%50 == 49 {
			b.StopTimer()
			s.RevokeSessions(alice)
			b.StartTimer()
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "refreshes/s")
}

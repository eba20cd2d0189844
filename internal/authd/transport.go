package authd

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
)

// Transport hands requests to a handler without a network, which is what a
// testing/synctest bubble needs. A connection that the handler breaks fails as one
// from a network does: before the answer or in the middle of its body.
func Transport(h http.Handler) http.RoundTripper { return transport{h} }

type transport struct{ handler http.Handler }

var errRefused = errors.New("connection refused")

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	in := r.Clone(r.Context())
	in.RemoteAddr = "127.0.0.1:1"
	if in.Body == nil {
		in.Body = http.NoBody
	}
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	in.RequestURI = r.URL.RequestURI()
	if _, ok := in.Header["User-Agent"]; !ok {
		in.Header.Set("User-Agent", "Go-http-client/1.1")
	}
	w := &recorder{header: http.Header{}}
	cut := serve(t.handler, w, in)
	_ = in.Body.Close()
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if cut && w.status == 0 {
		return nil, errRefused
	}
	var body io.Reader = &w.body
	if cut {
		body = io.MultiReader(body, failing{})
	}
	length, err := strconv.ParseInt(w.header.Get("Content-Length"), 10, 64)
	if err != nil {
		length = -1
	}
	return &http.Response{
		Status:     strconv.Itoa(w.status) + " " + http.StatusText(w.status),
		StatusCode: w.status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, Body: io.NopCloser(body), ContentLength: length, Request: r,
	}, nil
}

// recorder keeps an answer in memory.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *recorder) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

// serve tells whether the handler broke the connection.
func serve(h http.Handler, w http.ResponseWriter, r *http.Request) (cut bool) {
	defer func() {
		switch err := recover(); err {
		case nil:
		case http.ErrAbortHandler:
			cut = true
		default:
			panic(err)
		}
	}()
	h.ServeHTTP(w, r)
	return false
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

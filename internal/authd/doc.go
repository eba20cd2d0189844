// Package authd is wazo-auth in memory: an http.Handler that answers as the real
// server does, status, shape and quirk. It is the demo's stack, the tests' stack
// and what `wakey serve` runs.
//
// It keeps one lock, no background goroutine and no file. Time is read from
// time.Now alone, so a testing/synctest bubble fakes it. What must happen "every
// 60 seconds" on the real server happens here at the next request (contract 5).
package authd

package authd

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"
	_ "time/tzdata" // --timezone works where the system has no zones
)

// ServeOptions are what `wakey serve` takes.
type ServeOptions struct {
	Listen        string        // host:port; port 0 picks a free one
	SeedFile      string        // TOML; empty: the demo's seed
	PlainHTTP     bool          // no TLS
	TokenLifetime time.Duration // 1 s to 10 years
	MaxSessions   int           // 1 or more
	Timezone      string        // such as America/Toronto; empty: UTC
	LogFile       string        // gets a JSON line a request, appended; empty: none
}

// recordedStack is the uuid of the stack that the recorded exchanges are of: played
// against this server they find it again.
const recordedStack = "1cc60e03-8a2c-4f53-9ecc-193c0ce4b7ea"

// Serve runs a server until ctx ends. Once it listens it prints one JSON line with
// the stack's url and the fingerprint of its key.
func Serve(ctx context.Context, o ServeOptions, stdout io.Writer) error {
	cfg := Config{TokenLifetime: o.TokenLifetime, MaxSessions: o.MaxSessions, StackUUID: recordedStack}
	if o.TokenLifetime < time.Second || o.TokenLifetime > maxExpiration*time.Second {
		return fmt.Errorf("a token lifetime of %v is out of range; give 1s to %ds", o.TokenLifetime, maxExpiration)
	}
	if o.MaxSessions < 1 {
		return fmt.Errorf("%d sessions at most makes no sense; give 1 or more", o.MaxSessions)
	}
	if o.Timezone != "" {
		zone, err := time.LoadLocation(o.Timezone)
		if err != nil {
			return fmt.Errorf("time zone %q: %w; give a name such as America/Toronto", o.Timezone, err)
		}
		cfg.Timezone = zone
	}
	seed := DemoSeed()
	if o.SeedFile != "" {
		file, err := os.Open(o.SeedFile)
		if err != nil {
			return fmt.Errorf("opening the seed: %w", err)
		}
		seed, err = readSeed(file)
		_ = file.Close() // only read
		if err != nil {
			return fmt.Errorf("%s: %w", o.SeedFile, err)
		}
	}
	if o.LogFile != "" {
		file, err := os.OpenFile(o.LogFile, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return fmt.Errorf("opening the log: %w", err)
		}
		defer func() { _ = file.Close() }()
		cfg.Log = file
	}
	s, err := New(cfg, seed)
	if err != nil {
		return err
	}
	r, err := Start(ctx, s, o.Listen, o.PlainHTTP)
	if err != nil {
		return err
	}
	if err := json.NewEncoder(stdout).Encode(struct {
		URL         string `json:"url"`
		Fingerprint string `json:"fingerprint"`
	}{r.URL, r.Fingerprint}); err != nil {
		_ = r.Close()
		return fmt.Errorf("telling the address: %w", err)
	}
	return r.wait()
}

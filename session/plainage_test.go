//go:build unix

package session

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creack/pty"
)

// plainAge runs the age program at a terminal and types the passphrase when it asks.
func plainAge(t *testing.T, passphrase string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "age", args...)
	tty, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	var said bytes.Buffer
	buf := make([]byte, 256)
	for asked := false; ; {
		n, err := tty.Read(buf)
		said.Write(buf[:n])
		if !asked && strings.Contains(said.String(), "passphrase") {
			asked = true
			if _, err := io.WriteString(tty, passphrase+"\n"); err != nil {
				t.Fatal(err)
			}
		}
		if err != nil { // the terminal of a process that ended
			break
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("age %q: %v: %s", args, err, said.String())
	}
}

// The recovery that the documentation promises: no wakey, just age.
func TestPlainAgeOpensEverything(t *testing.T) {
	if _, err := exec.LookPath("age"); err != nil {
		t.Skip("the program age is not installed (apt-get install age)")
	}
	dir, out := t.TempDir(), t.TempDir()
	s := openTestStore(dir)
	want, err := s.Update(t.Context(), "00000001", fullRecord)
	if err != nil {
		t.Fatal(err)
	}
	backup, err := os.Create(filepath.Join(out, "backup.age"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	backup.Close()

	id, accounts, saved := filepath.Join(out, "id"), filepath.Join(out, "accounts.json"), filepath.Join(out, "backup.json")
	plainAge(t, "correct horse", "-d", "-o", id, s.path(wrappedName))
	plainAge(t, "", "-d", "-i", id, "-o", accounts, s.path(accountsName))
	plainAge(t, "correct horse", "-d", "-o", saved, backup.Name())
	for _, path := range []string{accounts, saved} {
		var doc struct {
			Accounts []struct {
				Name         string `json:"name"`
				RefreshToken string `json:"refresh_token"`
			} `json:"accounts"`
		}
		if err := json.Unmarshal(readFile(t, path), &doc); err != nil {
			t.Fatal(err)
		}
		if len(doc.Accounts) != 1 || doc.Accounts[0].Name != "work" || doc.Accounts[0].RefreshToken != want.RefreshToken.Reveal() {
			t.Errorf("%s: %+v", path, doc)
		}
	}
}

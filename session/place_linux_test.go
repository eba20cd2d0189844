package session

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A disk that is really full.
func TestDiskFullForReal(t *testing.T) {
	asRoot(t)
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Skipf("can't mount a small tmpfs here: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	home := filepath.Join(dir, "wakey")
	s := filled(t, home)
	filler, err := os.Create(filepath.Join(dir, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = filler.Write(make([]byte, 512))
	}
	filler.Close()
	_, err = s.Update(t.Context(), "00000003", named("c"))
	says(t, err, syscall.ENOSPC, "no room in "+home, "nothing was changed")
	l, err := s.Lock(t.Context(), "00000001")
	if err == nil {
		err = l.Begin(Attempt{Op: "refresh"})
		l.Release()
	}
	says(t, err, syscall.ENOSPC, "no room in "+home)
	if got := namesIn(t, home); got != "a b" {
		t.Errorf("names %q", got)
	}
	if err := os.Remove(filler.Name()); err != nil {
		t.Fatal(err)
	}
	if _, err = s.Update(t.Context(), "00000003", named("c")); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

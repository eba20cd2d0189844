package session

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// tail is where a log ends.
type tail struct {
	n    uint64
	hash string
	size int64 // of audit.jsonl
}

// auditWriter is the log, opened under its lock.
type auditWriter struct {
	tail

	a        *Audit
	file     *os.File
	torn     []byte // what stands behind the last line and is none
	headless bool   // there are lines and no head
}

func (a *Audit) active() string { return filepath.Join(a.dir, "audit.jsonl") }

// open finds where the log ends. What another process wrote meanwhile shows in the size.
func (a *Audit) open() (*auditWriter, error) {
	f, err := openOurs(a.active(), os.O_RDWR|os.O_APPEND)
	if err != nil {
		return nil, err
	}
	w := &auditWriter{a: a, file: f}
	info, err := f.Stat()
	if err == nil && info.Size() == a.last.size && a.last.n > 0 {
		if head, ok := a.readHead(); ok && head.n == a.last.n && head.hash == a.last.hash {
			w.tail = a.last
			return w, nil
		}
	}
	if err == nil {
		w.size = info.Size()
		err = w.recover()
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return w, nil
}

// recover reads the end of the log. Where the head knows of more than the file holds, the
// chain goes on from the head: the gap stays visible for good.
func (w *auditWriter) recover() error {
	e, found, torn, err := lastEntry(w.file, w.size)
	if err != nil {
		return err
	}
	w.torn = torn
	if !found {
		if e, found, err = w.a.lastRotated(); err != nil {
			return err
		}
	}
	w.n, w.hash = e.N, e.Hash
	if !found {
		w.n, w.hash = 0, firstPrev
	}
	if e, intact, err := parseEntry(torn); err == nil && intact && e.Prev == w.hash {
		// Only its newline is missing.
		if err := w.put([]byte{'\n'}); err != nil {
			return err
		}
		w.n, w.hash, w.torn = e.N, e.Hash, nil
	}
	head, ok := w.a.readHead()
	if ok && (head.n > w.n || head.n == w.n && head.hash != w.hash) {
		w.n, w.hash = head.n, head.hash
	}
	w.headless = !ok && w.n > 1 // behind the first line a crash leaves no head
	return nil
}

// append writes e, after closing off what a crash left behind it.
func (w *auditWriter) append(e Entry) error {
	if len(w.torn) > 0 {
		if err := w.closeTorn(); err != nil {
			return err
		}
	}
	if w.headless {
		w.headless = false
		err := w.write(Entry{Time: e.Time, Op: "log", Level: Alarm, Text: "audit.head was gone: whether lines were cut off before this one can't be told"})
		if err != nil {
			return err
		}
	}
	if w.size >= w.a.size {
		if err := w.rotate(); err != nil {
			return err
		}
	}
	return w.write(e)
}

// closeTorn ends the torn line and says what it was, so that it neither hides nor is hidden.
func (w *auditWriter) closeTorn() error {
	rest := w.torn
	if rest[len(rest)-1] != '\n' {
		if err := w.put([]byte{'\n'}); err != nil {
			return err
		}
		rest = append(rest, '\n')
	}
	w.torn = nil
	return w.write(tamedEntry(Entry{
		Op: "log", Level: Warn, Fields: tornFields(rest),
		Text: fmt.Sprintf("%d bytes before this line are no line: writing it was cut off", len(rest)),
	}))
}

// tornFields tells what a torn line was, its newline included, so that another can't take its place.
func tornFields(b []byte) map[string]string {
	sum := sha256.Sum256(b)
	return map[string]string{"torn_bytes": strconv.Itoa(len(b)), "torn_sha256": hex.EncodeToString(sum[:])}
}

// write adds one line and then moves the head: between the two the log may be one line ahead.
func (w *auditWriter) write(e Entry) error {
	e.N, e.Prev = w.n+1, w.hash
	line, err := e.line()
	if err != nil {
		return err
	}
	if err := w.put(line); err != nil {
		return err
	}
	// The head must not reach the disk before the line does: a lost line would look like a cut one.
	if err := w.file.Sync(); err != nil {
		return err
	}
	w.n, w.hash = e.N, e.Hash
	return w.a.writeHead(w.tail)
}

func (w *auditWriter) put(b []byte) error {
	n, err := w.file.Write(b)
	w.size += int64(n)
	return err
}

// rotate begins a new file and drops the oldest ones, of which a line tells where they ended.
func (w *auditWriter) rotate() error {
	if err := w.file.Close(); err != nil {
		return err
	}
	if err := os.Rename(w.a.active(), filepath.Join(w.a.dir, rotatedName(w.n))); err != nil {
		return err
	}
	f, err := openOurs(w.a.active(), os.O_RDWR|os.O_APPEND)
	if err != nil {
		return err
	}
	w.file, w.size = f, 0
	names, err := w.a.rotated()
	if err != nil || len(names) <= w.a.keep {
		return err
	}
	drop := names[:len(names)-w.a.keep]
	e, _, err := lastOf(drop[len(drop)-1])
	if err != nil {
		return err
	}
	err = w.write(tamedEntry(Entry{
		Op: "log", Level: Info, Fields: map[string]string{"dropped_to": strconv.FormatUint(e.N, 10), "dropped_hash": e.Hash},
		Text: fmt.Sprintf("the lines up to %d were dropped: the log has reached its size", e.N),
	}))
	for _, name := range drop {
		err = errors.Join(err, os.Remove(name))
	}
	return err
}

// rotatedName carries the number of the file's last line, so that names sort as the lines do.
func rotatedName(n uint64) string { return fmt.Sprintf("audit-%012d.jsonl", n) }

// rotated lists the rotated files, oldest first.
func (a *Audit) rotated() ([]string, error) {
	names, err := filepath.Glob(filepath.Join(escapeGlob(a.dir), "audit-[0-9]*.jsonl"))
	slices.Sort(names)
	return names, err
}

func escapeGlob(dir string) string {
	return strings.NewReplacer(`*`, `[*]`, `?`, `[?]`, `[`, `[[]`).Replace(dir)
}

func (a *Audit) lastRotated() (Entry, bool, error) {
	names, err := a.rotated()
	if err != nil || len(names) == 0 {
		return Entry{}, false, err
	}
	return lastOf(names[len(names)-1])
}

func lastOf(name string) (Entry, bool, error) {
	f, err := os.Open(name)
	if err != nil {
		return Entry{}, false, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Entry{}, false, err
	}
	e, found, _, err := lastEntry(f, info.Size())
	return e, found, err
}

// lastEntry finds the last intact line of a file, and what stands behind it.
func lastEntry(r io.ReaderAt, size int64) (e Entry, found bool, rest []byte, err error) {
	for window := int64(auditTail); ; window = size {
		window = min(window, size)
		b := make([]byte, window)
		if _, err := r.ReadAt(b, size-window); err != nil && (!errors.Is(err, io.EOF) || window != 0) {
			return Entry{}, false, nil, err
		}
		for end := bytes.LastIndexByte(b, '\n'); end >= 0; {
			begin := bytes.LastIndexByte(b[:end], '\n')
			if e, intact, err := parseEntry(b[begin+1 : end]); err == nil && intact {
				return e, true, b[end+1:], nil
			}
			end = begin
		}
		if window == size {
			return Entry{}, false, b, nil
		}
	}
}

// The head is one short write in place, so that a crash leaves the old one or the new one.
func (a *Audit) headName() string { return filepath.Join(a.dir, "audit.head") }

func (a *Audit) writeHead(t tail) error {
	f, err := openOurs(a.headName(), os.O_WRONLY)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(fmt.Appendf(nil, "%020d %s\n", t.n, t.hash), 0)
	return errors.Join(err, f.Close())
}

func (a *Audit) readHead() (tail, bool) {
	b, err := os.ReadFile(a.headName())
	number, hash, _ := strings.Cut(strings.TrimSuffix(string(b), "\n"), " ")
	n, perr := strconv.ParseUint(number, 10, 64)
	return tail{n: n, hash: hash}, err == nil && perr == nil && len(hash) == 2*sha256.Size
}

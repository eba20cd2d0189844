package session

import (
	"fmt"
	"maps"
	"strconv"
	"time"
)

// AuditReport is what Verify found.
type AuditReport struct {
	Lines    uint64 // intact ones
	First    uint64 // number of the oldest line; those before were dropped by rotation
	Last     uint64
	From, To time.Time
	Hash     string // of the last line: note it down, and Verify can be held against it later
	Flaws    []AuditFlaw
	Torn     []AuditFlaw // lines that a crash cut off, each told by the line behind it: no flaw
}

// OK tells whether nothing was changed, as far as can be told.
func (r *AuditReport) OK() bool { return len(r.Flaws) == 0 }

// AuditFlaw is one place where the log is not what was written.
type AuditFlaw struct {
	File string
	Line int // in the file, from 1; 0: the file as a whole
	Text string
}

func (f AuditFlaw) String() string {
	if f.Line == 0 {
		return f.File + ": " + f.Text
	}
	return fmt.Sprintf("%s, line %d: %s", f.File, f.Line, f.Text)
}

// maxFlaws bounds what is told of a log that has nothing in common with what was written.
const maxFlaws = 1000

// Verify reads the whole log and holds each line against the one before and the last one against
// the head. noted is a hash noted down earlier, or empty: a log written anew does not hold it.
// An error means that the log could not be read; what is wrong with it is in the report.
func (a *Audit) Verify(noted string) (*AuditReport, error) {
	var r AuditReport
	if a.dir == "" {
		return &r, nil
	}
	log, err := a.snapshot()
	if err != nil {
		return nil, err
	}
	v := verifier{r: &r, prev: firstPrev, noted: noted}
	for line, err := range log.lines() {
		if err != nil {
			return nil, err
		}
		v.line(line)
	}
	v.end(log)
	return &r, nil
}

// verifier walks over a log.
type verifier struct {
	r        *AuditReport
	n        uint64    // of the line before
	prev     string    // its hash; empty when it can't be known
	garbage  []byte    // what stands behind it and is no line
	at       auditLine // where that begins
	open     bool      // it does not end in a newline
	start    *Entry    // the first line, when it is not number 1
	excused  bool      // a line tells that those before start were dropped
	noted    string
	sawNoted bool
}

func (v *verifier) flawf(line auditLine, format string, args ...any) {
	if len(v.r.Flaws) < maxFlaws {
		v.r.Flaws = append(v.r.Flaws, AuditFlaw{line.file, line.number, fmt.Sprintf(format, args...)})
	}
}

func (v *verifier) line(line auditLine) {
	e, intact, err := parseEntry(line.text)
	if err != nil || !line.whole {
		if len(v.garbage) == 0 {
			v.at = line
		}
		v.garbage = append(v.garbage, line.text...)
		v.open = !line.whole
		if line.whole {
			v.garbage = append(v.garbage, '\n')
		}
		return
	}
	v.rest(&e)
	if !intact {
		v.flawf(line, "number %d was edited: its hash does not fit", e.N)
		v.n, v.prev = v.n+1, ""
		return
	}
	v.follow(line, &e)
	v.r.Lines++
	v.r.To, v.r.Hash, v.r.Last = e.Time, e.Hash, max(v.r.Last, e.N)
	v.sawNoted = v.sawNoted || e.Hash == v.noted
	if v.start != nil && e.Fields["dropped_hash"] == v.start.Prev && e.Fields["dropped_to"] == strconv.FormatUint(v.start.N-1, 10) {
		v.excused = true
	}
}

// rest judges what stood before e and is no line. Only a crash may have left it, and then e says so.
func (v *verifier) rest(e *Entry) {
	if len(v.garbage) == 0 {
		return
	}
	want := tornFields(v.garbage)
	v.garbage = nil
	if e.Op == "log" && maps.Equal(e.Fields, want) {
		v.r.Torn = append(v.r.Torn, AuditFlaw{v.at.file, v.at.number, "cut off while it was being written, told at " + e.Time.Format(time.RFC3339)})
		return
	}
	v.flawf(v.at, "no line of the log")
}

// follow judges the number and the hash of the line before.
func (v *verifier) follow(line auditLine, e *Entry) {
	if v.r.Lines == 0 {
		v.r.First, v.r.From = e.N, e.Time
	}
	switch {
	case v.r.Lines == 0 && v.n == 0:
		if e.N != 1 {
			v.start = e
		} else if e.Prev != firstPrev {
			v.flawf(line, "number 1 does not begin a log")
		}
	case e.N > v.n+1:
		v.flawf(line, "the %d lines from %d to %d are missing", e.N-v.n-1, v.n+1, e.N-1)
	case e.N <= v.n:
		v.flawf(line, "number %d stands behind number %d: out of order, or twice", e.N, v.n)
	case v.prev != "" && e.Prev != v.prev:
		v.flawf(line, "number %d does not follow from the line before: one of the two was replaced", e.N)
	}
	v.n, v.prev = e.N, e.Hash
}

func (v *verifier) end(log *auditLog) {
	last := auditLine{file: "audit.jsonl"}
	switch {
	case len(v.garbage) > 0 && v.open:
		v.r.Torn = append(v.r.Torn, AuditFlaw{v.at.file, v.at.number, "cut off while it was being written; the next line will tell"})
	case len(v.garbage) > 0:
		v.flawf(v.at, "no line of the log")
	}
	if v.start != nil && !v.excused {
		v.flawf(last, "it begins with number %d, and no line tells that those before were dropped", v.start.N)
	}
	switch head := log.head; {
	case !log.headed && v.n <= 1: // a crash after the first line, or no log at all
	case !log.headed:
		v.flawf(auditLine{file: "audit.head"}, "it is gone or unreadable: whether lines are missing at the end can't be told")
	case head.n > v.n:
		v.flawf(last, "the %d lines from %d to %d are missing at the end", head.n-v.n, v.n+1, head.n)
	case head.n == v.n && v.prev != "" && head.hash != v.prev:
		v.flawf(last, "the last line, number %d, is not the one that was written", v.n)
	case head.n+1 < v.n:
		v.flawf(auditLine{file: "audit.head"}, "it stands at number %d, %d lines behind: it was put back, or the lines were put in", head.n, v.n-head.n)
	}
	switch {
	case v.noted == "" || v.sawNoted:
	case v.r.First > 1:
		v.flawf(last, "the hash noted down is not in it: its line was dropped with those up to %d, or the log was written anew", v.r.First-1)
	default:
		v.flawf(last, "the hash noted down is not in it: the log was written anew")
	}
}

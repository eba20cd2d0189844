package session

import (
	"context"
	"time"
)

// What a record says of time is by the clock of the machine that reads it; in the bucket it is by the
// clock of NATS. Else a machine whose clock is wrong would take everybody's tokens for dead, or for
// made in the future, and refresh them again and again.

// clockTrust is how far two clocks may be apart without anybody caring: less is left as it is, so
// that what was written reads back the same.
const clockTrust = time.Second

// streamInfo is what JetStream tells of the bucket.
type streamInfo struct {
	Config streamConfig `json:"config"`
	State  struct {
		Messages uint64            `json:"messages"`
		Bytes    uint64            `json:"bytes"`
		LastSeq  uint64            `json:"last_seq"`
		Subjects map[string]uint64 `json:"subjects"`
	} `json:"state"`
	Cluster *struct {
		Name     string         `json:"name"`
		Leader   string         `json:"leader"`
		Replicas []streamMember `json:"replicas"`
	} `json:"cluster"`
	Time time.Time `json:"ts"` // of the answer
}

// streamMember is a replica besides the leader.
type streamMember struct {
	Name    string `json:"name"`
	Offline bool   `json:"offline"`
	Lag     uint64 `json:"lag"` // writes that it has not made yet
}

// info asks for the state of the bucket; filter chooses the keys that are named.
func (l *link) info(ctx context.Context, patience time.Duration, filter string) (streamInfo, error) {
	var info streamInfo
	request := map[string]any{}
	if filter != "" {
		request["subjects_filter"] = filter
	}
	err := l.persist(ctx, patience, func(ctx context.Context) error {
		return l.call(ctx, "INFO", request, &info)
	})
	return info, err
}

// setClock compares this machine's clock with that of NATS, once.
func (s *BucketStore) setClock(ctx context.Context) error {
	s.mu.Lock()
	timed := s.timed
	s.mu.Unlock()
	if timed {
		return nil
	}
	asked := s.now()
	info, err := s.link.info(ctx, bucketGlance, "")
	if err != nil {
		return err
	}
	came := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !info.Time.IsZero() {
		s.timed = true
		ahead := asked.Add(came.Sub(asked) / 2).Sub(info.Time)
		if (ahead - s.ahead).Abs() > clockTrust {
			s.ahead = ahead.Round(clockTrust)
		}
	}
	return nil
}

// mistime has the clocks compared again: this machine may have slept, or its clock been set.
func (s *BucketStore) mistime() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.timed = false
}

func (s *BucketStore) clockAhead() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ahead
}

// toLocal turns the times of a record of the bucket into this machine's.
func (s *BucketStore) toLocal(r *Record) { shift(r, s.clockAhead()) }

// toBucket turns the times of a record of this machine into those of NATS.
func (s *BucketStore) toBucket(r *Record) { shift(r, -s.clockAhead()) }

func shift(r *Record, by time.Duration) {
	eachTime(r, func(t *time.Time) {
		if !t.IsZero() {
			*t = t.Add(by)
		}
	})
}

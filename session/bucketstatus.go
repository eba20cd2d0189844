package session

import (
	"context"
	"time"

	"wakey/api"
)

// Replica is one of the servers that keep a bucket.
type Replica struct {
	Name   string
	Leader bool
	Online bool
	Lag    uint64 // writes that it has not made yet
}

// BucketStatus says how the bucket stands.
type BucketStatus struct {
	Bucket   Bucket
	Server   string // that this machine is connected to; empty: none
	Version  string // of its NATS
	Wanted   int    // replicas that the bucket should have
	Replicas []Replica
	Values   uint64 // in the bucket
	Bytes    uint64
	Ahead    time.Duration // of this machine's clock against that of NATS
	Copied   time.Time     // when the copy on this machine was last written; zero: there is none
	CutOff   error         // why the bucket can't be reached; nil: it is
}

// Online is how many servers keep the bucket just now.
func (b BucketStatus) Online() int {
	n := 0
	for _, r := range b.Replicas {
		if r.Online {
			n++
		}
	}
	return n
}

// Behind is how many writes the replica that is furthest behind has not made yet, and whether all
// that should be there are.
func (b BucketStatus) Behind() (writes uint64, all bool) {
	for _, r := range b.Replicas {
		writes = max(writes, r.Lag)
	}
	return writes, b.Online() >= b.Wanted
}

// Engine tells how the bucket stands. That it can't be reached is part of the answer.
func (s *BucketStore) Engine(ctx context.Context) BucketStatus {
	st := BucketStatus{Bucket: s.bucket, Copied: s.files.writtenAt()}
	info, err := s.link.info(ctx, bucketGlance, "")
	if err != nil {
		st.CutOff = err
		return st
	}
	s.mistime()
	if err := s.setClock(ctx); err != nil {
		st.CutOff = err
		return st
	}
	if nc := s.link.conn.Load(); nc != nil {
		st.Server, st.Version = api.Clean(nc.ConnectedServerName()), api.Clean(nc.ConnectedServerVersion())
	}
	st.Wanted, st.Values, st.Bytes, st.Ahead = info.Config.Replicas, info.State.Messages, info.State.Bytes, s.clockAhead()
	if info.Cluster == nil {
		st.Replicas = []Replica{{Name: st.Server, Leader: true, Online: true}}
		return st
	}
	if info.Cluster.Leader != "" {
		st.Replicas = append(st.Replicas, Replica{Name: api.Clean(info.Cluster.Leader), Leader: true, Online: true})
	}
	for _, m := range info.Cluster.Replicas {
		st.Replicas = append(st.Replicas, Replica{Name: api.Clean(m.Name), Online: !m.Offline, Lag: m.Lag})
	}
	return st
}

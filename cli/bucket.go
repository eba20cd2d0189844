package cli

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"wakey/session"
)

// bucketFlags say which bucket is meant and how it is reached.
type bucketFlags struct {
	url, name, creds, caFile string
	replicas                 int
}

const defaultBucket = "wakey"

func (b *bucketFlags) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&b.url, "nats", "", "keep the accounts in a bucket of NATS JetStream at `URL`, such as tls://nats.example.com")
	flags.StringVar(&b.name, "bucket", defaultBucket, "the bucket's `NAME`")
	flags.StringVar(&b.creds, "creds", "", "the `FILE` with the credentials of a NATS user, or the seed of one")
	flags.StringVar(&b.caFile, "ca-file", "", "trust the NATS servers' certificates by this `FILE`")
	flags.IntVar(&b.replicas, "replicas", 3, "how many servers keep a bucket that is made, 1 to 5")
}

// alone refuses what only --nats gives a sense.
func (b *bucketFlags) alone(cmd *cobra.Command) error {
	for _, name := range []string{"bucket", "creds", "ca-file", "replicas"} {
		if b.url == "" && cmd.Flags().Changed(name) {
			return usagef("--%s is about the bucket that --nats leads to", name)
		}
	}
	return nil
}

// init says which bucket is meant. Files are named by their whole path, for wakey is run in many directories.
func (b *bucketFlags) init(kind session.KeyKind) (session.BucketInit, error) {
	i := session.BucketInit{
		Bucket:   session.Bucket{URL: b.url, Name: b.name, Creds: b.creds, CAFile: b.caFile},
		Replicas: b.replicas, Kind: kind,
	}
	for _, path := range []*string{&i.Bucket.Creds, &i.Bucket.CAFile} {
		if *path == "" {
			continue
		}
		whole, err := filepath.Abs(*path)
		if err != nil {
			return i, err
		}
		*path = whole
	}
	if err := i.Bucket.Check(); err != nil {
		return i, usagef("--nats: %w", err)
	}
	if err := i.Bucket.CheckFiles(); err != nil {
		return i, usagef("%w", err)
	}
	return i, nil
}

// initBucket makes a bucket this machine's store.
func (a *app) initBucket(ctx context.Context, b *bucketFlags, kind session.KeyKind) error {
	i, err := b.init(kind)
	if err != nil {
		return err
	}
	made, err := session.InitBucket(ctx, session.DefaultDir(), i, a.storeOptions())
	if err != nil {
		return err
	}
	if made {
		a.talkf("The bucket %q is made. Run the same on every other machine, with the same passphrase.", i.Bucket.Name)
	}
	a.talkf("This machine's accounts are those of the bucket %q.", i.Bucket.Name)
	return nil
}

// moveToBucket puts this machine's accounts into a bucket.
func (a *app) moveToBucket(ctx context.Context, b *bucketFlags) error {
	i, err := b.init("")
	if err != nil {
		return err
	}
	accounts, err := session.MoveToBucket(ctx, session.DefaultDir(), i, a.storeOptions())
	if err != nil {
		return err
	}
	a.talkf("Moved into the bucket %q, accounts: %d. Start every wakey again that runs here (wakey agent, the screen).", i.Bucket.Name, accounts)
	return nil
}

// moveToFile takes this machine's accounts out of the bucket.
func (a *app) moveToFile(ctx context.Context) error {
	if _, err := a.store(); err != nil {
		return err
	}
	if a.bucket == nil {
		return usagef("the accounts are in a file already")
	}
	accounts, err := a.bucket.MoveToFile(ctx)
	if err != nil {
		return err
	}
	a.talkf("Moved into a file of this machine, accounts: %d. Start every wakey again that runs here.", accounts)
	a.talkf("The bucket stays as it is, for the other machines: both hold the same refresh tokens, and revoking one revokes both.")
	return nil
}

// describeBucket says where the bucket is, and how it stands.
func describeBucket(f *facts, st session.BucketStatus, now time.Time) {
	f.add("Store", fmt.Sprintf("the bucket %q in NATS JetStream, %s", st.Bucket.Name, st.Bucket.URL))
	if st.CutOff != nil {
		f.add("", st.CutOff.Error())
		if !st.Copied.IsZero() {
			f.add("", "tokens are given from what this machine saw last, "+when(st.Copied, now))
		}
		return
	}
	f.add("", fmt.Sprintf("connected to %s (NATS %s)", st.Server, st.Version))
	f.add("Replicas", replicaWords(st))
	if st.Ahead != 0 {
		f.add("", clockWords(st.Ahead))
	}
}

// replicaWords says who keeps the bucket, and how far behind they are.
func replicaWords(st session.BucketStatus) string {
	names := make([]string, len(st.Replicas))
	for i, r := range st.Replicas {
		switch {
		case r.Leader:
			names[i] = r.Name + " leads"
		case !r.Online:
			names[i] = r.Name + " is gone"
		case r.Lag > 0:
			names[i] = fmt.Sprintf("%s is %d writes behind", r.Name, r.Lag)
		default:
			names[i] = r.Name + " has it all"
		}
	}
	return fmt.Sprintf("%d of %d: %s", st.Online(), st.Wanted, strings.Join(names, ", "))
}

func clockWords(ahead time.Duration) string {
	if ahead > 0 {
		return fmt.Sprintf("this machine's clock is %s ahead of that of NATS; it is reckoned with", inWords(ahead))
	}
	return fmt.Sprintf("this machine's clock is %s behind that of NATS; it is reckoned with", inWords(-ahead))
}

// bucket looks at the bucket.
func (x *examination) bucket(ctx context.Context) {
	st := x.app.bucket.Engine(ctx)
	if st.Bucket.Name != defaultBucket {
		x.servers = append(x.servers, st.Bucket.Name)
	}
	for text := range strings.SplitSeq(st.Bucket.URL, ",") {
		if u, err := url.Parse(text); err == nil {
			x.servers = append(x.servers, u.Hostname())
		}
	}
	for _, r := range st.Replicas {
		x.servers = append(x.servers, r.Name)
	}
	if st.Bucket.Creds != "" {
		x.secretFile("credentials", st.Bucket.Creds)
	}
	if st.CutOff != nil {
		x.checkf("bucket", st.CutOff, "")
		if st.Copied.IsZero() {
			x.addf(notice, "copy", "none: without the bucket there is no token")
		} else {
			x.addf(notice, "copy", "what this machine saw last is %s old; tokens are given from it while they live", inWords(time.Since(st.Copied)))
		}
		return
	}
	x.addf(fine, "bucket", "%q in NATS JetStream, by way of %s (NATS %s); values: %d, bytes: %d", st.Bucket.Name, st.Server, st.Version, st.Values, st.Bytes)
	behind, all := st.Behind()
	switch {
	case !all:
		x.addf(notice, "replicas", "%s: another loss may stop it", replicaWords(st))
	case behind > 0:
		x.addf(notice, "replicas", "%s", replicaWords(st))
	case st.Wanted == 1:
		x.addf(notice, "replicas", "%s: with its server all is lost that no machine has seen", replicaWords(st))
	default:
		x.addf(fine, "replicas", "%s", replicaWords(st))
	}
	if st.Ahead != 0 {
		x.addf(notice, "clock", "%s", clockWords(st.Ahead))
	}
}

package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"wakey/session"
)

func (a *app) storeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "store",
		Short:   "See to what keeps the accounts",
		GroupID: groupMachine,
		Long: `All accounts with their tokens are in one encrypted file. Its key is in the system's keyring, or
lies beside the file under a passphrase where there is no keyring. Plain age opens both.

Many machines can share their accounts in a bucket of NATS JetStream instead: one signs in, all have
its tokens, and one of them refreshes.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.storeStatus(), a.storeInit(), a.storeMove(), a.storeRekey(), a.storeBackup(), a.storeRestore())
	return cmd
}

// storeStanding is how the store stands.
type storeStanding struct {
	session.KeyStatus

	bucket *session.BucketStatus // nil: the accounts are in a file
}

var storeFields = append(of([]field[session.KeyStatus]{
	{"kind", func(s session.KeyStatus) any { return s.Kind }},
	{"where", func(s session.KeyStatus) any { return s.Where }},
	{"why", func(s session.KeyStatus) any { return s.Why }},
	{"recipient", func(s session.KeyStatus) any { return s.Recipient }},
	{"unlocked", func(s session.KeyStatus) any { return s.Unlocked }},
}, func(s storeStanding) session.KeyStatus { return s.KeyStatus }), []field[storeStanding]{
	{"engine", func(s storeStanding) any { return s.engine() }},
	{"bucket", ofBucket(func(b *session.BucketStatus) any { return b.Bucket.Name })},
	{"nats", ofBucket(func(b *session.BucketStatus) any { return b.Bucket.URL })},
	{"error", ofBucket(func(b *session.BucketStatus) any { return errorText(b.CutOff) })},
	{"replicas", ofBucket(func(b *session.BucketStatus) any { return b.Wanted })},
	{"online", ofBucket(func(b *session.BucketStatus) any { return b.Online() })},
	{"behind", ofBucket(func(b *session.BucketStatus) any { writes, _ := b.Behind(); return writes })},
}...)

func (s storeStanding) engine() string {
	if s.bucket == nil {
		return "file"
	}
	return "nats"
}

// ofBucket is a field that is null where the accounts are in a file.
func ofBucket(get func(*session.BucketStatus) any) func(storeStanding) any {
	return func(s storeStanding) any {
		if s.bucket == nil {
			return nil
		}
		return get(s.bucket)
	}
}

// storeStands looks at the store.
func (a *app) storeStands(ctx context.Context) (s storeStanding, err error) {
	if _, err := a.store(); err != nil {
		return s, err
	}
	if s.KeyStatus, err = a.files.Status(ctx); err == nil && a.bucket != nil {
		st := a.bucket.Engine(ctx)
		s.bucket = &st
	}
	return s, err
}

// describe says where the accounts are.
func (s storeStanding) describe(f *facts, dir string) {
	if s.bucket != nil {
		describeBucket(f, *s.bucket, time.Now())
	} else {
		f.add("Store", dir)
	}
	f.add("Its key", fmt.Sprintf("kept by %s: %s", keeper(s.Kind), s.Where))
}

func (a *app) storeStatus() *cobra.Command {
	var f format
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show where the accounts and their key are kept, and why",
		Example: `  wakey store status
  wakey store status --json kind,unlocked
  wakey store status --json engine,replicas,online,behind`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.storeStands(cmd.Context())
			if err != nil {
				return err
			}
			if f.on() {
				return printOne(a, &f, storeFields, s)
			}
			var t facts
			s.describe(&t, a.files.Dir())
			t.add("Why there", s.Why)
			t.add("Unlocked", yesNo(s.Unlocked))
			t.add("Recipient", s.Recipient)
			return t.print(a.stdout)
		},
	}
	f.flags(cmd, fieldNames(storeFields))
	return cmd
}

// keyKind reads --keyring and --passphrase, of which one is given.
type keyKind struct{ keyring, passphrase bool }

func (k *keyKind) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&k.keyring, "keyring", false, "keep the key in the system's keyring")
	cmd.Flags().BoolVar(&k.passphrase, "passphrase", false, "keep the key under a passphrase")
	cmd.MarkFlagsMutuallyExclusive("keyring", "passphrase")
}

func (k *keyKind) kind() session.KeyKind {
	if k.keyring {
		return session.KeyringKey
	}
	return session.PassphraseKey
}

// newPassphraseFlag says where a passphrase that is chosen comes from.
func (a *app) newPassphraseFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.newPassphraseFile, "new-passphrase-file", "", "read the passphrase that is set from `FILE` (default: as the store's)")
}

func (a *app) storeInit() *cobra.Command {
	var k keyKind
	var b bucketFlags
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Make the key of a new store, or share one with other machines",
		Long: `Make the key of a new store before the first sign-in, which otherwise makes it: in the keyring if
there is one, else under a passphrase.

With --nats the accounts are in a bucket of NATS JetStream, encrypted as in the file, for any number
of machines: the first makes the bucket and chooses its passphrase, the others join with it.`,
		Example: `  wakey store init --passphrase
  wakey store init --nats tls://nats.example.com --creds wakey.creds`,
		Args: noPassphrase,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := b.alone(cmd); err != nil {
				return err
			}
			if b.url != "" {
				return a.initBucket(cmd.Context(), &b, k.kind())
			}
			if _, err := a.store(); err != nil {
				return err
			}
			if a.bucket != nil {
				return fmt.Errorf("%w, and its key is made: \"wakey store status\" shows it", session.ErrInBucket)
			}
			return a.files.Init(cmd.Context(), k.kind())
		},
	}
	k.flags(cmd)
	b.flags(cmd)
	cmd.MarkFlagsOneRequired("keyring", "passphrase", "nats")
	a.newPassphraseFlag(cmd)
	return cmd
}

func (a *app) storeMove() *cobra.Command {
	var k keyKind
	var b bucketFlags
	var file bool
	cmd := &cobra.Command{
		Use:   "move",
		Short: "Keep the key elsewhere, or the accounts",
		Long: `Keep the key elsewhere: in the keyring or under a passphrase. Or the accounts: in a bucket that
machines share (--nats), or, out of it again, in a file of this machine (--file). Each can be
interrupted at any point, and called again.`,
		Example: `  wakey store move --keyring
  wakey store move --passphrase
  wakey store move --nats tls://nats.example.com --creds wakey.creds
  wakey store move --file`,
		Args: noPassphrase,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := b.alone(cmd); err != nil {
				return err
			}
			switch {
			case b.url != "":
				return a.moveToBucket(cmd.Context(), &b)
			case file:
				return a.moveToFile(cmd.Context())
			}
			return a.fileStore().Move(cmd.Context(), k.kind())
		},
	}
	k.flags(cmd)
	b.flags(cmd)
	cmd.Flags().BoolVar(&file, "file", false, "take the accounts out of the bucket into a file of this machine")
	cmd.MarkFlagsMutuallyExclusive("keyring", "passphrase", "nats", "file")
	cmd.MarkFlagsOneRequired("keyring", "passphrase", "nats", "file")
	a.newPassphraseFlag(cmd)
	return cmd
}

func (a *app) storeRekey() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "rekey",
		Short:   "Give the store a new key, and a new passphrase if it has one",
		Example: `  wakey store rekey`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := a.store(); err != nil {
				return err
			}
			if a.bucket != nil {
				return a.bucket.Rekey(cmd.Context())
			}
			return a.files.Rekey(cmd.Context())
		},
	}
	a.newPassphraseFlag(cmd)
	return cmd
}

func (a *app) storeBackup() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Write the accounts with their tokens to a file, under a passphrase",
		Example: `  wakey store backup accounts-backup.age
  wakey store backup - | ssh backup.example.com 'cat > wakey.age'`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.backup(cmd.Context(), args[0])
		},
	}
	a.newPassphraseFlag(cmd)
	return cmd
}

func (a *app) backup(ctx context.Context, path string) error {
	if _, err := a.store(); err != nil {
		return err
	}
	if a.bucket != nil {
		if _, err := a.bucket.Load(ctx); err != nil { // into the copy, which is what is backed up
			return err
		}
	}
	if path == "-" {
		if isTerminal(a.stdout) {
			return usagef("a backup is no text for a terminal: name a file")
		}
		return a.fileStore().Backup(ctx, a.stdout)
	}
	if err := a.fileStore().BackupTo(ctx, path); err != nil {
		return err
	}
	a.talkf("The accounts are backed up in %s.", path)
	return nil
}

func (a *app) storeRestore() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Replace the accounts by those of a backup",
		Long: `Replace the accounts of this machine by those of a backup. What is there now is kept under other
names. Two machines that go on with one backup share its refresh tokens: revoking one revokes both.`,
		Example: `  wakey store restore accounts-backup.age`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.restore(cmd.Context(), args[0], yes)
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "don't ask")
	a.newPassphraseFlag(cmd)
	return cmd
}

func (a *app) restore(ctx context.Context, path string, yes bool) error {
	if _, err := a.store(); err != nil {
		return err
	}
	if a.bucket != nil {
		return errors.New("a backup is restored into a file: wakey store move --file, then restore, then wakey store move --nats")
	}
	from := a.stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		from = f
	}
	if !yes {
		err := a.confirm(ctx, "Replace the accounts of this machine?")
		if errors.Is(err, errNobodyToAsk) {
			return usagef("nothing was replaced: there is nobody to ask; say --yes")
		}
		if err != nil {
			return err
		}
	}
	done, err := a.fileStore().Restore(ctx, from)
	for _, kept := range done.Kept {
		a.talkf("What was there is kept as %s.", kept)
	}
	if err != nil {
		return err
	}
	a.talkf("Restored, accounts: %d.", done.Accounts)
	return nil
}

func (a *app) unlockCommand() *cobra.Command {
	var ttl time.Duration
	cmd := &cobra.Command{
		Use:     "unlock",
		Short:   "Keep the store open for a while, so that nobody is asked",
		GroupID: groupMachine,
		Long: `Put the store's key into the kernel's keyring for a while, where every process of this user finds
it: without a keyring nobody types the passphrase again, and with one each command is faster.`,
		Example: `  wakey unlock
  wakey unlock --for 30m`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if ttl < time.Second {
				return usagef("--for %s: a second is the least", ttl)
			}
			if err := a.fileStore().Unlock(cmd.Context(), ttl); err != nil {
				return err
			}
			a.talkf("The store is unlocked for %s.", inWords(ttl))
			return nil
		},
	}
	cmd.Flags().DurationVar(&ttl, "for", 8*time.Hour, "how long")
	return cmd
}

func (a *app) lockCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "lock",
		Short:   "Take the store's key out of the kernel's keyring again",
		GroupID: groupMachine,
		Example: `  wakey lock`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := a.fileStore().Relock(cmd.Context()); err != nil {
				return err
			}
			a.talkf("The store is locked.")
			return nil
		},
	}
}

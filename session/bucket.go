package session

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"a.wakey/quick"
)

// engineName is the file that says that the accounts are in a bucket. accounts.age is then a copy of
// what was last seen there.
const engineName = "engine.json"

// Errors of the choice between file and bucket.
var (
	// ErrInBucket says that this machine's accounts are in a bucket already.
	ErrInBucket = errors.New("this machine's accounts are in a bucket")
	// ErrMoved says that the accounts were moved between file and bucket since this process began.
	ErrMoved = errors.New("the accounts were moved: start this wakey again")
)

// Bucket names a JetStream key-value bucket, and how it is reached.
type Bucket struct {
	URL    string // of NATS servers, separated by commas: nats://HOST:4222 or tls://HOST:4222
	Name   string
	Creds  string // a file with the credentials or the seed of a NATS user; empty: none are needed
	CAFile string // a file with the certificates to trust; empty: the system's
}

// engineFile is engine.json.
type engineFile struct {
	Version int    `json:"version"`
	Engine  string `json:"engine"`
	URL     string `json:"url"`
	Bucket  string `json:"bucket"`
	Creds   string `json:"creds,omitempty"`
	CAFile  string `json:"ca_file,omitempty"`
}

// engineNATS is the one engine besides the file.
const engineNATS = "nats"

// Check says what is wrong with b.
func (b Bucket) Check() error {
	if !validBucket(b.Name) {
		return fmt.Errorf("%q can't name a bucket: use 1 to 32 letters, digits, - or _", b.Name)
	}
	for _, path := range []string{b.Creds, b.CAFile} {
		if path != "" && !filepath.IsAbs(path) {
			return fmt.Errorf("%s: give the whole path, for wakey is run in many directories", path)
		}
	}
	_, err := b.addresses()
	return err
}

// validBucket tells whether JetStream takes name, and it is short enough to be part of a client_id.
func validBucket(name string) bool {
	return name != "" && len(name) <= 32 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == ""
}

// CheckFiles says what is wrong with the files that b names.
func (b Bucket) CheckFiles() error {
	if b.Creds != "" {
		if _, err := userOption(b.Creds); err != nil {
			return fmt.Errorf("the credentials of a NATS user can't be read (%w): name the file that \"nsc generate creds\" or \"nk -gen user\" wrote", err)
		}
	}
	if b.CAFile != "" {
		pem, err := os.ReadFile(b.CAFile)
		if err == nil && !x509.NewCertPool().AppendCertsFromPEM(pem) {
			err = fmt.Errorf("%s holds no certificate", b.CAFile)
		}
		if err != nil {
			return fmt.Errorf("the certificates to trust can't be read (%w): name a file in PEM form", err)
		}
	}
	return nil
}

// addresses are the servers' URLs as nats.Connect takes them. Only to loopback may they be had
// without TLS.
func (b Bucket) addresses() (string, error) {
	var all []string
	for text := range strings.SplitSeq(b.URL, ",") {
		text = strings.TrimSpace(text)
		if !strings.Contains(text, "://") {
			text = "nats://" + text
		}
		u, err := url.Parse(text)
		switch {
		case err != nil || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "":
			return "", errors.New("a NATS server's address is nats://HOST:4222 or tls://HOST:4222") // url's own error may quote a password
		case u.User != nil:
			return "", errors.New("a NATS server's address with a password in it is seen by everybody on this machine: put a user's credentials into a file")
		case u.Scheme != "nats" && u.Scheme != "tls":
			return "", fmt.Errorf("%s:// is no NATS server's address: use nats:// or tls://", u.Scheme)
		}
		if !isLoopback(u.Hostname()) {
			u.Scheme = "tls"
		}
		all = append(all, u.Scheme+"://"+u.Host)
	}
	return strings.Join(all, ","), nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// readEngine tells which bucket the accounts of dir are in, if they are in one.
func readEngine(dir string) (b Bucket, there bool, err error) {
	path := filepath.Join(dir, engineName)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return b, false, nil
	}
	if err != nil {
		return b, false, fmt.Errorf("where the accounts are can't be looked up: %w", err)
	}
	var f engineFile
	if err := json.Unmarshal(data, &f); err != nil {
		return b, false, fmt.Errorf("%w: %s can't be read (%w): remove it and run wakey store init --nats again", ErrDamaged, path, err)
	}
	if err := checkVersion(f.Version); err != nil {
		return b, false, fmt.Errorf("%s: %w", path, err)
	}
	if f.Engine != engineNATS {
		return b, false, fmt.Errorf("%s names an engine (%q) that this wakey doesn't know: update it", path, f.Engine)
	}
	b = Bucket{URL: f.URL, Name: f.Bucket, Creds: f.Creds, CAFile: f.CAFile}
	if err := b.Check(); err != nil {
		return b, false, fmt.Errorf("%w: %s: %w", ErrDamaged, path, err)
	}
	return b, true, nil
}

// writeEngine is the one step that makes the bucket this machine's store. The store's lock is held.
func (s *FileStore) writeEngine(b Bucket) error {
	data, err := json.MarshalIndent(engineFile{formatVersion, engineNATS, b.URL, b.Name, b.Creds, b.CAFile}, "", "  ")
	if err != nil {
		return err
	}
	if err := s.cannotWrite(replaceFile(s.path(engineName), "", true, writer(append(data, '\n')))); err != nil {
		return err
	}
	// A token that lies ready is not looked at again, and others may write from now on.
	return kernelForget(quick.ReadyName(s.dir))
}

// removeEngine is the one step that makes accounts.age this machine's store. The store's lock is held.
func (s *FileStore) removeEngine() error {
	if err := os.Remove(s.path(engineName)); err != nil {
		return s.cannotWrite(err)
	}
	_ = syncDir(s.dir) // what can be lost is that a power cut undoes it
	return nil
}

// checkEngine gives ErrMoved where the accounts are no longer where this process took them to be.
func (s *FileStore) checkEngine() error {
	_, err := os.Lstat(s.path(engineName))
	if (err == nil) != s.copies && (err == nil || errors.Is(err, fs.ErrNotExist)) {
		return ErrMoved
	}
	return nil
}

// OpenStore returns the store of the accounts in dir: a *BucketStore where they were put into a
// bucket, else a *FileStore. It reaches for nothing and asks nobody until the first call that needs
// a record.
func OpenStore(dir string, o StoreOptions) (Store, error) {
	b, there, err := readEngine(dir)
	if err != nil {
		return nil, err
	}
	if !there {
		return OpenFileStore(dir, o), nil
	}
	return openBucketStore(dir, b, o), nil
}

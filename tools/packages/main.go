// Command packages builds the Linux packages that .goreleaser.yaml describes from a program that was built already, so
// that a test can install them without building GoReleaser, which makes those of a release.
//
//	packages PROGRAM VERSION DIRECTORY
//
// It is run in the root of the checkout, after .ci/extras build.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/goreleaser/nfpm/v2"
	_ "github.com/goreleaser/nfpm/v2/apk"  // the four formats
	_ "github.com/goreleaser/nfpm/v2/arch" // of
	_ "github.com/goreleaser/nfpm/v2/deb"  // the
	_ "github.com/goreleaser/nfpm/v2/rpm"  // configuration
	"go.yaml.in/yaml/v3"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: packages PROGRAM VERSION DIRECTORY")
		os.Exit(2)
	}
	if err := build(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "packages:", err)
		os.Exit(1)
	}
}

func build(program, version, out string) error {
	raw, err := os.ReadFile(".goreleaser.yaml")
	if err != nil {
		return err
	}
	// A release puts the commit's date here. Any fixed one gives the same bytes each time.
	date := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Format(time.RFC3339)
	text := strings.NewReplacer("{{ .CommitDate }}", date, "{{ .Env.HOME_PAGE }}", "https://example.com/wakey").Replace(string(raw))
	var release struct {
		NFPMs []map[string]any `yaml:"nfpms"`
	}
	if err := yaml.Unmarshal([]byte(text), &release); err != nil {
		return err
	}
	if len(release.NFPMs) != 1 {
		return fmt.Errorf("nfpms has %d entries, want 1", len(release.NFPMs))
	}
	config := release.NFPMs[0]
	formats, _ := config["formats"].([]any)
	contents, _ := config["contents"].([]any)
	bin, _ := config["bindir"].(string)
	if len(formats) == 0 || len(contents) == 0 || bin == "" {
		return errors.New("nfpms names no formats, no contents or no bindir")
	}
	config["name"] = config["package_name"]
	config["version"] = version
	config["arch"] = runtime.GOARCH
	config["platform"] = "linux"
	config["contents"] = append(contents, map[string]any{
		"src": program, "dst": path.Join(bin, "wakey"), "file_info": map[string]any{"mode": 0o755, "mtime": date},
	})
	// What GoReleaser adds to the package builder's own settings.
	for _, key := range []string{"package_name", "formats", "bindir"} {
		delete(config, key)
	}
	merged, err := yaml.Marshal(config)
	if err != nil {
		return err
	}
	parsed, err := nfpm.Parse(bytes.NewReader(merged))
	if err != nil {
		return err
	}
	for _, format := range formats {
		if err := write(parsed, fmt.Sprint(format), out); err != nil {
			return fmt.Errorf("%v: %w", format, err)
		}
	}
	return nil
}

func write(config nfpm.Config, format, out string) (err error) {
	info, err := config.Get(format)
	if err != nil {
		return err
	}
	info = nfpm.WithDefaults(info)
	if err := nfpm.PrepareForPackager(info, format); err != nil {
		return err
	}
	packager, err := nfpm.Get(format)
	if err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(out, packager.ConventionalFileName(info)))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return packager.Package(info, f)
}

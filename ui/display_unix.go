//go:build !windows && !darwin

package ui

// hasDisplay tells whether there is a desktop whose clipboard can be written.
func hasDisplay(getenv func(string) string) bool {
	return getenv("DISPLAY") != "" || getenv("WAYLAND_DISPLAY") != ""
}

package ui

import (
	"strconv"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/exp/golden"
)

// goldenScenes are the scenes whose frames are kept, by their names in scenes.
var goldenScenes = []string{
	"accounts", "last row", "no accounts", "filtered", "help", "palette", "sign in", "trust", "key changed",
	"confirm", "failures", "bulk job", "copy as", "passphrase", "sign out",
	"inspector of the record", "inspector told", "inspector permissions", "inspector filtered", "inspector of the expired",
	"inspector refused", "inspector compared", "inspector hostile", "may it, typed", "may it, differs", "paste",
	"pasted access token", "pasted refresh token", "pasted unknown", "pasted and tried", "try",
	"activity", "activity full", "activity with a log", "activity read in full",
	"tokens", "tokens marked", "tokens of everyone", "tokens hostile", "tokens none", "tokens refused", "tokens slow", "tokens result",
	"token details", "token label", "revoke one", "revoke most", "revoke ours", "revoke never", "revoke others'",
	"sessions listed", "sessions of everyone", "session details", "revoke sessions",
	"alarm", "respond plan", "respond plan, a token", "respond plan for everyone", "respond shut out", "respond password", "respond running", "respond asks",
	"respond over", "respond left open", "respond cut off", "aside",
	"users listed", "users below", "users many", "users typed", "users searched", "users not found", "users none", "users denied", "users failed",
	"users slow", "users result", "user create", "user create, all wrong", "user create denied", "user edit", "user rename", "user password",
	"own password", "user password once", "user password shown", "user e-mails", "users disable", "users delete", "users delete own",
	"user card", "user card denied", "user card result", "user card loading", "user card failed", "user card, revoke", "user card, session",
	"user card, policy", "user card, everywhere",
}

// TestGolden holds every screen against the frame kept of it, without colours.
func TestGolden(t *testing.T) {
	for _, name := range goldenScenes {
		for _, size := range [][2]int{{80, 24}, {140, 40}} {
			t.Run(name+" "+strconv.Itoa(size[0]), func(t *testing.T) {
				a := newTestApp(t, size[0], size[1], testAccounts(noon))
				scenes()[name](a)
				a.Update(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
				golden.RequireEqual(t, plainFrame(a)+"\n")
			})
		}
	}
}

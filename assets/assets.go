// Package assets holds the files that are built into the program.
package assets

import _ "embed" // for the files below

var (
	// SystemdUnit is the user unit of the agent. @PROGRAM@ stands for the program, @ENVIRONMENT@
	// for lines of Environment=.
	//
	//go:embed wakey.service
	SystemdUnit string

	// LaunchdAgent is its equal on macOS. @PROGRAM@ stands for the program, @ENVIRONMENT@ for
	// pairs of key and string, @LOG@ for the file that standard error goes to.
	//
	//go:embed wakey.agent.plist
	LaunchdAgent string
)

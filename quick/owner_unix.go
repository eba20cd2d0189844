//go:build unix

package quick

import (
	"io/fs"
	"os"
	"syscall"
)

// foreign tells whether a file belongs to another user, who is not root. Root itself works on
// everybody's files.
func foreign(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	me := os.Getuid()
	return ok && me != 0 && int(st.Uid) != me && st.Uid != 0
}

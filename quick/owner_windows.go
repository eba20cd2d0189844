package quick

import "io/fs"

// foreign: who may write a file is told by access lists there, which this does not read.
func foreign(fs.FileInfo) bool { return false }

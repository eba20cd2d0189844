package quick

import (
	"os"
	"strconv"
	"syscall"
)

// generationHead spans the age header, whose keys are drawn anew for each write.
const generationHead = 256

// Generation names what the store's accounts.age holds now. It is nil when others may read the file, or
// when there is none.
func Generation(dir string) []byte {
	f, err := openFile(inside(dir, "accounts.age"))
	if err != nil {
		return nil
	}
	defer f.close()
	var info syscall.Stat_t
	if syscall.Fstat(int(f), &info) != nil || info.Mode&0o077 != 0 || int(info.Uid) != os.Geteuid() {
		return nil
	}
	b := make([]byte, generationHead, generationHead+64)
	n, err := f.Read(b)
	if err != nil {
		return nil
	}
	b = append(b[:n], ' ')
	b = strconv.AppendInt(b, info.Size, 10)
	b = append(b, ' ')
	return strconv.AppendInt(b, info.Mtim.Nano(), 10)
}

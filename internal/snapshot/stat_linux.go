package snapshot

import (
	"fmt"
	"io/fs"
	"syscall"
)

// identity tells two files of one name, size and time apart: a rename over a
// file brings another inode, and a write another change time, whatever
// modification time is set afterwards.
func identity(info fs.FileInfo) string {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%d:%d %d.%09d", s.Dev, s.Ino, s.Ctim.Sec, s.Ctim.Nsec)
}

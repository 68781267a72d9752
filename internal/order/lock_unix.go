//go:build unix

package order

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// lockFolder takes the orders of a folder for this process; the lock ends with the file.
func lockFolder(folder string) (*os.File, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, down(err)
	}
	name := filepath.Join(folder, fileName+".lock")
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // of the configured folder
	if err != nil {
		return nil, down(err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		who, _ := io.ReadAll(io.LimitReader(f, 20))
		err = fmt.Errorf("%w: %s belongs to process %s; give each gateway a folder of its own (EMENDA_DATA), or one PostgreSQL for all (DATABASE_URL)",
			ErrTaken, filepath.Join(folder, fileName), strings.TrimSpace(string(who)))
	}
	if err == nil {
		err = errors.Join(f.Truncate(0), writeAt(f))
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// writeAt writes who has the lock.
func writeAt(f *os.File) error {
	_, err := f.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
	return err
}

//go:build unix

package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// ErrTaken tells that another process has the data folder.
var ErrTaken = errors.New("the data folder is in use by another gateway")

// lockFolder takes a data folder for this process; the lock ends with the file.
func lockFolder(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // of the configured folder
	if err != nil {
		return nil, fmt.Errorf("the data folder cannot be written: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = fmt.Errorf("%w: %s; give each a folder of its own (EMENDA_DATA), or one Redis for all (REDIS_URL)", ErrTaken, filepath.Dir(name))
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

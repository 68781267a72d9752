//go:build !unix

package store

import (
	"errors"
	"os"
)

// ErrTaken tells that another process has the data folder.
var ErrTaken = errors.New("the data folder is in use by another gateway")

// lockFolder opens the lock's file; where there are no locks, one gateway per folder is the operator's care.
func lockFolder(name string) (*os.File, error) {
	return os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
}

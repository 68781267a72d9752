//go:build !unix

package order

import (
	"os"
	"path/filepath"
)

// lockFolder opens the lock's file; where there are no locks, one gateway per folder is the operator's care.
func lockFolder(folder string) (*os.File, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	return os.OpenFile(filepath.Join(folder, fileName+".lock"), os.O_RDWR|os.O_CREATE, 0o600)
}

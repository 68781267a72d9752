package seal

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// FileName is the file of a data folder that holds the key made for it.
const FileName = "seal.key"

// Parse gives the key that base64 text stands for.
func Parse(text string) (*Key, error) {
	secret, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil {
		return nil, errors.New("a seal key is 32 bytes in base64")
	}
	return NewKey(secret)
}

// FromFolder gives the key kept in a data folder, making both when there is none yet.
func FromFolder(folder string) (*Key, error) {
	name := filepath.Join(folder, FileName)
	text, err := os.ReadFile(name) //nolint:gosec // a file of the configured folder
	if errors.Is(err, fs.ErrNotExist) {
		return makeFile(folder, name)
	}
	if err != nil {
		return nil, fmt.Errorf("the seal key cannot be read: %w", err)
	}
	k, err := Parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w; remove it to have a new one made: what the old one sealed is then lost", name, err)
	}
	return k, nil
}

func makeFile(folder, name string) (*Key, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("the data folder cannot be made: %w", err)
	}
	secret := make([]byte, KeySize)
	_, _ = rand.Read(secret)
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // as above
	if err != nil {
		return nil, fmt.Errorf("the seal key cannot be kept: %w", err)
	}
	_, err = f.WriteString(base64.StdEncoding.EncodeToString(secret) + "\n")
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the seal key cannot be kept: %w", err), os.Remove(name))
	}
	return NewKey(secret)
}

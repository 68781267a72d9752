// Package seal hides what is stored: values are sealed with AES-256-GCM, bound
// to the name they are stored under, and names are HMACs, so that neither a
// document nor a token can be read off a store. Everything is derived (HKDF)
// from one key of 32 bytes; while a new key replaces an old one there are two,
// and what either has sealed is found and opened.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"sync"
)

// KeySize is how many bytes a key has.
const KeySize = 32

// NameSize is how many bytes a name has.
const NameSize = sha256.Size

// Name is where something is stored: an HMAC.
type Name [NameSize]byte

// String gives the name as it stands in a store: base64 without padding.
func (n Name) String() string { return base64.RawURLEncoding.EncodeToString(n[:]) }

// The layout of what is sealed: version, id of the key, nonce, sealed text.
const (
	version   = 1
	idSize    = 4
	nonceSize = 12
	overhead  = 1 + idSize + nonceSize + 16
)

// ErrForeign tells that a text was sealed with none of the keys, or is none.
var ErrForeign = errors.New("sealed with another key, or damaged")

// Key seals and names with one key. It is safe for concurrent use.
type Key struct {
	id   [idSize]byte
	aead cipher.AEAD
	macs sync.Pool // of *mac

	tickets []byte
}

// mac is an HMAC to be used again.
type mac struct {
	hash hash.Hash
	sum  []byte
}

// NewKey derives what is needed from secret, which has KeySize bytes.
func NewKey(secret []byte) (*Key, error) {
	if len(secret) != KeySize {
		return nil, fmt.Errorf("a seal key has %d bytes, not %d", KeySize, len(secret))
	}
	derive := func(purpose string, n int) ([]byte, error) {
		return hkdf.Key(sha256.New, secret, nil, "emenda store "+purpose, n)
	}
	sealing, err := derive("seal", 32)
	if err != nil {
		return nil, err
	}
	naming, err := derive("name", 32)
	if err != nil {
		return nil, err
	}
	id, err := derive("id", idSize)
	if err != nil {
		return nil, err
	}
	tickets, err := derive("tickets", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(sealing)
	if err != nil {
		return nil, err
	}
	k := &Key{tickets: tickets}
	copy(k.id[:], id)
	if k.aead, err = cipher.NewGCM(block); err != nil {
		return nil, err
	}
	k.macs.New = func() any { return &mac{hash: hmac.New(sha256.New, naming), sum: make([]byte, 0, NameSize)} }
	return k, nil
}

// RandomKey gives a key that only this process has.
func RandomKey() *Key {
	secret := make([]byte, KeySize)
	_, _ = rand.Read(secret) // never fails, and crashes the program if it did
	k, err := NewKey(secret)
	if err != nil {
		panic(err) // of 32 bytes it always can
	}
	return k
}

// Tickets gives the key that callers' tickets are signed with.
func (k *Key) Tickets() []byte { return k.tickets }

// Name gives the HMAC of text.
func (k *Key) Name(text []byte) (n Name) {
	m := k.macs.Get().(*mac)
	m.hash.Reset()
	m.hash.Write(text)
	m.sum = m.hash.Sum(m.sum[:0])
	copy(n[:], m.sum)
	k.macs.Put(m)
	return n
}

// Seal appends plain, sealed and bound to the place it is stored at, to dst.
func (k *Key) Seal(dst []byte, place string, plain []byte) []byte {
	dst = append(dst, version)
	dst = append(dst, k.id[:]...)
	at := len(dst)
	dst = append(dst, make([]byte, nonceSize)...)
	_, _ = rand.Read(dst[at:])
	return k.aead.Seal(dst, dst[at:at+nonceSize], plain, []byte(place))
}

// Keys are the keys in force: the first seals, all open.
type Keys []*Key

// Open gives what was sealed for a place, with whichever key; ErrForeign when it is with none of them.
func (ks Keys) Open(place string, sealed []byte) ([]byte, error) {
	if len(sealed) < overhead || sealed[0] != version {
		return nil, ErrForeign
	}
	for _, k := range ks {
		if [idSize]byte(sealed[1:]) != k.id {
			continue
		}
		body := sealed[1+idSize:]
		plain, err := k.aead.Open(nil, body[:nonceSize], body[nonceSize:], []byte(place))
		if err != nil {
			return nil, ErrForeign
		}
		return plain, nil
	}
	return nil, ErrForeign
}

// MarshalText gives what String does.
func (n Name) MarshalText() ([]byte, error) { return []byte(n.String()), nil }

// UnmarshalText reads what MarshalText gave.
func (n *Name) UnmarshalText(text []byte) error {
	b, err := base64.RawURLEncoding.DecodeString(string(text))
	if err != nil || len(b) != NameSize {
		return errors.New("this is no name")
	}
	copy(n[:], b)
	return nil
}

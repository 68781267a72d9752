// Package store holds what requests share: the memory of recall and remember,
// and kept answers. This is the store of one process: it forgets with it, it
// is bounded, and its keys are HMACs under a key of the process, so that no
// document or name can be read off them.
package store

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"strconv"
	"sync"
	"time"

	"github.com/emenda-gateway/emenda/internal/mapping"
)

// Store is the store of one process. It is safe for concurrent use.
type Store struct {
	zone *time.Location

	mu       sync.Mutex
	mac      hash.Hash
	text     []byte // scratch: what is signed
	sum      []byte // scratch: its HMAC
	memories table
	answers  table
}

// keptText bounds the scratch that is kept.
const keptText = 4 << 10

// key is the HMAC of a memory's name, its window and the mapped key.
type key [sha256.Size]byte

// NewLocal gives a store that holds at most limit remembered values, and as
// many kept answers, and 64 MB of either; of more, those used longest ago go.
// Hours, days and months begin in zone.
func NewLocal(limit int, zone *time.Location) *Store {
	if zone == nil {
		zone = time.UTC
	}
	secret := make([]byte, sha256.Size)
	_, _ = rand.Read(secret) // never fails, and crashes the program if it did
	l := &Store{zone: zone, mac: hmac.New(sha256.New, secret)}
	l.memories.init(limit)
	l.answers.init(limit)
	return l
}

// Instant tells that nothing here waits for anything.
func (l *Store) Instant() {}

// Recall gives what was remembered under key, unless its time is over. Of a
// count it gives the number of this hour, day or month.
func (l *Store) Recall(_ context.Context, m *mapping.Memory, mapped []byte, now time.Time) (value []byte, found bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.memories.get(l.keyOf(m, mapped, now), now)
	if e == nil {
		return nil, false, nil
	}
	return e.value, true, nil
}

// errNotANumber never shows the value.
var errNotANumber = errors.New("a count grows by whole numbers only")

// Remember keeps value under key, for as long as m says. A count grows by value, or by one without.
func (l *Store) Remember(_ context.Context, m *mapping.Memory, mapped, value []byte, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.keyOf(m, mapped, now)
	if !m.Count {
		l.memories.put(k, append([]byte(nil), value...), l.until(m, now))
		return nil
	}
	by := int64(1)
	if len(value) > 0 {
		n, err := strconv.ParseInt(string(value), 10, 64)
		if err != nil {
			return fmt.Errorf("memory %s: %w", m.Name, errNotANumber)
		}
		by = n
	}
	if e := l.memories.get(k, now); e != nil {
		n, err := strconv.ParseInt(string(e.value), 10, 64)
		if err != nil {
			return fmt.Errorf("memory %s: %w", m.Name, errNotANumber)
		}
		l.memories.put(k, strconv.AppendInt(nil, n+by, 10), e.until) // who recalled the old number keeps it
		return nil
	}
	l.memories.put(k, strconv.AppendInt(nil, by, 10), l.until(m, now))
	return nil
}

// Load gives a kept answer.
func (l *Store) Load(name string, now time.Time) (body []byte, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.answers.get(l.sign(append(l.text[:0], name...)), now)
	if e == nil {
		return nil, false
	}
	return e.value, true
}

// Store keeps an answer until a time.
func (l *Store) Store(name string, body []byte, until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answers.put(l.sign(append(l.text[:0], name...)), body, until)
}

// Len gives how many values are remembered and how many answers are kept,
// those whose time is over and that nobody has asked for since among them.
func (l *Store) Len() (memories, answers int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.memories.at), len(l.answers.at)
}

// keyOf gives where a memory's value stands. A count by hour, day or month has
// a place for each, so that a late call never adds to the next.
func (l *Store) keyOf(m *mapping.Memory, mapped []byte, now time.Time) key {
	b := appendPiece(l.text[:0], m.Name)
	b = l.window(m, now).append(b)
	return l.sign(append(b, mapped...))
}

// appendPiece appends a piece with its length before it, so that no two
// lists of pieces give the same text.
func appendPiece(b []byte, piece string) []byte {
	return append(binary.BigEndian.AppendUint64(b, uint64(len(piece))), piece...)
}

// sign gives the HMAC of text, which becomes the scratch again.
func (l *Store) sign(text []byte) (k key) {
	l.mac.Reset()
	l.mac.Write(text)
	l.sum = l.mac.Sum(l.sum[:0])
	copy(k[:], l.sum)
	if cap(text) <= keptText {
		clear(text) // a document may stand in it
		l.text = text
	}
	return k
}

// window is the hour, day or month a value belongs to; the zero one is all time.
type window struct{ year, month, day, hour int }

func (w window) append(b []byte) []byte {
	for _, n := range [...]int{w.year, w.month, w.day, w.hour} {
		b = binary.BigEndian.AppendUint64(b, uint64(n)) // any number gives bytes of its own
	}
	return b
}

func (l *Store) window(m *mapping.Memory, now time.Time) window {
	now = now.In(l.zone)
	year, month, day := now.Date()
	switch m.Per {
	case "hour":
		return window{year, int(month), day, now.Hour() + 1}
	case "day":
		return window{year, int(month), day, 0}
	case "month":
		return window{year, int(month), 0, 0}
	}
	return window{}
}

// until gives when a value's time is over: after `for`, and with its hour,
// day or month. The zero time is never.
func (l *Store) until(m *mapping.Memory, now time.Time) time.Time {
	var until time.Time
	if m.For > 0 {
		until = now.Add(m.For)
	}
	now = now.In(l.zone)
	year, month, day := now.Date()
	var end time.Time
	switch m.Per {
	case "hour":
		end = time.Date(year, month, day, now.Hour()+1, 0, 0, 0, l.zone)
	case "day":
		end = time.Date(year, month, day+1, 0, 0, 0, 0, l.zone)
	case "month":
		end = time.Date(year, month+1, 1, 0, 0, 0, 0, l.zone)
	default:
		return until
	}
	if until.IsZero() || end.Before(until) {
		return end
	}
	return until
}

// Package store holds what requests and replicas share: the memory of recall
// and remember, kept answers, first answers of repeated requests, claims, the
// tokens of backends, and calls nobody knows the end of.
//
// With Redis every replica sees the same, sealed and under names nothing can
// be read off. Without it this process keeps everything; what must survive a
// restart also stands in a sealed file that is synced before a call goes out.
// Redis lost: reading goes on with what this process knows, what must not
// happen twice is refused, and both end by themselves.
package store

import (
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/observe"
	"github.com/emenda-gateway/emenda/internal/seal"
)

// ErrDown tells that what has to be kept for everybody cannot be.
var ErrDown = errors.New("the store cannot be reached")

// Options say where a store keeps things.
type Options struct {
	Limit   int              // of remembered values and of kept answers in this process, each; 64 MB bound either, too
	Keys    seal.Keys        // the first seals; none: one is made that ends with the process
	Redis   string           // redis://…; "": this process keeps everything
	Folder  string           // without Redis: where what must survive a restart is kept; "": nowhere
	Metrics *observe.Metrics // may be nil
	Log     *slog.Logger     // nil: silence
}

// Store is safe for concurrent use.
type Store struct {
	keys    seal.Keys
	metrics *observe.Metrics
	log     *slog.Logger
	local   *local
	remote  *remote // nil: without Redis

	listed atomic.Int64 // unknown calls, when they were last counted

	mu       sync.Mutex
	memories table // without Redis the only place; with it, what this process knows while it is lost
	answers  table
	tokens   tokens
	signIns  signIns
	rates    rates
}

// New gives a store; with Redis it need not be reachable yet. Close it.
func New(o Options) (*Store, error) {
	if len(o.Keys) == 0 {
		o.Keys = seal.Keys{seal.RandomKey()}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Store{keys: o.Keys, metrics: o.Metrics, log: o.Log}
	s.memories.init(o.Limit)
	s.answers.init(o.Limit)
	s.signIns.init()
	s.local = newLocal()
	switch {
	case o.Redis != "":
		var err error
		if s.remote, err = newRemote(s, o.Redis); err != nil {
			return nil, err
		}
	case o.Folder != "":
		if err := s.openJournal(o.Folder); err != nil {
			return nil, err
		}
	}
	s.metrics.StoreUp(s.remote == nil)
	s.metrics.Waiting(s.waiting)
	if s.remote != nil {
		s.remote.begin()
	}
	return s, nil
}

// NewLocal gives a store of this process alone, which forgets with it: at most
// limit remembered values, and as many kept answers, and 64 MB of either; of
// more, those used longest ago go.
func NewLocal(limit int) *Store {
	s, err := New(Options{Limit: limit})
	if err != nil {
		panic(err) // nothing is opened
	}
	return s
}

// Close lets go of Redis and the file. Calls after it find the store down.
func (s *Store) Close() error {
	if s.remote != nil {
		return s.remote.close()
	}
	return s.local.close()
}

// Instant tells that memory answers without waiting for anything: there is no Redis.
func (s *Store) Instant() bool { return s.remote == nil }

// Health is how a store is.
type Health struct {
	Shared bool      // there is a Redis to be reached
	Up     bool      // what must be kept can be
	Since  time.Time // when that began
}

// Health tells how the store is.
func (s *Store) Health() Health {
	if s.remote == nil {
		up, since := s.local.health()
		return Health{Up: up, Since: since}
	}
	up, since := s.remote.health()
	return Health{Shared: true, Up: up, Since: since}
}

// Recall gives what was remembered under key, unless its time is over. Of a
// count it gives the number of this hour, day or month. With Redis lost it
// gives what this process knows, and ErrDown when that is nothing.
func (s *Store) Recall(ctx context.Context, m *mapping.Memory, mapped []byte, now time.Time) (value []byte, found bool, err error) {
	if m.Count {
		return s.recallCount(ctx, m, mapped, now)
	}
	switch {
	case s.remote == nil && m.Durable:
		value, found = s.local.value(s.namesOf(kindMemory, m, mapped, now), now)
		return value, found, nil
	case s.remote == nil:
		spelled(kindMemory, m, mapped, now, func(text []byte) { value, found = s.known(s.keyOf(text), now) })
		return value, found, nil
	}
	names := s.namesOf(kindMemory, m, mapped, now)
	value, found, err = s.remote.get(ctx, names)
	if err != nil {
		if value, found = s.known(names[0][:], now); found {
			return value, true, nil
		}
		return nil, false, err
	}
	if found {
		s.know(names[0][:], value, until(m, now), false) // never shorter than in Redis
	}
	return value, found, nil
}

func (s *Store) recallCount(ctx context.Context, m *mapping.Memory, mapped []byte, now time.Time) ([]byte, bool, error) {
	if s.remote == nil {
		n := s.local.count(s.nameOf(kindClaim, m, mapped, now), now)
		return number(n), n > 0, nil
	}
	names := s.namesOf(kindClaim, m, mapped, now)
	n, err := s.remote.count(ctx, names)
	if err != nil {
		// At least what this process has granted itself, or was told last.
		own := number(s.local.count(names[0], now))
		if value, found := s.known(names[0][:], now); found {
			return value, true, nil
		}
		if len(own) > 0 {
			return own, true, nil
		}
		return nil, false, err
	}
	s.know(names[0][:], strconv.AppendInt(nil, n, 10), until(m, now), false) // also that there is none any more
	return number(n), n > 0, nil
}

// number writes a count; nothing for none.
func number(n int64) []byte {
	if n == 0 {
		return nil
	}
	return strconv.AppendInt(nil, n, 10)
}

// Remember keeps value under key, for as long as m says. Counts are not written, but claimed.
func (s *Store) Remember(ctx context.Context, m *mapping.Memory, mapped, value []byte, now time.Time) error {
	end := until(m, now)
	if s.remote == nil && !m.Durable {
		spelled(kindMemory, m, mapped, now, func(text []byte) { s.know(s.keyOf(text), value, end, true) })
		return nil
	}
	value = append([]byte(nil), value...)
	names := s.namesOf(kindMemory, m, mapped, now)
	if s.remote == nil {
		return s.local.keep(names, value, end)
	}
	s.know(names[0][:], value, end, false)
	return s.remote.put(ctx, names, value, end, now)
}

// keptKey is how long a text may be under which this process remembers a value.
const keptKey = 128

// keyOf gives the key in this process's table of what nobody else sees: the
// text itself, which costs no HMAC, since the value stands beside it as it is.
// In place of a long one its name is kept. No text is as short as a name.
func (s *Store) keyOf(text []byte) []byte {
	if len(text) <= keptKey {
		return text
	}
	n := s.keys[0].Name(text)
	return n[:]
}

// known gives what this process remembers under a key or name; know remembers it.
func (s *Store) known(key []byte, now time.Time) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.memories.get(key, now)
	if e == nil {
		return nil, false
	}
	return e.value, true
}

func (s *Store) know(key, value []byte, until time.Time, lent bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.memories.put(key, value, until, lent)
}

// Load gives a kept answer.
func (s *Store) Load(name string, now time.Time) (body []byte, ok bool) {
	at := s.keys[0].Name(append([]byte{kindAnswer}, name...))
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.answers.get(at[:], now)
	if e == nil {
		return nil, false
	}
	return e.value, true
}

// Store keeps an answer until a time.
func (s *Store) Store(name string, body []byte, until time.Time) {
	at := s.keys[0].Name(append([]byte{kindAnswer}, name...))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers.put(at[:], body, until, false)
}

// Len gives how many values are remembered and how many answers are kept in
// this process, those whose time is over and that nobody has asked for since among them.
func (s *Store) Len() (memories, answers int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.memories.at), len(s.answers.at)
}

// The kinds of what is kept; each has names of its own.
const (
	kindMemory = 'm'
	kindClaim  = 'c'
	kindRepeat = 'r'
	kindToken  = 't'
	kindRate   = 'l'
	kindAnswer = 'a'
	kindIntent = 'i'
)

// names gives a text's name under every key in force.
func (s *Store) names(text []byte) []seal.Name {
	names := make([]seal.Name, len(s.keys))
	for i, k := range s.keys {
		names[i] = k.Name(text)
	}
	return names
}

// appendPlace says where a memory's value stands. A count by hour, day or month
// has a place for each, so that a late call never adds to the next.
func appendPlace(b []byte, kind byte, m *mapping.Memory, mapped []byte, now time.Time) []byte {
	b = AppendPiece(append(b, kind), m.Name)
	b = windowOf(m, now).append(b)
	return append(b, mapped...)
}

// keptText bounds a scratch that is kept.
const keptText = 4 << 10

// scratch are buffers in which places are spelled out.
var scratch = sync.Pool{New: func() any { b := make([]byte, 0, 256); return &b }}

// spelled gives do the place of a memory's value. Nothing of it is left behind: a document may stand in it.
func spelled(kind byte, m *mapping.Memory, mapped []byte, now time.Time, do func(text []byte)) {
	buf := scratch.Get().(*[]byte)
	text := appendPlace((*buf)[:0], kind, m, mapped, now)
	do(text)
	if cap(text) <= keptText {
		clear(text)
		*buf = text[:0]
		scratch.Put(buf)
	}
}

// nameOf gives the name of a memory's value under the first key.
func (s *Store) nameOf(kind byte, m *mapping.Memory, mapped []byte, now time.Time) (n seal.Name) {
	spelled(kind, m, mapped, now, func(text []byte) { n = s.keys[0].Name(text) })
	return n
}

// namesOf gives the names of a memory's value under every key in force.
func (s *Store) namesOf(kind byte, m *mapping.Memory, mapped []byte, now time.Time) (names []seal.Name) {
	spelled(kind, m, mapped, now, func(text []byte) { names = s.names(text) })
	return names
}

// AppendPiece appends a piece with its length before it, so that no two lists
// of pieces give the same text.
func AppendPiece[T string | []byte](b []byte, piece T) []byte {
	return append(binary.BigEndian.AppendUint64(b, uint64(len(piece))), piece...)
}

// window is the hour, day or month a value belongs to; the zero one is all time.
type window struct{ year, month, day, hour int }

func (w window) append(b []byte) []byte {
	for _, n := range [...]int{w.year, w.month, w.day, w.hour} {
		b = binary.BigEndian.AppendUint64(b, uint64(n)) // any number gives bytes of its own
	}
	return b
}

// windowOf gives the window of now, in now's zone.
func windowOf(m *mapping.Memory, now time.Time) window {
	if m.Per == "" {
		return window{}
	}
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
func until(m *mapping.Memory, now time.Time) time.Time {
	var after time.Time
	if m.For > 0 {
		after = now.Add(m.For)
	}
	if m.Per == "" {
		return after
	}
	year, month, day := now.Date()
	var end time.Time
	switch m.Per {
	case "hour":
		end = time.Date(year, month, day, now.Hour()+1, 0, 0, 0, now.Location())
	case "day":
		end = time.Date(year, month, day+1, 0, 0, 0, 0, now.Location())
	case "month":
		end = time.Date(year, month+1, 1, 0, 0, 0, 0, now.Location())
	default:
		return after
	}
	if after.IsZero() || end.Before(after) {
		return end
	}
	return after
}

// Keys gives the keys in force, the first of which seals.
func (s *Store) Keys() seal.Keys { return s.keys }

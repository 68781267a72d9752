package token_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/token"
)

// shared is a Shared in memory. Locks are held until their holder unlocks or dies.
type shared struct {
	mu    sync.Mutex
	kept  map[string]token.Kept
	locks map[string]*bool
	// before is asked at the beginning of each question: "load", "save", "lock", "unlock".
	before func(ctx context.Context, what string) error
	asked  []string
}

func newShared() *shared {
	return &shared{kept: map[string]token.Kept{}, locks: map[string]*bool{}}
}

func (s *shared) ask(ctx context.Context, what, name string) error {
	s.mu.Lock()
	s.asked = append(s.asked, what+" "+name)
	before := s.before
	s.mu.Unlock()
	if before != nil {
		return before(ctx, what)
	}
	return nil
}

func (s *shared) LoadToken(ctx context.Context, name string) (token.Kept, bool, error) {
	if err := s.ask(ctx, "load", name); err != nil {
		return token.Kept{}, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	k, ok := s.kept[name]
	return k, ok, nil
}

func (s *shared) SaveToken(ctx context.Context, name string, k token.Kept) error {
	if err := s.ask(ctx, "save", name); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept[name] = k
	return nil
}

func (s *shared) LockToken(ctx context.Context, name string) (func(), bool, error) {
	if err := s.ask(ctx, "lock", name); err != nil {
		return nil, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.locks[name] != nil {
		return nil, false, nil
	}
	mine := new(bool)
	s.locks[name] = mine
	return func() {
		_ = s.ask(context.Background(), "unlock", name)
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.locks[name] == mine {
			delete(s.locks, name)
		}
	}, true, nil
}

// die frees what is locked: its holder is no longer alive.
func (s *shared) die() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.locks)
}

// when sets what happens before each question.
func (s *shared) when(before func(ctx context.Context, what string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = before
}

func (s *shared) locked() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.locks) > 0
}

// count tells how often a question was asked.
func (s *shared) count(what string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.asked {
		if a == what {
			n++
		}
	}
	return n
}

func (s *shared) keep(name string, k token.Kept) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept[name] = k
}

func (s *shared) find(name string) token.Kept {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept[name]
}

// issuer is a backend that gives tokens: a renewal ends the renewed one at once.
type issuer struct {
	now  func() time.Time
	life time.Duration

	mu     sync.Mutex
	serial int
	good   map[string]time.Time
	log    []string
	hold   chan struct{} // fetches wait for it
	down   error
}

func newIssuer(now func() time.Time, life time.Duration) *issuer {
	return &issuer{now: now, life: life, good: map[string]time.Time{}}
}

// fetch renews, once, or obtains, as the backend's client does.
func (i *issuer) fetch(ctx context.Context, old string) (string, error) {
	i.mu.Lock()
	hold := i.hold
	if old != "" {
		i.log = append(i.log, "renew "+i.short(old))
	}
	i.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if end, ok := i.good[old]; old != "" && ok && i.now().Before(end) {
		delete(i.good, old)
		return i.issue(), nil
	}
	i.log = append(i.log, "obtain")
	if i.down != nil {
		return "", i.down
	}
	return i.issue(), nil
}

// issue gives a token with readable times and number; i.mu is held.
func (i *issuer) issue() string {
	i.serial++
	now := i.now()
	value := jwt(fmt.Sprintf(`{"n":%d,"iat":%d,"exp":%d}`, i.serial, now.UnixMilli(), now.Add(i.life).UnixMilli()))
	i.good[value] = now.Add(i.life)
	return value
}

// short gives a token's number among those issued; i.mu is held.
func (i *issuer) short(value string) string {
	for n := i.serial; n > 0; n-- {
		if number(value) == n {
			return fmt.Sprintf("t%d", n)
		}
	}
	return "?"
}

// accepts tells whether the backend takes a token.
func (i *issuer) accepts(value string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	end, ok := i.good[value]
	return ok && i.now().Before(end)
}

// revoke ends every token.
func (i *issuer) revoke() {
	i.mu.Lock()
	defer i.mu.Unlock()
	clear(i.good)
}

func (i *issuer) set(change func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	change()
}

// told gives what was asked since the last time.
func (i *issuer) told() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	log := i.log
	i.log = nil
	return log
}

// source gives a replica's source.
func source(t testing.TB, keep token.Shared, i *issuer, change ...func(*token.Options)) *token.Source {
	t.Helper()
	o := token.Options{Fetch: i.fetch, Now: i.now, Shared: keep, Name: "erp", Timeout: 5 * time.Second}
	for _, f := range change {
		f(&o)
	}
	s := token.New(o)
	t.Cleanup(s.Close)
	return s
}

func get(t testing.TB, s *token.Source) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	v, err := s.Get(ctx)
	require.NoError(t, err)
	return v
}

// take takes the lock for one that will not give it back.
func take(t testing.TB, s *shared) {
	t.Helper()
	eventually(t, func() bool { return !s.locked() }, "who had it gives it back")
	_, ok, err := s.LockToken(context.Background(), "erp")
	require.NoError(t, err)
	require.True(t, ok)
}

// eventually waits for something that goroutines bring about.
func eventually(t testing.TB, is func() bool, why string) {
	t.Helper()
	require.Eventually(t, is, 5*time.Second, time.Millisecond, why)
}

var errDown = errors.New("down")

// always fails the questions named.
func always(err error, whats ...string) func(context.Context, string) error {
	return func(_ context.Context, what string) error {
		if slices.Contains(whats, what) {
			return err
		}
		return nil
	}
}

func (s *shared) ChangeToken(ctx context.Context, name string, change func(k *token.Kept, ok bool) bool) (bool, error) {
	if err := s.ask(ctx, "change", name); err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	k, ok := s.kept[name]
	done := change(&k, ok)
	if done {
		s.kept[name] = k
	}
	return done, nil
}

package store

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/emenda-gateway/emenda/internal/token"
)

var _ token.Shared = (*Store)(nil)

// lockLife bounds a lock whose holder is alive and never gives it back.
const lockLife = time.Minute

// tokens are the tokens of backends that this process knows.
type tokens struct {
	mu    sync.Mutex
	held  map[string]token.Kept
	locks map[string]bool // without Redis: fetches under way
}

func (t *tokens) save(name string, k token.Kept) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held == nil {
		t.held = map[string]token.Kept{}
	}
	t.held[name] = k
}

// tokenKeys gives the names of a token in Redis, one for each key in force.
func (s *Store) tokenKeys(name string) []string {
	return at(kindToken, s.names(append([]byte{kindToken}, name...)))
}

// LoadToken gives the token kept under name.
func (s *Store) LoadToken(ctx context.Context, name string) (k token.Kept, ok bool, err error) {
	if s.remote == nil {
		s.tokens.mu.Lock()
		defer s.tokens.mu.Unlock()
		k, ok = s.tokens.held[name]
		return k, ok, nil
	}
	if !s.remote.up.Load() {
		return k, false, ErrDown
	}
	for i, key := range s.tokenKeys(name) {
		sealed, err := s.remote.client.Get(ctx, key).Bytes()
		if errors.Is(err, redis.Nil) {
			continue
		}
		if err := s.remote.judge(ctx, err); err != nil {
			return k, false, err
		}
		text, err := s.keys[i:].Open(key, sealed)
		if err == nil && json.Unmarshal(text, &k) == nil {
			return k, true, nil
		}
	}
	return k, false, nil
}

// SaveToken keeps a token under name until its end.
func (s *Store) SaveToken(ctx context.Context, name string, k token.Kept) error {
	if s.remote == nil {
		s.tokens.save(name, k)
		return nil
	}
	if !s.remote.up.Load() {
		return ErrDown
	}
	life := time.Until(k.End)
	if life <= 0 {
		return nil
	}
	text, err := json.Marshal(k)
	if err != nil {
		return err
	}
	p := s.remote.client.Pipeline()
	for i, key := range s.tokenKeys(name) {
		p.Set(ctx, key, s.keys[i].Seal(nil, key, text), life)
	}
	_, err = p.Exec(ctx)
	return s.remote.judge(ctx, err)
}

// LockToken takes the fetch of a token, unless somebody who is alive has it.
func (s *Store) LockToken(ctx context.Context, name string) (unlock func(), ok bool, err error) {
	if s.remote == nil {
		return s.lockHere(name)
	}
	if !s.remote.up.Load() {
		return nil, false, ErrDown
	}
	keys := s.tokenKeys(name)
	key := keys[len(keys)-1] + ":lock" // the oldest key's name: every replica has it
	holder := s.local.me + "/" + strconv.FormatUint(serial.Add(1), 10)
	got, err := lockScript.Run(ctx, s.remote.client, []string{key}, holder, lockLife.Milliseconds(), alivePrefix).Int()
	if err := s.remote.judge(ctx, err); err != nil {
		s.remote.later(unlocking(s.remote, key, holder)) // it may have been taken all the same
		return nil, false, err
	}
	if got == 0 {
		return nil, false, nil
	}
	return func() { s.remote.surely(unlocking(s.remote, key, holder)) }, true, nil
}

func unlocking(r *remote, key, holder string) func(context.Context) error {
	return func(ctx context.Context) error {
		return r.judge(ctx, unlockScript.Run(ctx, r.client, []string{key}, holder).Err())
	}
}

func (s *Store) lockHere(name string) (unlock func(), ok bool, err error) {
	t := &s.tokens
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.locks[name] {
		return nil, false, nil
	}
	if t.locks == nil {
		t.locks = map[string]bool{}
	}
	t.locks[name] = true
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.locks, name)
	}, true, nil
}

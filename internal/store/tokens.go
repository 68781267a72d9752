package store

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
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
	return s.openToken(s.tokenKeys(name), func(key string) ([]byte, error) {
		sealed, err := s.remote.client.Get(ctx, key).Bytes()
		if errors.Is(err, redis.Nil) {
			return nil, err
		}
		return sealed, s.remote.judge(ctx, err)
	})
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
	if time.Until(k.End) <= 0 {
		return nil
	}
	p := s.remote.client.Pipeline()
	if err := s.putToken(ctx, p, s.tokenKeys(name), k); err != nil {
		return err
	}
	_, err := p.Exec(ctx)
	return s.remote.judge(ctx, err)
}

// changes bounds how often a change is tried that others come before.
const changes = 50

// ChangeToken changes the token kept under name.
func (s *Store) ChangeToken(ctx context.Context, name string, change func(k *token.Kept, ok bool) bool) (done bool, err error) {
	if s.remote == nil {
		s.tokens.mu.Lock()
		defer s.tokens.mu.Unlock()
		k, ok := s.tokens.held[name]
		k.Spare = slices.Clone(k.Spare)
		if !change(&k, ok) {
			return false, nil
		}
		if s.tokens.held == nil {
			s.tokens.held = map[string]token.Kept{}
		}
		s.tokens.held[name] = k
		return true, nil
	}
	if !s.remote.up.Load() {
		return false, ErrDown
	}
	keys := s.tokenKeys(name)
	for range changes {
		err = s.remote.client.Watch(ctx, func(tx *redis.Tx) error {
			k, ok, err := s.openToken(keys, func(key string) ([]byte, error) { return tx.Get(ctx, key).Bytes() })
			if err != nil {
				return err
			}
			if done = change(&k, ok); !done {
				return nil
			}
			_, err = tx.TxPipelined(ctx, func(p redis.Pipeliner) error { return s.putToken(ctx, p, keys, k) })
			return err
		}, keys...)
		if !errors.Is(err, redis.TxFailedErr) {
			break
		}
	}
	if errors.Is(err, redis.TxFailedErr) {
		return false, ErrDown // it is there, and too many others are
	}
	if err := s.remote.judge(ctx, err); err != nil {
		return false, err
	}
	return done, nil
}

// openToken gives what is kept under the first of some names that get finds.
func (s *Store) openToken(keys []string, get func(key string) ([]byte, error)) (k token.Kept, ok bool, err error) {
	for i, key := range keys {
		sealed, err := get(key)
		if errors.Is(err, redis.Nil) {
			continue
		}
		if err != nil {
			return k, false, err
		}
		text, err := s.keys[i:].Open(key, sealed)
		if err == nil && json.Unmarshal(text, &k) == nil {
			return k, true, nil
		}
	}
	return k, false, nil
}

// putToken keeps a token until its end, or drops one that has ended.
func (s *Store) putToken(ctx context.Context, p redis.Pipeliner, keys []string, k token.Kept) error {
	life := time.Until(k.End)
	if life <= 0 {
		p.Del(ctx, keys...)
		return nil
	}
	text, err := json.Marshal(k)
	if err != nil {
		return err
	}
	for i, key := range keys {
		p.Set(ctx, key, s.keys[i].Seal(nil, key, text), life)
	}
	return nil
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

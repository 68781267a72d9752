package store

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"
)

// Unknown is a call that changes something and that nobody knows the end of:
// its answer was lost, or the gateway that sent it ended before it came.
type Unknown struct {
	ID        string
	At        time.Time // when it was sent
	Lost      bool      // the answer was lost; else the gateway ended
	Route     string
	Step      string
	Operation string
	Caller    string
	RequestID string
	Key       string // JSON: what the request was about
}

// ErrNoUnknown tells that no call of that id is listed.
var ErrNoUnknown = errors.New("no call of this id is listed")

// Unknowns lists the calls people must look at, the oldest first. foreign
// counts those that were sealed with another key, and cannot be shown.
func (s *Store) Unknowns(ctx context.Context) (all []Unknown, foreign int, err error) {
	intents := s.local.unknowns(func(instance string) bool { return instance == s.local.me })
	if s.remote != nil {
		if intents, foreign, err = s.remote.unknowns(ctx); err != nil {
			return nil, 0, err
		}
	}
	for _, i := range intents {
		all = append(all, Unknown{
			ID: i.ID, At: i.At, Lost: i.State == stateUnknown, Route: i.Route, Step: i.Step,
			Operation: i.Operation, Caller: i.Caller, RequestID: i.RequestID, Key: i.Key,
		})
	}
	slices.SortFunc(all, func(a, b Unknown) int {
		if c := a.At.Compare(b.At); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return all, foreign, nil
}

// waiting gives how many calls are listed; with Redis lost, how many there were last.
func (s *Store) waiting() int {
	ctx, cancel := context.WithTimeout(context.Background(), redisTimeout)
	defer cancel()
	all, foreign, err := s.Unknowns(ctx)
	if err == nil {
		s.listed.Store(int64(len(all) + foreign))
	}
	return int(s.listed.Load())
}

// Done takes a call off the list: somebody has looked at it.
func (s *Store) Done(ctx context.Context, id string) error {
	all, _, err := s.Unknowns(ctx)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(all, func(u Unknown) bool { return u.ID == id }) {
		return ErrNoUnknown
	}
	if s.remote != nil {
		if err := s.remote.settle(ctx, nil, &intent{ID: id}); err != nil {
			return err
		}
	}
	return s.local.finish(id)
}

// finish drops an intent for good.
func (l *local) finish(id string) error {
	l.mu.Lock()
	i := &intent{ID: id}
	delete(l.intents, id)
	written := l.log(func(b *batch) { b.intent(i) })
	l.mu.Unlock()
	return l.journal.sync(written)
}

// unknowns lists those of every replica.
func (r *remote) unknowns(ctx context.Context) (all []*intent, foreign int, err error) {
	if !r.up.Load() {
		return nil, 0, ErrDown
	}
	kept, err := r.client.HGetAll(ctx, intentsName).Result()
	if err := r.judge(ctx, err); err != nil {
		return nil, 0, err
	}
	living := map[string]bool{}
	for id, sealed := range kept {
		i := new(intent)
		text, err := r.s.keys.Open(intentsName+":"+id, []byte(sealed))
		if err != nil || json.Unmarshal(text, i) != nil {
			foreign++
			continue
		}
		if i.State == stateSent {
			alive, known := living[i.Instance]
			if !known {
				n, err := r.client.Exists(ctx, alivePrefix+i.Instance).Result()
				if err := r.judge(ctx, err); err != nil {
					return nil, 0, err
				}
				alive = n > 0
				living[i.Instance] = alive
			}
			if alive {
				continue // its answer may still come
			}
		}
		all = append(all, i)
	}
	return all, foreign, nil
}

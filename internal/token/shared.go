package token

import (
	"context"
	"time"
)

// Kept is a token as it is kept for everybody who shares a Shared.
type Kept struct {
	Value string
	Renew time.Time // from here on it is renewed while it is still used
	End   time.Time // from here on it is not used

	// Where answers bring the token: others that were told of, the latest last,
	// and until when requests go out one at a time.
	Spare []string  `json:",omitempty"`
	Alone time.Time `json:",omitzero"`
}

// Shared keeps tokens between sources: those of other replicas, and those of
// this process before and after a reload. It must be safe for concurrent use.
// An error means that it cannot be reached; a source then fetches for itself.
// A context bounds the question, not what comes of it: a lock outlives it.
type Shared interface {
	// LoadToken gives the token kept under name; ok is false when there is none.
	LoadToken(ctx context.Context, name string) (k Kept, ok bool, err error)
	// SaveToken keeps a token under name until its end.
	SaveToken(ctx context.Context, name string, k Kept) error
	// ChangeToken lets change look at the token kept under name, which ok tells
	// of, and change it: nobody else does meanwhile. It may ask change again.
	// done is false when change did nothing; a token that has ended is dropped.
	ChangeToken(ctx context.Context, name string, change func(k *Kept, ok bool) bool) (done bool, err error)
	// LockToken takes the fetch of the token called name for the caller; ok is
	// false while somebody who is still alive has it. unlock gives it back; it
	// is nil when ok is false.
	LockToken(ctx context.Context, name string) (unlock func(), ok bool, err error)
}

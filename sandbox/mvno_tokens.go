package sandbox

import (
	"crypto/rand"
	"sync"
	"time"
)

// mvnoTokens are the platform's tokens. Several may hold at a time: the newest,
// and older ones within their grace.
type mvnoTokens struct {
	now     func() time.Time
	started MVNOOptions

	mu       sync.Mutex
	settings MVNOOptions
	current  string
	// until says when a token ends; the zero time: not by itself.
	until map[string]time.Time
	// since counts the answers since the last rotation, or since it was set.
	since                    int
	issued, answers, refused int
}

// mvnoHanded is a token in an answer; none when it is "".
type mvnoHanded struct {
	token string
	life  time.Duration
}

func newMVNOTokens(o MVNOOptions, now func() time.Time) *mvnoTokens {
	t := &mvnoTokens{now: now, started: o, until: map[string]time.Time{}}
	t.reset()
	return t
}

// reset makes the first token hold again and everything else as at the start.
// The newest token goes on holding, as the ERP's do.
func (t *mvnoTokens) reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.settings = t.started
	t.since, t.issued, t.answers, t.refused = 0, 1, 0, 0
	for token := range t.until {
		if token != t.current {
			delete(t.until, token)
		}
	}
	if t.current == "" || !t.holds(t.current) {
		t.current = t.started.Token
	}
	t.until[t.started.Token] = t.end()
}

// end is when a token that is issued now ends by itself.
func (t *mvnoTokens) end() time.Time {
	if t.settings.Life == 0 {
		return time.Time{}
	}
	return t.now().Add(t.settings.Life)
}

func (t *mvnoTokens) holds(token string) bool {
	until, ok := t.until[token]
	return ok && (until.IsZero() || t.now().Before(until))
}

// good says whether a token holds, and counts those that do not.
func (t *mvnoTokens) good(token string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	ok := t.holds(token)
	if !ok {
		t.refused++
	}
	return ok
}

// knows checks a user and a password, and counts the wrong ones.
func (t *mvnoTokens) knows(user, password string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	ok := same(user, t.started.User) && same(password, t.started.Password)
	if !ok {
		t.refused++
	}
	return ok
}

// revoke ends a token at once.
func (t *mvnoTokens) revoke(token string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.until, token)
}

// answered counts an answer and renews the token when it is time.
func (t *mvnoTokens) answered() mvnoHanded {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.answers++
	t.since++
	if t.settings.RotateEvery == 0 || t.since < t.settings.RotateEvery {
		return mvnoHanded{}
	}
	return t.renew()
}

// login tells the token that holds, or makes one.
func (t *mvnoTokens) login() mvnoHanded {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.settings.LoginRenews || !t.holds(t.current) {
		return t.renew()
	}
	life := t.settings.Life
	if until := t.until[t.current]; !until.IsZero() {
		life = until.Sub(t.now())
	}
	return mvnoHanded{t.current, life}
}

// renew issues a token; the others end with the grace.
func (t *mvnoTokens) renew() mvnoHanded {
	now := t.now()
	ends := now.Add(t.settings.Grace)
	for token, until := range t.until {
		if until.IsZero() || ends.Before(until) {
			t.until[token] = ends
		}
		if !t.holds(token) {
			delete(t.until, token)
		}
	}
	t.since = 0
	t.issued++
	t.current = rand.Text()
	t.until[t.current] = t.end()
	return mvnoHanded{t.current, t.settings.Life}
}

// change sets what may be set while running. The next rotation counts from here.
func (t *mvnoTokens) change(set func(*MVNOOptions)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	set(&t.settings)
	t.since = 0
}

func (t *mvnoTokens) step() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.settings.PortStep
}

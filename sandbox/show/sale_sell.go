package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"
)

// counter is the gateways that sales are sent to, whichever of them live.
type counter struct {
	mu      sync.Mutex
	live    []*member
	ids     map[int][]string // by the sale: what each 202 said
	taken   int              // 202
	refused map[string]int   // answers that were no 202, and connections that failed
}

func newCounter() *counter { return &counter{ids: map[int][]string{}, refused: map[string]int{}} }

// serve says which gateways live. A copy of each is kept: it gets another address
// when it is started again.
func (c *counter) serve(live ...*member) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.live = nil
	for _, m := range live {
		one := *m
		c.live = append(c.live, &one)
	}
}

// one gives a gateway that lives, or did a moment ago.
func (c *counter) one() *member {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.live) == 0 {
		return nil
	}
	return c.live[rand.IntN(len(c.live))]
}

// sellAll sends a sale twice, at once or one after the other, and says that it is
// installed, each until it is taken.
func (c *counter) sellAll(k *killedSale, patience time.Duration) error {
	deadline := time.Now().Add(patience)
	var both sync.WaitGroup
	failed := make([]error, 2)
	for i := range 2 {
		both.Go(func() {
			if i == 1 && k.n%2 == 0 {
				time.Sleep(time.Duration(rand.IntN(3000)) * time.Millisecond)
			}
			failed[i] = c.insist(k, deadline)
		})
	}
	both.Wait()
	for _, err := range failed {
		if err != nil {
			return err
		}
	}
	if k.kind == lineSale {
		return nil
	}
	if k.n%3 != 0 {
		time.Sleep(time.Duration(rand.IntN(4000)) * time.Millisecond)
	}
	c.mu.Lock()
	id := c.ids[k.n][0]
	c.mu.Unlock()
	for {
		var err error
		if m := c.one(); m != nil {
			if err = m.install(id); err == nil {
				return nil
			}
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s could not be installed: %w", k, err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// insist sends a sale until it is taken.
func (c *counter) insist(k *killedSale, deadline time.Time) error {
	for {
		last := "no gateway lives"
		if m := c.one(); m != nil {
			a, err := m.post(k.body, k.key)
			var said struct{ ID string }
			switch {
			case err != nil:
				last = "no answer"
			case a.status == http.StatusAccepted && a.read(&said) == nil && said.ID != "":
				c.mu.Lock()
				c.taken++
				c.ids[k.n] = append(c.ids[k.n], said.ID)
				c.mu.Unlock()
				return nil
			case a.status >= 500:
				last = fmt.Sprint(a.status)
			default:
				return fmt.Errorf("%s: %s", k, a)
			}
		}
		c.mu.Lock()
		c.refused[last]++
		c.mu.Unlock()
		if time.Now().After(deadline) {
			return fmt.Errorf("%s is not taken: %s", k, last)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// told gives the ids that a sale was given, each once.
func (c *counter) told(n int) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	ids := slices.Clone(c.ids[n])
	slices.Sort(ids)
	return slices.Compact(ids)
}

package sandbox

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

const (
	// keptCalls bounds the ring of recorded calls.
	keptCalls = 1024
	// keptBody bounds what is kept of one body; uploads of 25 MB are part of
	// the ERP's document.
	keptBody = 64 << 10
)

// Call is one request as it arrived, recorded before it is answered, so that
// whoever holds an answer finds its call here.
type Call struct {
	// Operation is the catalogue's id, empty when no operation has this
	// method and path.
	Operation string
	Method    string
	// Path is the path as it was sent, doubled slashes and escapes included.
	Path   string
	Query  url.Values
	Header http.Header
	// Body is at most the first 64 KiB; nil when the connection was cut
	// before the body was read.
	Body []byte
	// Faults are the kinds applied to this call.
	Faults []Kind
	// At is when it arrived by the sandbox's clock.
	At time.Time
}

// calls is a bounded ring and the counts, which the bound does not touch.
type calls struct {
	mu     sync.Mutex
	ring   []Call
	next   int
	counts map[string]int
}

// add records one call; read says whether the whole request was read.
func (c *calls) add(call Call, read bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.ring) < keptCalls {
		c.ring = append(c.ring, call)
	} else {
		c.ring[c.next] = call
		c.next = (c.next + 1) % keptCalls
	}
	if !read {
		return
	}
	if c.counts == nil {
		c.counts = make(map[string]int)
	}
	c.counts[call.Operation]++
}

func (c *calls) all() []Call {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]Call, 0, len(c.ring))
	for _, call := range slices.Concat(c.ring[c.next:], c.ring[:c.next]) {
		call.Header = call.Header.Clone()
		call.Body = slices.Clone(call.Body)
		call.Faults = slices.Clone(call.Faults)
		query := make(url.Values, len(call.Query))
		for name, values := range call.Query {
			query[name] = slices.Clone(values)
		}
		call.Query = query
		out = append(out, call)
	}
	return out
}

func (c *calls) count(operation string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counts[operation]
}

// each gives the counts of all operations.
func (c *calls) each() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	counts := map[string]int{}
	maps.Copy(counts, c.counts)
	return counts
}

func (c *calls) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ring, c.next, c.counts = nil, 0, nil
}

// Calls gives what arrived since the start or the last Reset, oldest first, at
// most the newest 1024. Requests to /_sandbox/ are not among them.
func (s *Sandbox) Calls() []Call { return s.calls.all() }

// Count gives how many calls of an operation were read whole, whatever was
// answered: a call that a fault cut before it was read is in Calls but does
// not count. "" counts the calls that no operation answers.
func (s *Sandbox) Count(operation string) int { return s.calls.count(operation) }

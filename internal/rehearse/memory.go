package rehearse

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/emenda-gateway/emenda/internal/flow"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/store"
)

// Memory is what is remembered during a rehearsal.
type Memory struct {
	mu      sync.Mutex
	entries map[string]map[string][]byte // memory, key → value
	down    bool                         // the store cannot be reached
}

// NewMemory gives a memory that holds what is given; down tells that it cannot be reached.
func NewMemory(given map[string][]mapping.MemoryEntry, down bool) *Memory {
	m := &Memory{down: down, entries: map[string]map[string][]byte{}}
	for name, entries := range given {
		for _, e := range entries {
			m.set(name, e.Key.AppendJSON(nil), e.Value.AppendJSON(nil))
		}
	}
	return m
}

func (m *Memory) set(name string, key, value []byte) {
	if m.entries[name] == nil {
		m.entries[name] = map[string][]byte{}
	}
	m.entries[name][string(key)] = slices.Clone(value)
}

// Instant tells that nothing here waits for anything.
func (m *Memory) Instant() bool { return true }

// claim takes one of a count, unless that would be over the limit.
func (m *Memory) claim(a *flow.Admission) bool {
	if a.Claim == nil {
		return true
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.number(a)
	if n >= a.Limit {
		return false
	}
	m.set(a.Claim.Name, a.Key, strconv.AppendInt(nil, n+1, 10))
	return true
}

// unclaim gives one back.
func (m *Memory) unclaim(a *flow.Admission) {
	if a.Claim == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := m.number(a) - 1; n > 0 {
		m.set(a.Claim.Name, a.Key, strconv.AppendInt(nil, n, 10))
	} else {
		delete(m.entries[a.Claim.Name], string(a.Key))
	}
}

func (m *Memory) number(a *flow.Admission) int64 {
	n, _ := strconv.ParseInt(string(m.entries[a.Claim.Name][string(a.Key)]), 10, 64) // the loader has checked what a test gives
	return n
}

// Recall finds a remembered value.
func (m *Memory) Recall(_ context.Context, of *mapping.Memory, key []byte, _ time.Time) ([]byte, bool, error) {
	if m.down {
		return nil, false, store.ErrDown
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	value, found := m.entries[of.Name][string(key)]
	return value, found, nil
}

// Remember keeps a value.
func (m *Memory) Remember(_ context.Context, of *mapping.Memory, key, value []byte, _ time.Time) error {
	if m.down {
		return store.ErrDown
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.set(of.Name, key, value)
	return nil
}

// Check tells where the memory differs from what is expected afterwards.
func (m *Memory) Check(want map[string][]mapping.MemoryEntry) (failures []string) {
	for _, name := range slices.Sorted(maps.Keys(want)) {
		for _, e := range want[name] {
			key := string(e.Key.AppendJSON(nil))
			have, found := m.entries[name][key]
			if !found {
				failures = append(failures, fmt.Sprintf("memory %s has nothing under %s", name, key))
				continue
			}
			failures = append(failures, Compare("memory "+name+" "+key, e.Value.AppendJSON(nil), have, Exactly)...)
		}
		for _, key := range slices.Sorted(maps.Keys(m.entries[name])) {
			if !slices.ContainsFunc(want[name], func(e mapping.MemoryEntry) bool { return string(e.Key.AppendJSON(nil)) == key }) {
				failures = append(failures, fmt.Sprintf("memory %s holds %s under %s, expected nothing", name, m.entries[name][key], key))
			}
		}
	}
	return failures
}

// formJSON gives a form body as JSON text fields, to compare it.
func formJSON(body []byte) []byte {
	fields := map[string]string{}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return body
	}
	for name := range values {
		fields[name] = values.Get(name)
	}
	out, err := json.Marshal(fields)
	if err != nil {
		return body
	}
	return out
}

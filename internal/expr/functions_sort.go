package expr

import (
	"sort"
	"sync"

	"github.com/emenda-gateway/emenda/internal/jsonx"
)

// sortKey is one field elements are ordered by.
type sortKey struct {
	field      string
	descending bool
	whole      bool // the element itself is the key
}

// sorter orders the elements of a list by keys read once each. Sorters are
// pooled so that a sort in a request allocates nothing once warm.
type sorter struct {
	keys     []sortKey
	elems    []jsonx.Value
	values   []jsonx.Value // len(keys) for each element
	order    []int32       // indexes into elems
	repeated []bool        // by markRepeated, for each element
}

var sorters = sync.Pool{New: func() any { return new(sorter) }}

func newSorter(keys []sortKey) *sorter {
	s := sorters.Get().(*sorter)
	s.keys = keys
	return s
}

// maxKept bounds what a pooled sorter holds on to.
const maxKept = 1 << 14

// release forgets the values, so that the pool keeps no request's bytes alive.
func (s *sorter) release() {
	if cap(s.values) > maxKept {
		return
	}
	clear(s.elems)
	clear(s.values)
	s.elems, s.values, s.order, s.repeated, s.keys = s.elems[:0], s.values[:0], s.order[:0], s.repeated[:0], nil
	sorters.Put(s)
}

func (s *sorter) fill(list jsonx.Value) {
	for it := list.Iter(); it.Next(); {
		v := it.Value()
		s.order = append(s.order, int32(len(s.elems)))
		s.elems = append(s.elems, v)
		for _, k := range s.keys {
			if k.whole {
				s.values = append(s.values, v)
			} else {
				s.values = append(s.values, v.Get(k.field))
			}
		}
	}
}

// alike tells whether all values of key k are numbers, or all texts.
func (s *sorter) alike(k int) bool {
	kind := jsonx.Absent
	for i := k; i < len(s.values); i += len(s.keys) {
		v := s.values[i]
		switch {
		case v.None():
		case v.Kind() != jsonx.Number && v.Kind() != jsonx.String:
			return false
		case kind == jsonx.Absent:
			kind = v.Kind()
		case kind != v.Kind():
			return false
		}
	}
	return true
}

func (s *sorter) sort() { sort.Stable(s) }

// Len, Swap and Less are for package sort.
func (s *sorter) Len() int           { return len(s.order) }
func (s *sorter) Swap(i, j int)      { s.order[i], s.order[j] = s.order[j], s.order[i] }
func (s *sorter) Less(i, j int) bool { return s.compare(s.order[i], s.order[j]) < 0 }

func (s *sorter) compare(a, b int32) int {
	n := int32(len(s.keys))
	for k := range n {
		x, y := s.values[a*n+k], s.values[b*n+k]
		switch {
		case x.None() && y.None():
			continue
		case x.None():
			return 1
		case y.None():
			return -1
		}
		order := orderOf(x, y)
		if s.keys[k].descending {
			order = -order
		}
		if order != 0 {
			return order
		}
	}
	return 0
}

// orderOf orders two scalars: by kind, then by value.
func orderOf(x, y jsonx.Value) int {
	if x.Kind() != y.Kind() {
		return int(x.Kind()) - int(y.Kind())
	}
	if x.Kind() == jsonx.Bool {
		switch {
		case x.Bool() == y.Bool():
			return 0
		case y.Bool():
			return -1
		}
		return 1
	}
	order, _ := jsonx.Compare(x, y)
	return order
}

// markRepeated marks, after sorting, the elements that equal an earlier one: the sort is stable.
func (s *sorter) markRepeated() {
	for range s.elems {
		s.repeated = append(s.repeated, false)
	}
	for i := 1; i < len(s.order); i++ {
		if s.compare(s.order[i-1], s.order[i]) == 0 {
			s.repeated[s.order[i]] = true
		}
	}
}

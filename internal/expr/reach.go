package expr

import (
	"github.com/expr-lang/expr/ast"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/jsonx"
)

// reach is how a value is read that stands somewhere: out of a slot, or of
// another value, and then by one key after the other. However long the way, it
// is one closure.
type reach struct {
	from evalFunc // nil: the slot
	slot int
	how  slotKind
	bare bool  // without lack
	lack lack  // of what stands at the beginning
	hops []hop // the keys
}

// slotKind is what reading an empty slot gives.
type slotKind uint8

const (
	plainSlot slotKind = iota // nothing
	letSlot                   // the let is computed
	nowSlot                   // the time of the request
)

// hop reads a member.
type hop struct {
	key  jsonx.Key
	bare bool // without lack
	lack lack
}

// lack is the failure of what must have a value and has none.
type lack struct {
	at      diag.Span
	message string
}

// reachOf gives the way to what a name stands for.
func reachOf(nm *Name) *reach {
	r := &reach{slot: nm.Slot, bare: true}
	switch {
	case nm.Kind == LetName:
		r.how = letSlot
	case nm.Type != nil && nm.Type.Kind == TimeType && nm.Kind == PlainName:
		r.how = nowSlot
	}
	return r
}

// read makes e what stands at the end of r.
func (e *ex) read(r *reach) { e.reach, e.eval = r, r.compile() }

// member gives the way to a member of e.
func (e *ex) member(key string) *reach {
	r := e.reach
	if r == nil {
		r = &reach{from: e.eval, bare: true}
	}
	far := *r
	far.hops = append(r.hops[:len(r.hops):len(r.hops)], hop{key: jsonx.NewKey(key), bare: true})
	return &far
}

// harden makes the evaluation of e, which is node n, fail by name when its value is missing at run time.
func (c *checker) harden(e *ex, n ast.Node) { e.harden(lack{c.at(n), "no value: " + c.words(n)}) }

func (e *ex) harden(l lack) {
	e.hard = true
	if e.reach == nil {
		eval := e.eval
		e.eval = func(f *Frame) jsonx.Value {
			v := eval(f)
			if v.None() {
				return f.failAt(&l.at, l.message)
			}
			return v
		}
		return
	}
	r := *e.reach
	if k := len(r.hops) - 1; k >= 0 {
		r.hops = append([]hop(nil), r.hops...)
		r.hops[k].bare, r.hops[k].lack = false, l
	} else {
		r.bare, r.lack = false, l
	}
	e.read(&r)
}

// compile gives the code.
func (r *reach) compile() evalFunc {
	slot := r.slot
	switch {
	case r.from != nil:
		return r.walk
	case len(r.hops) == 0 && r.bare && r.how == plainSlot:
		return func(f *Frame) jsonx.Value { return f.slots[slot] }
	case len(r.hops) == 0 && r.bare && r.how == letSlot:
		return func(f *Frame) jsonx.Value {
			if f.state[slot] == slotSet {
				return f.slots[slot]
			}
			return f.Get(slot)
		}
	case len(r.hops) == 1 && r.how == plainSlot:
		return r.step
	}
	return r.walk
}

// step goes the usual way: out of a slot, and by one key.
func (r *reach) step(f *Frame) jsonx.Value {
	v := f.slots[r.slot]
	if !r.bare && v.None() {
		return f.failAt(&r.lack.at, r.lack.message)
	}
	h := &r.hops[0]
	v = v.Member(h.key)
	if !h.bare && v.None() {
		return f.failAt(&h.lack.at, h.lack.message)
	}
	return v
}

// walk goes the way.
func (r *reach) walk(f *Frame) jsonx.Value {
	var v jsonx.Value
	switch {
	case r.from != nil:
		v = r.from(f)
	case r.how == plainSlot || f.state[r.slot] == slotSet:
		v = f.slots[r.slot]
	case r.how == letSlot:
		v = f.Get(r.slot)
	default:
		v = f.nowValue()
	}
	if !r.bare && v.None() {
		return f.failAt(&r.lack.at, r.lack.message)
	}
	for i := range r.hops {
		h := &r.hops[i]
		v = v.Member(h.key)
		if !h.bare && v.None() {
			return f.failAt(&h.lack.at, h.lack.message)
		}
	}
	return v
}

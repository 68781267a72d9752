package intake

import (
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

// ruling is one request held against rules.
type ruling struct {
	f       *expr.Frame
	lang    int
	strict  bool
	faulty  [][]string // places of the input that are not right; nothing may be made of what they hold
	problem *Problem   // nil while nothing is wrong
	warned  []Wrong
	failed  *expr.RuntimeError // a rule that could not be evaluated
}

// rule checks a rule, once or for each element.
func (k *ruling) rule(rule *mapping.Rule) {
	if k.touched(rule.Reads, nil) {
		return
	}
	if rule.Each == nil {
		k.check(rule)
		return
	}
	list := rule.Each.Value(k.f)
	if k.stopped() {
		return
	}
	for it := list.Iter(); it.Next(); {
		e := it.Value()
		if len(k.faulty) > 0 && len(rule.Own) > 0 && k.touched(rule.Own, pathOf(e.Get("pointer").Text())) {
			continue
		}
		k.f.Set(rule.Slot, e)
		if !k.f.Take(1) {
			k.stopped()
			return
		}
		if k.check(rule); k.failed != nil {
			return
		}
	}
}

// touched tells whether something that is read, below a place, is not right.
func (k *ruling) touched(reads []mapping.Read, below []string) bool {
	for _, at := range k.faulty {
		if n := min(len(at), len(below)); !slices.Equal(at[:n], below[:n]) {
			continue
		}
		rest := at[min(len(at), len(below)):]
		if slices.ContainsFunc(reads, func(r mapping.Read) bool { return r.Touched(rest) }) {
			return true
		}
	}
	return false
}

// check evaluates a rule.
func (k *ruling) check(rule *mapping.Rule) {
	holds := rule.That.Holds(k.f)
	var message, pointer jsonx.Value
	if k.f.Err() == nil && !holds {
		message = rule.Words(k.lang).Value(k.f)
		if rule.Pointer != nil && k.f.Err() == nil {
			pointer = rule.Pointer.Value(k.f)
		}
	}
	if k.stopped() || holds {
		return
	}
	wrong := Wrong{Pointer: pointer.Text(), Code: rule.Code, Detail: message.Text()}
	if rule.Warn && !k.strict {
		if len(k.warned) < maxFaults {
			k.warned = append(k.warned, wrong)
		}
		return
	}
	if k.problem == nil {
		k.problem = &Problem{Kind: mapping.BadInput}
	}
	if len(k.problem.Errors) >= maxFaults {
		return
	}
	k.problem.add(wrong)
	if rule.Pointer != nil {
		k.problem.Fields = append(k.problem.Fields, wrong.Pointer)
	}
}

// stopped tells whether the last evaluation failed. Where something is wrong
// with the input, that may be why, and is told already.
func (k *ruling) stopped() bool {
	err := k.f.Err()
	if err == nil {
		return false
	}
	k.f.Clear()
	if len(k.faulty) == 0 {
		k.failed = err
	}
	return true
}

// warnings gives what is warned of.
func (k *ruling) warnings() jsonx.Value {
	if len(k.warned) == 0 {
		return noWarnings
	}
	a := k.f.Arena
	m := a.Mark()
	b := append(a.Buf(), '[')
	for i := range k.warned {
		if i > 0 {
			b = append(b, ',')
		}
		b = k.warned[i].Append(b)
	}
	a.SetBuf(append(b, ']'))
	return a.Index(a.Text(m))
}

// pathOf gives the members and elements that a JSON Pointer leads through.
func pathOf(pointer string) []string {
	if pointer == "" {
		return nil
	}
	parts := strings.Split(pointer[1:], "/")
	for i, p := range parts {
		parts[i] = jsonx.PointerName(p)
	}
	return parts
}

package mapping

import (
	"slices"

	"github.com/emenda-gateway/emenda/internal/contract"
)

// outcomes are the ways something can end other than ok: states and their classes.
type outcomes map[contract.State]map[string]bool

func (o outcomes) add(s contract.State, classes ...string) {
	if o[s] == nil {
		o[s] = map[string]bool{}
	}
	for _, c := range classes {
		o[s][c] = true
	}
}

func (o outcomes) merge(other outcomes) {
	for s, classes := range other {
		for c := range classes {
			o.add(s, c)
		}
	}
}

// has tells whether class c can occur in some state.
func (o outcomes) has(c string) bool {
	for _, classes := range o {
		if classes[c] {
			return true
		}
	}
	return false
}

func (o outcomes) classes() []string {
	var all []string
	for _, classes := range o {
		for c := range classes {
			if !slices.Contains(all, c) {
				all = append(all, c)
			}
		}
	}
	slices.Sort(all)
	return all
}

// names gives what catch may name: states, classes and any.
func (o outcomes) names() []string {
	names := append([]string{"any"}, o.classes()...)
	for s := range o {
		names = append(names, s.String())
	}
	return names
}

// without gives what is left when class c is caught.
func (o outcomes) without(c string) {
	for s, classes := range o {
		delete(classes, c)
		if len(classes) == 0 {
			delete(o, s)
		}
	}
}

func (o outcomes) clone() outcomes {
	c := outcomes{}
	c.merge(o)
	return c
}

// callOutcomes are the ways a call of an operation can end.
func callOutcomes(op *contract.Operation) outcomes {
	o := outcomes{}
	o.add(contract.Refused, op.Classes(contract.Refused)...)
	o.add(contract.Failed, op.Classes(contract.Failed)...)
	o.add(contract.Failed,
		contract.ClassTimeout, contract.ClassBroken, contract.ClassBadAnswer,
		contract.ClassUnavailable, contract.ClassSignIn, contract.ClassTemplate)
	if op.Changes {
		o.add(contract.Unknown, op.Classes(contract.Unknown)...)
		o.add(contract.Unknown, contract.ClassTimeout, contract.ClassBroken)
		o.add(contract.Failed, contract.ClassStore) // what a route with repeat has to keep cannot be
	}
	return o
}

func claimOutcomes() outcomes {
	o := outcomes{}
	o.add(contract.Refused, contract.ClassLimit)
	o.add(contract.Failed, contract.ClassStore, contract.ClassTemplate)
	return o
}

func memoryOutcomes() outcomes {
	o := outcomes{}
	o.add(contract.Failed, contract.ClassStore, contract.ClassTemplate)
	return o
}

func useOutcomes() outcomes {
	o := outcomes{}
	o.add(contract.Failed, contract.ClassTemplate)
	return o
}

func failOutcomes() outcomes {
	o := outcomes{}
	o.add(contract.Refused, contract.ClassBusiness)
	return o
}

package mapping

import (
	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// Answers reads a file of answers for a plan's calls: a list such as stands
// under `upstream` in a test. set is what Load gave for the same world and texts.
func Answers(f *diag.File, plan *Plan, set *Set, texts map[string]*diag.File, w World) ([]*TestCall, diag.List) {
	root, list := yamldoc.Parse(f)
	if list.HasErrors() || root == nil {
		return nil, list
	}
	l := &loader{
		world: w, facts: readFacts(w.Config), texts: texts, set: set,
		flows:    map[string]*flowInfo{},
		requests: map[*Plan][]*contract.Operation{plan: set.Requests},
	}
	for name, p := range set.Flows {
		l.flows[name] = &flowInfo{plan: p}
	}
	l.list.Add(yamldoc.Check(root, listOf(testCallShape())))
	var calls []*TestCall
	if !l.list.HasErrors() {
		for _, n := range root.Items {
			calls = append(calls, l.testCall(n, plan))
		}
	}
	l.list.Sort()
	return calls, l.list
}

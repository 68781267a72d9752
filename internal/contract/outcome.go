package contract

import (
	"regexp"
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// rule is one entry of x-emenda-outcomes, compiled.
type rule struct {
	when    *expr.Condition
	reads   bool        // it reads the body
	needs   []jsonx.Key // members of the body without which it does not hold
	state   State
	class   string
	message *expr.Template
	scope   *ruleScope
}

// lacks tells, without running its condition, that a rule does not hold of an answer.
func (r *rule) lacks(answer jsonx.Value) bool {
	for _, k := range r.needs {
		if answer.Member(k).None() {
			return true
		}
	}
	return false
}

// membersOf gives the members of name that have a value wherever the facts hold.
func membersOf(name string, facts []expr.Fact) []jsonx.Key {
	var keys []jsonx.Key
	for _, f := range facts {
		// A path with more points, or brackets, may lead deeper; a name may hold them, too.
		if member, ok := strings.CutPrefix(f.Path, name+"."); ok && !strings.ContainsAny(member, ".[]") {
			keys = append(keys, jsonx.NewKey(member))
		}
	}
	return keys
}

// ruleScope is the frame of a contract's rules.
type ruleScope struct {
	layout         *expr.Layout
	answer, status int
}

// newScope gives a scope with `answer` and, when asked for, `status`.
func (l *loader) newScope(answer *expr.Type, withStatus bool) (*expr.Scope, *ruleScope) {
	layout := &expr.Layout{}
	s := expr.NewScope(layout, l.fns, nil)
	rs := &ruleScope{layout: layout, answer: layout.NewSlot()}
	define := func(n *expr.Name) {
		if err := s.Define(n); err != nil {
			// Only a plugin function of that name can be in the way.
			l.list.Errorf(l.root.FirstLine(), ruleOutcome, "%s", err)
		}
	}
	define(&expr.Name{Name: "answer", Type: answer, Slot: rs.answer})
	if withStatus {
		rs.status = layout.NewSlot()
		define(&expr.Name{Name: "status", Type: &expr.Type{Kind: expr.NumberType, Integer: true}, Slot: rs.status})
	}
	return s, rs
}

var className = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// outcomes reads rules; changes tells whether they may find that nobody knows
// what was done.
func (l *loader) outcomes(n *yamldoc.Node, changes bool) []*rule {
	var rules []*rule
	if len(items(n)) == 0 {
		return nil
	}
	scope, rs := l.newScope(&expr.Type{Null: true}, true)
	for _, item := range n.Items {
		r := &rule{scope: rs}
		class := item.Get("class")
		r.class = word(class)
		if r.class != "" && !className.MatchString(r.class) {
			l.list.Errorf(class.Span, ruleOutcome, "class %s cannot be named in a catch", short(r.class)).Help = "use lower-case letters, digits and _"
		}
		switch word(item.Get("is")) {
		case "ok":
			r.state = OK
			for _, k := range []string{"class", "message"} {
				if kn := item.KeyOf(k); kn != nil {
					l.list.Errorf(kn.Span, ruleOutcome, "an answer that is ok has no %s", k)
				}
			}
			r.class = ""
		case "refused":
			r.state = Refused
		case "failed":
			r.state = Failed
		case "unknown":
			r.state = Unknown
			if !changes {
				l.list.Errorf(item.Get("is").Span, ruleOutcome, "an operation that changes nothing is never unknown").Help = "write is: failed"
			}
		default:
			continue
		}
		switch {
		case r.class != "" || r.state == OK:
		case r.state == Unknown:
			r.class = ClassBadAnswer
		default:
			r.class = ClassBusiness
		}
		when := item.Get("when")
		if when == nil || when.Kind != yamldoc.Text && when.Kind != yamldoc.Bool {
			continue
		}
		var list diag.List
		r.when, list = expr.CompileCondition(when, scope)
		l.list.Add(list)
		bad := list.HasErrors()
		r.needs = membersOf("answer", condTrue(r.when))
		r.reads = slices.Contains(expr.FreeNames(expr.Source{Node: when, Bare: true}), "answer")
		if m := item.Get("message"); m != nil && m.Kind != yamldoc.Text {
			l.list.Errorf(m.FirstLine(), ruleOutcome, "a message is text, this is %s", m.Kind).Help = "write ${} over answer, or the words in quotes"
		} else if m != nil {
			r.message, list = expr.CompileTemplate(m, scope.Assume(condTrue(r.when)), expr.Target{What: "message", Optional: true})
			l.list.Add(list)
			bad = bad || list.HasErrors()
		}
		if !bad && r.when != nil {
			rules = append(rules, r)
		}
	}
	return rules
}

// stateOf gives what a rule makes of an answer of the operation: what changes
// nothing surely has not been done.
func (o *Operation) stateOf(r *rule) State {
	if r.state == Unknown && !o.Changes {
		return Failed
	}
	return r.state
}

// condTrue gives what holds when c does.
func condTrue(c *expr.Condition) []expr.Fact {
	if c == nil {
		return nil
	}
	return c.True
}

// Classes gives the classes that answers of the operation can have in state s
// by rules of the contract or of HTTP, each once; those of calls without an answer are not among them.
func (o *Operation) Classes(s State) []string {
	var all []string
	add := func(c string) {
		if !slices.Contains(all, c) {
			all = append(all, c)
		}
	}
	for _, r := range o.rules {
		if r.state != OK && o.stateOf(r) == s {
			add(r.class)
		}
	}
	switch {
	case s == Refused:
		add(ClassNotFound)
	case s == Failed:
		add(ClassSignIn)
		add(ClassStatus)
		if !o.Changes {
			add(ClassBadAnswer)
		}
	case s == Unknown && o.Changes:
		add(ClassStatus)
		add(ClassBadAnswer)
	}
	return all
}

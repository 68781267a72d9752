package expr

import (
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// Tracer tells where values come from, by the text of their expressions alone.
type Tracer struct {
	// Names gives what is known of a name: "input", "client", "steps.client"
	// for a member of the namespace steps. nil: nothing is.
	Names     func(name string) *Flow
	Functions *Functions
	bound     map[string]*Flow // $as names around, and those of With
}

// With gives a tracer that knows one more name.
func (t *Tracer) With(name string, is *Flow) *Tracer {
	out := *t
	out.bound = map[string]*Flow{name: is}
	for n, f := range t.bound {
		if n != name {
			out.bound[n] = f
		}
	}
	return &out
}

// Condition gives all that decides a bare condition.
func (t *Tracer) Condition(n *yamldoc.Node) []Origin {
	if n == nil || n.Kind != yamldoc.Text {
		return nil
	}
	r := reader{node: n, diags: new(diag.List)}
	toks, _ := r.scan(0, false)
	return t.expression(toks.parse()).Origins()
}

// Template gives what is known of a template's value.
func (t *Tracer) Template(n *yamldoc.Node) *Flow {
	if n == nil {
		return &Flow{}
	}
	switch n.Kind {
	case yamldoc.Text:
		return t.scalar(n)
	case yamldoc.List:
		out := &Flow{Elem: &Flow{}}
		for _, item := range n.Items {
			out.Elem = JoinFlows(out.Elem, t.Template(item))
		}
		return out
	case yamldoc.Map:
		return t.object(n)
	}
	return &Flow{}
}

// scalar takes a text: one ${…} is its value, several are put together.
func (t *Tracer) scalar(n *yamldoc.Node) *Flow {
	r := reader{node: n, diags: new(diag.List)}
	pieces, _ := r.split()
	var all []*Flow
	for _, p := range pieces {
		if p.toks == nil {
			continue
		}
		f := t.expression(p.toks.parse())
		if len(pieces) == 1 {
			if p.optional {
				f = JoinFlows(f)
				f.maybe = true
			}
			return f
		}
		all = append(all, f)
	}
	return computed(all...)
}

func (t *Tracer) object(n *yamldoc.Node) *Flow {
	switch {
	case n.Get("$each") != nil:
		list := t.Template(n.Get("$each"))
		inner := t
		if as := n.Get("$as"); as != nil {
			inner = t.With(as.Text, list.Element(""))
		}
		out := &Flow{Elem: inner.Template(n.Get("$item"))}
		return out.decidedBy(list.Extent()).decidedBy(inner.Template(n.Get("$if")).Origins())
	case n.Get("$if") != nil:
		out := JoinFlows(t.Template(n.Get("$then")), t.Template(n.Get("$else")))
		out.maybe = out.maybe || n.Get("$else") == nil
		return out.decidedBy(t.Template(n.Get("$if")).Origins())
	case n.Get("$concat") != nil:
		var all []*Flow
		for _, item := range n.Get("$concat").Items {
			all = append(all, t.Template(item))
		}
		return JoinFlows(all...)
	case n.Get("$merge") != nil:
		return t.merge(n.Get("$merge").Items)
	}
	out := &Flow{}
	for i := range n.Entries {
		out.Set(n.Entries[i].Key.Text, t.Template(n.Entries[i].Value))
	}
	return out
}

// merge puts objects together: what surely has a member replaces it.
func (t *Tracer) merge(items []*yamldoc.Node) *Flow {
	out := &Flow{}
	for _, item := range items {
		f := t.Template(item)
		for _, name := range f.Order {
			if !f.maybe && !f.Fields[name].maybe {
				out.Delete(name)
			}
		}
		out = JoinFlows(out, f)
	}
	return out
}

func (t *Tracer) expression(src *source) *Flow {
	if src == nil {
		return &Flow{}
	}
	w := &walk{Tracer: t, src: src}
	return w.of(src.root)
}

// walk is one expression under way.
type walk struct {
	*Tracer
	src   *source
	elems []*Flow // the elements of the list functions around, innermost last
}

func (w *walk) of(n ast.Node) *Flow {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return w.name(n.Value)
	case *ast.PointerNode:
		if k := len(w.elems); k > 0 {
			return w.elems[k-1]
		}
	case *ast.ChainNode:
		return w.of(n.Node)
	case *ast.MemberNode:
		return w.member(n)
	case *ast.SliceNode:
		out := w.of(n.Node)
		for _, bound := range []ast.Node{n.From, n.To} {
			if bound != nil {
				out = out.decidedBy(w.of(bound).Origins())
			}
		}
		return out
	case *ast.UnaryNode:
		if n.Operator == "not" || n.Operator == "!" {
			return tested(w.of(n.Node))
		}
		return computed(w.of(n.Node))
	case *ast.BinaryNode:
		return w.binary(n)
	case *ast.ConditionalNode:
		return JoinFlows(w.of(n.Exp1), w.of(n.Exp2)).decidedBy(w.of(n.Cond).Origins())
	case *ast.ArrayNode:
		out := &Flow{Elem: &Flow{}}
		for _, item := range n.Nodes {
			out.Elem = JoinFlows(out.Elem, w.of(item))
		}
		return out
	case *ast.MapNode:
		out := &Flow{}
		for _, p := range n.Pairs {
			if pair, ok := p.(*ast.PairNode); ok {
				if key, ok := pair.Key.(*ast.StringNode); ok {
					out.Set(key.Value, w.of(pair.Value))
				}
			}
		}
		return out
	case *ast.PredicateNode:
		return w.of(n.Node)
	case *ast.BuiltinNode:
		return w.call(n.Name, n.Arguments)
	case *ast.CallNode:
		if callee, ok := n.Callee.(*ast.IdentifierNode); ok {
			return w.call(callee.Value, n.Arguments)
		}
	}
	return &Flow{}
}

func (w *walk) name(name string) *Flow {
	if f := w.bound[name]; f != nil {
		return f
	}
	if f := w.Names(name); f != nil && !reserved[name] {
		return f
	}
	return &Flow{}
}

func (w *walk) member(n *ast.MemberNode) *Flow {
	name, literal := n.Property.(*ast.StringNode)
	if id, ok := n.Node.(*ast.IdentifierNode); ok && literal && id.Value == "steps" {
		return w.name("steps." + name.Value)
	}
	base := w.of(n.Node)
	if literal {
		return base.Member(name.Value)
	}
	index := ""
	switch n.Property.(type) {
	case *ast.IntegerNode, *ast.UnaryNode:
		index = strings.TrimSpace(w.src.raw(n.Property)) // [0] and [-1] are one element
	}
	return base.Element(index).decidedBy(w.of(n.Property).Origins())
}

func (w *walk) binary(n *ast.BinaryNode) *Flow {
	a, b := w.of(n.Left), w.of(n.Right)
	switch n.Operator {
	case "??":
		return JoinFlows(a, b)
	case "+", "-", "*", "/", "%":
		return computed(a, b)
	case "==", "!=":
		if _, none := n.Right.(*ast.NilNode); none {
			return present(a)
		}
	}
	return tested(a, b) // comparisons, and, or, in, contains and the like
}

// call takes a function: those of lists keep the elements apart, those that are
// true or false test, and of all others the result is made of the arguments.
func (w *walk) call(name string, args []ast.Node) *Flow {
	if len(args) == 0 {
		return &Flow{}
	}
	list := w.of(args[0])
	if _, is := predicates[name]; is {
		return w.predicate(name, list, args[1:])
	}
	switch name {
	case "list":
		return listed(list)
	case "only":
		return list.Element("")
	case "pointed":
		return pointedFlow(list)
	case "sort_by", "unique":
		for _, a := range args[1:] {
			if field, ok := a.(*ast.StringNode); ok {
				list = list.decidedBy(list.Element("").Member(strings.TrimPrefix(field.Value, "-")).Origins())
			}
		}
		return list
	case "money_sum":
		if field, ok := args[min(1, len(args)-1)].(*ast.StringNode); ok {
			list = list.Element("").Member(field.Value)
		}
	}
	all := []*Flow{list}
	for _, a := range args[1:] {
		all = append(all, w.of(a))
	}
	if fn := w.function(name); fn != nil && fn.Result != nil && fn.Result.Kind == BoolType {
		return tested(all...)
	}
	return computed(all...)
}

func (w *walk) function(name string) *Function {
	if w.Functions == nil {
		return nil
	}
	return w.Functions.byName[name]
}

func (w *walk) predicate(name string, list *Flow, rest []ast.Node) *Flow {
	body := &Flow{}
	if len(rest) > 0 {
		w.elems = append(w.elems, list.Element(""))
		body = w.of(rest[0])
		w.elems = w.elems[:len(w.elems)-1]
	}
	switch name {
	case "filter":
		return list.decidedBy(body.Origins())
	case "first", "find":
		return list.Element("").decidedBy(body.Origins())
	case "map":
		return &Flow{Elem: body, Decided: list.Extent()}
	case "sum":
		if len(rest) == 0 {
			body = list.Element("")
		}
		return computed(body, &Flow{Decided: list.Decided})
	case "len":
		return counted(list)
	case "count":
		return counted(list).decidedBy(body.Origins())
	}
	return tested(counted(list), body)
}

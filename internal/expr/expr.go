// Package expr checks and compiles what stands in ${…}, in bare conditions and
// in templates. The grammar is expr-lang's; types, checker and closures are
// ours: nullability, exact numbers, secret flow, bounds. Nothing is parsed or
// looked up by name during a request.
package expr

import (
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// Source is a YAML node to compile, and how: Bare conditions stand without ${}.
type Source struct {
	Node *yamldoc.Node
	Bare bool
}

// Info is what checking found out.
type Info struct {
	Type  *Type
	Uses  []Use // every step read, directly or through lets
	True  []Fact
	False []Fact
}

// Needs gives the names of the steps whose body is needed, each once.
func (i *Info) Needs() []string {
	var out []string
	for _, u := range i.Uses {
		if u.Need && !slices.Contains(out, u.Step) {
			out = append(out, u.Step)
		}
	}
	return out
}

// Condition is a compiled bare expression that gives true or false.
type Condition struct {
	Info
	eval condFunc
}

// CompileCondition compiles the bare expression of scalar n; its type must be boolean, never without value.
func CompileCondition(n *yamldoc.Node, s *Scope) (*Condition, diag.List) {
	var diags diag.List
	c := &Condition{Info: Info{Type: boolType}, eval: func(*Frame) bool { return false }}
	defer func() {
		for i := range diags {
			// What it was to tell is not known: nothing is told for the lack of it.
			if d := &diags[i]; d.Severity == diag.Error && d.Rule != "none" && d.Rule != "step-may-miss" {
				c.True, c.False = everything, everything
			}
		}
	}()
	switch {
	case n.Kind == yamldoc.Bool:
		b := n.Text == "true"
		c.eval = func(*Frame) bool { return b }
		return c, diags
	case n.Kind != yamldoc.Text:
		diags.Errorf(n.Span, "condition", "a condition is an expression that is true or false")
		return c, diags
	}
	r := reader{node: n, diags: &diags}
	if i := strings.Index(n.Text, "${"); i >= 0 {
		end := len(n.Text)
		if k := strings.IndexByte(n.Text[i:], '}'); k >= 0 {
			end = i + k + 1
		}
		// The same words as the check of the file's form, so that they are told once.
		r.errorf(i, end, "condition-braces", "a condition is an expression already").Help = "write the bare expression, without ${}"
		return c, diags
	}
	toks, _ := r.scan(0, false)
	src := toks.parse()
	if src == nil {
		return c, diags
	}
	e := (&checker{source: src, scope: s, uses: &c.Uses}).condition(src.root)
	c.True, c.False = e.yes, e.no
	c.eval = e.cond
	return c, diags
}

// Holds evaluates the condition; false when the frame has failed.
func (c *Condition) Holds(f *Frame) bool {
	return f.err == nil && c.eval(f) && f.err == nil
}

// Target says what a template's value must fit.
type Target struct {
	Type     *Type    // nil: anything that has a value
	What     string   // how messages name it: "body of shop.orders.create"
	Optional bool     // no value at all is allowed at the top (`${?…}` there gives Absent)
	Secrets  bool     // secret values may flow here where the target's field is marked secret; else never
	Deleted  []string // paths that are deleted from the value before it goes anywhere: secrets there flow nowhere
	taken    bool     // only its elements are taken out, and looked at where they go: secrets inside them may stand here
}

// Template is a compiled YAML value: scalars with ${…}, maps and lists of them, $each/$as/$if/$item, $if/$then/$else, $concat, $merge.
type Template struct {
	Info
	node *tpl
}

// CompileTemplate compiles n against what it must fit: unknown and missing
// fields of a closed target, kinds (text digits and numbers convert
// losslessly), values that may be missing where one is required.
func CompileTemplate(n *yamldoc.Node, s *Scope, t Target) (*Template, diag.List) {
	var diags diag.List
	out := &Template{}
	b := &builder{diags: &diags, uses: &out.Uses, target: t}
	out.node = b.compile(n, s, place{typ: t.Type, top: true})
	out.Type, out.True, out.False = out.node.typ, out.node.yes, out.node.no
	return out, diags
}

// Constant tells whether the template has no expressions.
func (t *Template) Constant() bool { return t.node.constant }

// AppendJSON appends the value as JSON (nothing when it is Absent). On failure the frame's Err is set and what was appended is to be thrown away.
func (t *Template) AppendJSON(dst []byte, f *Frame) []byte { return t.node.append(dst, f) }

// Value gives the value; containers made by the template are JSON text in the frame's arena.
func (t *Template) Value(f *Frame) jsonx.Value { return t.node.value(f) }

// Table is a table of constants looked up by text key.
type Table struct {
	Name    string
	Row     *Type // the rows' common object type
	Rows    map[string]jsonx.Value
	Unknown jsonx.Value // the row for other keys; Absent: none
	Fails   bool        // unknown: error
	// Asked is told each key that is looked up, and whether there is a row for
	// it (coverage of tests). Set before anything runs; nil when serving.
	Asked func(key string, known bool)
}

// FreeNames parses n's expressions (a condition when bare, else a template with
// ${}) and gives the names they use that they do not define themselves:
// "input", "cliente", and "steps.cliente" for members of the namespace steps.
// Faulty expressions give what could be read; compiling reports them.
func FreeNames(n Source) []string {
	w := &nameWalk{seen: map[string]bool{}}
	if n.Bare {
		w.expression(reader{node: n.Node, diags: new(diag.List)}, 0)
	} else {
		w.template(n.Node)
	}
	return w.names
}

// nameWalk collects free names in the order they appear.
type nameWalk struct {
	names []string
	seen  map[string]bool
	bound []string // $as names around
}

func (w *nameWalk) add(name string) {
	if !w.seen[name] && !slices.Contains(w.bound, name) {
		w.seen[name] = true
		w.names = append(w.names, name)
	}
}

func (w *nameWalk) template(n *yamldoc.Node) {
	if n == nil {
		return
	}
	switch n.Kind {
	case yamldoc.Text:
		r := reader{node: n, diags: new(diag.List)}
		parts, _ := r.split()
		for _, p := range parts {
			if p.toks != nil {
				w.walk(p.toks.parse())
			}
		}
	case yamldoc.List:
		for _, item := range n.Items {
			w.template(item)
		}
	case yamldoc.Map:
		as := n.Get("$as")
		if each := n.Get("$each"); each != nil && as != nil {
			w.template(each)
			keep := w.bound
			w.bound = append(keep[:len(keep):len(keep)], as.Text)
			w.template(n.Get("$if"))
			w.template(n.Get("$item"))
			w.bound = keep
			return
		}
		for _, e := range n.Entries {
			w.template(e.Value)
		}
	}
}

func (w *nameWalk) expression(r reader, from int) {
	if r.node == nil || r.node.Kind != yamldoc.Text {
		return
	}
	toks, _ := r.scan(from, false)
	w.walk(toks.parse())
}

func (w *nameWalk) walk(src *source) {
	if src == nil {
		return
	}
	root := src.root
	ast.Walk(&root, w)
}

// Visit takes one node of an expression; children come before their parents.
func (w *nameWalk) Visit(n *ast.Node) {
	switch n := (*n).(type) {
	case *ast.IdentifierNode:
		if !reserved[n.Value] && n.Value != "steps" {
			w.add(n.Value)
		}
	case *ast.MemberNode:
		if id, ok := n.Node.(*ast.IdentifierNode); ok && id.Value == "steps" {
			if name, ok := n.Property.(*ast.StringNode); ok {
				w.add("steps." + name.Value)
			}
		}
	case *ast.CallNode:
		// The parser makes names of called functions; they are no values.
		if id, ok := n.Callee.(*ast.IdentifierNode); ok {
			w.called(id.Value)
		}
	}
}

// called takes a function's name back: children are visited before the call.
func (w *nameWalk) called(name string) {
	for i, x := range w.names {
		if x == name {
			w.names = append(w.names[:i:i], w.names[i+1:]...)
			delete(w.seen, name)
			return
		}
	}
}

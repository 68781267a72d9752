package mapping

import (
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/room"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// expose compiles a file that offers operations as they are.
func (l *loader) expose(doc *document) {
	n := doc.root.Get("expose")
	if n == nil || n.Kind != yamldoc.Map {
		return
	}
	c, d := l.exposedContract(n.Get("contract")), l.exposedDialect(n.Get("dialect"))
	timeout := l.duration(n.Get("timeout"), "timeout")
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	needs := n.Get("needs")
	if c == nil || d == nil || needs == nil || needs.Kind != yamldoc.Map {
		return
	}
	if i := slices.IndexFunc(d.SignIn, func(p SignInPlace) bool { return p.Place != PlaceHeader }); i >= 0 {
		l.list.Errorf(n.Get("dialect").Span, "sign-in", "callers of dialect %s may sign in by body or query, which would be passed on", d.Name).
			Help = "expose in a dialect whose callers sign in by header only"
	}
	used := make([]bool, len(needs.Entries))
	doors := map[string]*Exposed{}
	for _, id := range keysOf(c.Operations) {
		op := c.Operations[id]
		i := mostExact(needs, id)
		if i < 0 {
			continue
		}
		used[i] = true
		e := &needs.Entries[i]
		permission := e.Value.Text
		if permission == "" || strings.ContainsAny(permission, "* \t") {
			continue // told below, once
		}
		spot := op.Method + " " + op.Path
		door := doors[spot]
		if door == nil {
			door = &Exposed{
				Name: d.Name + "/" + id, Method: op.Method, Path: op.Path, Dialect: d, Timeout: timeout, At: e.Key.Span,
			}
			doors[spot] = door
			l.set.Exposed = append(l.set.Exposed, door)
			if op.BodyForm {
				l.list.Errorf(e.Key.Span, "form", "%s takes a form: only JSON can be passed on", op.Name()).Help = "leave it out, or stand a mapping in its place"
			}
			if slices.ContainsFunc(strings.Split(op.Path, "/"), func(s string) bool {
				return strings.Contains(s, "{") && !(s[0] == '{' && strings.IndexByte(s, '}') == len(s)-1)
			}) {
				l.list.Errorf(e.Key.Span, "path", "%s has the path %s: only parameters that stand alone between slashes can be exposed", op.Name(), op.Path)
			}
			if !slices.ContainsFunc(d.Prefixes, func(p string) bool { _, ok := below(op.Path, p); return ok }) {
				l.list.Errorf(e.Key.Span, "path", "%s has the path %s, which no prefix of dialect %s begins", op.Name(), op.Path, d.Name).
					Help = "add a prefix to the dialect, or leave the operation out"
			}
		}
		offered := &ExposedOperation{Operation: op, Needs: permission}
		offered.TokenHeader = c.TokenHeader(op)
		if t := c.SignIn.Token; t != nil && t.Header != "" && (op == t.Obtain || op == t.Renew) {
			offered.Gives, offered.TokenField = GivesToken, t.FieldOf(op)
			if op == t.Renew {
				offered.Gives = RenewsToken
			}
			if offered.TokenField == "" {
				l.list.Errorf(e.Key.Span, "token", "the token that %s gives is not one field of its answer: callers cannot be given one of the gateway's own", op.Name()).
					Help = "leave it out, or let the contract's sign-in read the token as value: ${answer.field}, of a field its schema has"
			}
		}
		door.Operations = append(door.Operations, offered)
		door.MaxBody = max(door.MaxBody, filesOf(op))
	}
	for i := range needs.Entries {
		e := &needs.Entries[i]
		if e.Value.Kind == yamldoc.Text && (e.Value.Text == "" || strings.ContainsAny(e.Value.Text, "* \t")) {
			l.list.Errorf(e.Value.Span, "needs", "what is needed is one permission, such as shop.read: globs stand with callers")
		}
		if !used[i] {
			d := l.list.Errorf(e.Key.Span, "unknown-name", "no operation of %s has the name %s", c.Name, quoteShort(e.Key.Text))
			if slices.ContainsFunc(keysOf(c.Operations), func(id string) bool { return GlobMatches(e.Key.Text, id) }) {
				d.Message = "every operation that " + quoteShort(e.Key.Text) + " names is named more exactly elsewhere"
			} else if near := diag.Suggest(e.Key.Text, keysOf(c.Operations)); near != "" {
				d.Help = "did you mean " + near + "?"
			}
		}
	}
}

// severalFiles is how many files a body may hold of which the contract does not say how many.
const severalFiles = 5

// filesOf gives how large a body with an operation's files may be, in base64,
// with some room for what stands around them, and no more than there is room
// for; 0 when it takes none.
func filesOf(op *contract.Operation) int {
	size := 0.0
	for _, f := range op.Files {
		most := f.Most
		switch {
		case f.In != contract.InBody:
			continue
		case most < 0:
			most = severalFiles
		}
		size += float64(most) * float64((f.MaxBytes+2)/3*4)
	}
	if size == 0 {
		return 0
	}
	return int(min(size+1<<20, room.Least))
}

func (l *loader) exposedContract(n *yamldoc.Node) *contract.Contract {
	if n == nil || n.Text == "" {
		return nil
	}
	c := l.world.Contracts[n.Text]
	if c == nil && !l.backendKnown(n.Text) {
		l.unknown(n.Span, "unknown-name", "backend", n.Text, keysOf(l.world.Contracts))
	}
	return c
}

// backendKnown tells whether gateway.yaml has a backend whose contract did not
// load, which is told already.
func (l *loader) backendKnown(name string) bool {
	return l.world.Config != nil && l.world.Config.Backends[name] != nil
}

func (l *loader) exposedDialect(n *yamldoc.Node) *Dialect {
	if n == nil || n.Text == "" {
		return nil
	}
	d := l.set.Dialects[n.Text]
	if d == nil && !l.unreadable["dialect "+n.Text] {
		l.unknown(n.Span, "unknown-name", "dialect", n.Text, keysOf(l.set.Dialects))
	}
	return d
}

// mostExact gives the entry of needs that names an operation most exactly: the
// one with the most literal text; -1 for none.
func mostExact(needs *yamldoc.Node, id string) int {
	best, length := -1, -1
	for i := range needs.Entries {
		g := needs.Entries[i].Key.Text
		if n := len(g) - strings.Count(g, "*"); n > length && GlobMatches(g, id) {
			best, length = i, n
		}
	}
	return best
}

// replaces makes a route stand in the place of an operation: method, path and
// input are the operation's.
func (l *loader) replaces(r *Route, n *yamldoc.Node) {
	op := l.operation(n)
	if op == nil || r.Dialect == nil {
		return
	}
	rest, found := "", false
	for _, p := range r.Dialect.Prefixes { // the longest one
		if after, ok := below(op.Path, p); ok && (!found || len(after) < len(rest)) {
			rest, found = after, true
		}
	}
	if !found {
		l.list.Errorf(n.Span, "path", "%s has the path %s, which no prefix of dialect %s begins", op.Name(), op.Path, r.Dialect.Name)
		return
	}
	r.Replaces, r.Path, r.Methods = op, rest, []string{op.Method}
	r.TokenHeader = l.world.Contracts[op.Backend].TokenHeader(op)
	r.At = n.Span
}

// below gives what of a path stands below a prefix.
func below(path, prefix string) (string, bool) {
	if path == prefix {
		return "", true
	}
	return strings.CutPrefix(path, prefix+"/")
}

// inputOf is the input of a route that stands in the place of op and says none
// of its own: the parameters, and the fields of the body, as they came.
func inputOf(op *contract.Operation, label string) *Input {
	in := &Input{Type: record(label)}
	add := func(name string, t *expr.Type, required bool) {
		if in.Type.Fields[name] != nil {
			return
		}
		f := fieldOf(name, t, required, op.At)
		in.Fields = append(in.Fields, f)
		in.Type.Order = append(in.Type.Order, name)
		in.Type.Fields[name] = &expr.Field{Type: f.Type, Required: required}
	}
	for _, p := range op.Params {
		if p.In != contract.InHeader {
			add(p.Name, p.Type, p.Required)
		}
	}
	if b := op.Body; b != nil && b.Kind == expr.ObjectType {
		for _, name := range b.Order {
			add(name, b.Fields[name].Type, b.Fields[name].Required && op.BodyRequired)
		}
	}
	return in
}

// fieldOf makes an input field of a contract's type.
func fieldOf(name string, t *expr.Type, required bool, at diag.Span) *InputField {
	f := &InputField{Name: name, Names: []string{name}, Required: required, At: at}
	if t == nil {
		t = &expr.Type{Kind: expr.AnyType}
	}
	copied := *t
	copied.Label, copied.Null = "input."+name, false
	f.Type, f.Secret = &copied, t.Secret
	switch t.Kind {
	case expr.TextType:
		f.Enum = t.Enum
	case expr.ListType:
		f.List = true
		if t.Elem != nil {
			f.Items = fieldOf(name, t.Elem, false, at)
			f.Type.Elem = f.Items.Type.NotNull()
		}
	case expr.ObjectType:
		f.Type.Fields = map[string]*expr.Field{}
		for _, inner := range t.Order {
			g := fieldOf(inner, t.Fields[inner].Type, t.Fields[inner].Required, at)
			f.Fields = append(f.Fields, g)
			f.Type.Fields[inner] = &expr.Field{Type: g.Type, Required: g.Required}
		}
	}
	if !required {
		f.Type = f.Type.Nullable()
	}
	return f
}

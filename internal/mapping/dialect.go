package mapping

import (
	"cmp"
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// dialect compiles a dialect file.
func (l *loader) dialect(doc *document) {
	n := doc.root.Get("dialect")
	if n == nil || n.Text == "" {
		return
	}
	if first := l.set.Dialects[n.Text]; first != nil {
		l.list.Errorf(n.Span, "double", "dialect %s is already in %s", n.Text, first.At)
		return
	}
	d := &Dialect{
		Name: n.Text, File: doc.file, At: n.Span,
		Prefixes: l.prefixes(doc.root.Get("prefixes")),
		Methods:  textsOf(doc.root.Get("methods")),
		Absent:   textsOf(doc.root.Get("absent")),
		Charsets: textsOf(doc.root.Get("charset")),
	}
	d.Languages = l.languages(doc.root.Get("languages"))
	if owner := doc.root.KeyOf("messages"); owner != nil {
		l.messages(d, owner, doc.root.Get("messages"))
	} else {
		l.messages(d, doc.root.KeyOf("dialect"), nil)
	}
	l.set.Dialects[n.Text] = d
	if len(d.Charsets) == 0 {
		d.Charsets = []string{"utf-8"}
	}
	switch textOf(doc.root.Get("slash")) {
	case "never":
		d.Slash = SlashNever
	case "always":
		d.Slash = SlashAlways
	}
	for _, r := range textsOf(doc.root.Get("read")) {
		if i := slices.Index(readNames, r); i >= 0 {
			d.Read = append(d.Read, ReadKind(i))
		}
	}
	if s := doc.root.Get("sign_in"); s != nil {
		for _, item := range s.Items {
			l.signIn(d, item)
		}
	}
	d.CORS = l.cors(d, doc.root.Get("cors"))
	d.Errors = l.errorReplies(doc.root.Get("errors"), nil, doc.root.KeyOf("errors"))
	challenge(d)
	l.titles(d, doc.root.Get("titles"))
}

// challenge says in answers of status 401 how to sign in, where that is a
// scheme of Authorization (RFC 9110, 15.5.2).
func challenge(d *Dialect) {
	i := slices.IndexFunc(d.SignIn, func(p SignInPlace) bool {
		return p.Place == PlaceHeader && p.Scheme != "" && strings.EqualFold(p.Token, "Authorization")
	})
	if i < 0 || d.Errors == nil {
		return
	}
	for _, r := range d.Errors {
		if r != nil && r.Status == 401 {
			r.Challenge = d.SignIn[i].Scheme + ` realm="` + d.Name + `"`
		}
	}
}

func (l *loader) prefixes(n *yamldoc.Node) []string {
	var all []string
	if n == nil {
		return nil
	}
	for _, item := range n.Items {
		p := item.Text
		for _, name := range keysOf(l.set.Dialects) {
			if d := l.set.Dialects[name]; slices.Contains(d.Prefixes, strings.TrimSuffix(p, "/")) {
				l.list.Errorf(item.Span, "double", "prefix %s is dialect %s's already, in %s", p, name, d.At)
			}
		}
		if !strings.HasPrefix(p, "/") || strings.Contains(p, "//") || strings.ContainsAny(p, "?#{}% ") {
			l.list.Errorf(item.Span, "path", "a prefix is a path that begins with /, without blanks, ?, #, %% or {}")
			continue
		}
		all = append(all, strings.TrimSuffix(p, "/"))
	}
	return all
}

func (l *loader) signIn(d *Dialect, n *yamldoc.Node) {
	var places []SignInPlace
	for p, k := range []string{"body", "query", "header"} {
		if at := n.Get(k); at != nil {
			places = append(places, SignInPlace{
				Place: Place(p),
				Token: l.credential(at), App: textOf(at.Get("app")), Scheme: textOf(at.Get("scheme")),
			})
		}
	}
	if len(places) != 1 {
		l.list.Errorf(n.Span, "sign-in", "each entry of sign_in is one place: body, query or header")
		return
	}
	d.SignIn = append(d.SignIn, places[0])
}

// credential gives the name of the token; an application of the same name could not be told from it.
func (l *loader) credential(n *yamldoc.Node) string {
	token, app := textOf(n.Get("token")), n.Get("app")
	if token != "" && strings.EqualFold(token, textOf(app)) {
		l.list.Errorf(app.Span, "sign-in", "token and app have the same name")
	}
	return token
}

// errorReplies compiles a dialect's errors, or with base a route's replacements.
func (l *loader) errorReplies(n *yamldoc.Node, base *ErrorReplies, owner *yamldoc.Node) *ErrorReplies {
	var out ErrorReplies
	inherits := map[ErrorKind]*yamldoc.Node{}
	from := map[ErrorKind]ErrorKind{}
	if n != nil {
		for i := range n.Entries {
			e := &n.Entries[i]
			kind, ok := kindOf(e.Key.Text)
			if !ok {
				l.unknown(e.Key.Span, "unknown-key", "kind of error", e.Key.Text, kindNames[:])
				continue
			}
			if e.Value.Kind == yamldoc.Map {
				out[kind] = l.errorReply(kind, e.Value)
				continue
			}
			other, ok := kindOf(e.Value.Text)
			if !ok {
				l.unknown(e.Value.Span, "unknown-name", "kind of error", e.Value.Text, kindNames[:])
				continue
			}
			inherits[kind], from[kind] = e.Value, other
		}
	}
	// Explicit inheritance first, following chains.
	for _, kind := range ErrorKinds() {
		if n, ok := inherits[kind]; ok {
			l.inherit(&out, base, kind, n.Span, from)
		}
	}
	if base != nil {
		for k := range out {
			if out[k] == nil {
				out[k] = base[k]
			}
		}
		return &out
	}
	l.defaultReplies(&out, owner, n)
	return &out
}

func (l *loader) inherit(out, base *ErrorReplies, kind ErrorKind, at diag.Span, from map[ErrorKind]ErrorKind) {
	path := []string{kind.String()}
	for k := kind; ; {
		next, ok := from[k]
		if !ok {
			r := out[k]
			if r == nil && base != nil {
				r = base[k]
			}
			if r != nil {
				own := *r
				own.Kind = kind
				out[kind] = &own
				return
			}
			// The dialect says nothing of k either: it has another's reply.
			if next, ok = k.Inherits(); !ok {
				return // told as missing
			}
		}
		path = append(path, next.String())
		if next == kind {
			// Each kind of the circle finds it; the first in order tells.
			if kind.String() == slices.MinFunc(path, byKind) {
				l.list.Errorf(at, "circle", "errors inherit in a circle: %s", strings.Join(path, " → "))
			}
			return
		}
		if len(path) > int(kinds) {
			return // a circle further on, told where it is
		}
		k = next
	}
}

func byKind(a, b string) int {
	ka, _ := kindOf(a)
	kb, _ := kindOf(b)
	return cmp.Compare(ka, kb)
}

// defaultReplies fills the kinds a dialect says nothing of from those they inherit from.
func (l *loader) defaultReplies(out *ErrorReplies, owner, given *yamldoc.Node) {
	for _, kind := range ErrorKinds() {
		if out[kind] != nil {
			continue
		}
		k, ok := kind, true
		for ok && out[k] == nil {
			k, ok = k.Inherits()
		}
		if out[k] == nil {
			if k == kind && owner != nil && given.Get(kind.String()) == nil {
				l.list.Errorf(owner.Span, "missing-key", "errors says nothing of %s", kind).
					Help = "every dialect says what it answers to " + kind.String()
			}
			continue
		}
		own := *out[k]
		own.Kind, own.Status = kind, kind.DefaultStatus()
		if kind == BadSignIn {
			own.Status = out[k].Status
		}
		out[kind] = &own
	}
}

var (
	textType    = &expr.Type{Kind: expr.TextType}
	textOrNone  = textType.Nullable()
	integerType = &expr.Type{Kind: expr.NumberType, Integer: true}
	boolType    = &expr.Type{Kind: expr.BoolType}
	listType    = &expr.Type{Kind: expr.ListType}
)

// record makes a closed object type of names and types in turn.
func record(label string, fields ...any) *expr.Type {
	t := &expr.Type{Kind: expr.ObjectType, Fields: map[string]*expr.Field{}, Label: label}
	for i := 0; i < len(fields); i += 2 {
		name, typ := fields[i].(string), fields[i+1].(*expr.Type)
		t.Order = append(t.Order, name)
		t.Fields[name] = &expr.Field{Type: typ}
	}
	return t
}

// errorReply compiles one reply; in it stand `error` and `request` only.
func (l *loader) errorReply(kind ErrorKind, n *yamldoc.Node) *ErrorReply {
	r := &ErrorReply{Kind: kind, At: n.Span, Layout: &expr.Layout{}}
	r.Status = l.status(n.Get("status"), kind.DefaultStatus())
	s := expr.NewScope(r.Layout, l.world.Functions, l.set.Tables)
	r.Error, r.Request = r.Layout.NewSlot(), r.Layout.NewSlot()
	l.define(s, &expr.Name{Name: "error", Slot: r.Error, Type: record("error",
		"kind", textType, "title", textType, "message", textType, "class", textOrNone, "permission", textOrNone,
		"fields", &expr.Type{Kind: expr.ListType, Elem: textType}, "errors", &expr.Type{Kind: expr.ListType, Elem: faultType})}, n.Span)
	l.define(s, &expr.Name{Name: "request", Slot: r.Request, Type: record("request", "id", textType, "path", textType, "language", textOrNone)}, n.Span)
	j, t := n.Get("json"), n.Get("text")
	switch {
	case j != nil && t != nil:
		l.list.Errorf(n.KeyOf("text").Span, "reply", "json or text, not both")
	case j != nil:
		var list diag.List
		r.JSON, list = expr.CompileTemplate(j, s, expr.Target{What: "the reply to " + kind.String()})
		l.list.Add(list)
		r.Type = "application/json"
	case t != nil:
		r.Text, r.Type = t.Text, "text/plain; charset=utf-8"
		if i := strings.Index(t.Text, "${"); i >= 0 {
			l.list.Errorf(t.SpanOf(i, i+2), "reply", "no ${} in text: it is sent byte for byte").Help = "json takes ${}"
		}
	}
	if c := l.contentType(n.Get("type")); c != "" {
		r.Type = c
	}
	return r
}

func (l *loader) define(s *expr.Scope, n *expr.Name, at diag.Span) bool {
	if err := s.Define(n); err != nil {
		if slices.ContainsFunc(l.list, func(d diag.Diagnostic) bool { return d.Rule == "bad-name" && d.Span == at }) {
			return false // the check of the file's form has told
		}
		l.list.Errorf(at, "name", "%s", err)
		return false
	}
	return true
}

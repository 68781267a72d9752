package contract

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// defaultLife is how long a token lives when neither it nor the contract says.
const defaultLife = time.Hour

func (l *loader) signIn(n *yamldoc.Node) {
	if n == nil || n.Kind != yamldoc.Map {
		return
	}
	s := &l.c.SignIn
	if b := n.Get("basic"); b != nil && b.Kind == yamldoc.Map {
		s.Basic = &Basic{User: word(b.Get("user")), Password: word(b.Get("password"))}
		l.variable(b, "user")
		l.variable(b, "password")
	}
	l.headerFields(n.Get("header"))
	body := n.Get("body")
	for _, e := range entries(body) {
		l.variable(body, e.Key.Text)
		s.Body = append(s.Body, Field{Name: e.Key.Text, Variable: word(e.Value)})
	}
	l.token(n)
	l.signature(n.Get("signature"))
	l.signedBodies()
}

// headerFields takes the header fields that carry variables.
func (l *loader) headerFields(n *yamldoc.Node) {
	s := &l.c.SignIn
	for _, e := range entries(n) {
		name := e.Key.Text
		l.variable(n, name)
		switch {
		case slices.ContainsFunc(s.Header, func(f Field) bool { return strings.EqualFold(f.Name, name) }):
			l.list.Errorf(e.Key.Span, ruleSignIn, "the header %s stands here twice", short(name))
		case equalFold(name, "authorization"):
			if s.Basic != nil {
				l.list.Errorf(e.Key.Span, ruleSignIn, "the header Authorization is taken by basic")
			}
		default:
			l.headerName(e.Key)
		}
		s.Header = append(s.Header, Field{Name: name, Variable: word(e.Value)})
	}
	if len(s.Header) == 0 {
		return
	}
	l.filledHeaders(func(name string) bool {
		return slices.ContainsFunc(s.Header, func(f Field) bool { return strings.EqualFold(f.Name, name) })
	})
}

// filledHeaders refuses parameters in header fields that the sign-in fills.
func (l *loader) filledHeaders(filled func(name string) bool) {
	for _, op := range l.c.Operations {
		for _, p := range op.Params {
			if p.In == InHeader && filled(p.Name) {
				l.list.Errorf(p.at, ruleSignIn, "the sign-in fills the header %s of %s", short(p.Name), op.ID).Help = "leave the parameter out: no mapping gives it"
			}
		}
	}
}

// variable takes the name of the sign-in variable under key.
func (l *loader) variable(in *yamldoc.Node, key string) {
	if v := word(in.Get(key)); v != "" {
		l.signInVariable(in.Get(key), v, key)
	}
}

// signInVariable takes the name v of a sign-in variable, which stands at n under key.
func (l *loader) signInVariable(n *yamldoc.Node, v, key string) {
	if !className.MatchString(v) {
		l.list.Errorf(n.Span, ruleSignIn, "%s names a variable of gateway.yaml's sign_in", short(key)).
			Help = "use lower-case letters, digits and _; the secret itself never stands in a contract"
	}
	if s := &l.c.SignIn; !slices.Contains(s.Variables, v) {
		s.Variables = append(s.Variables, v)
	}
}

func (l *loader) token(n *yamldoc.Node) {
	s := &l.c.SignIn
	t := n.Get("token")
	if t == nil || t.Kind != yamldoc.Map {
		return
	}
	l.variable(t, "first")
	tok := &Token{
		Header: word(t.Get("header")), Field: word(t.Get("field")), Prefix: word(t.Get("prefix")), Placeholder: word(t.Get("placeholder")), Life: int(defaultLife / time.Second),
		First: word(t.Get("first")), With: l.tokenBody(t.Get("with")),
	}
	tok.Obtain = l.tokenOperation(t.Get("obtain"), len(tok.With) > 0)
	tok.Renew = l.tokenOperation(t.Get("renew"), false)
	l.tokenHeader(t.Get("header"))
	switch f := t.Get("field"); {
	case f == nil && t.Get("header") == nil:
		l.list.Errorf(n.KeyOf("token").Span, ruleSignIn, "nothing says where the token goes").Help = "give header, or field for a field of the body"
	case f != nil && t.Get("header") != nil:
		l.list.Errorf(t.KeyOf("field").Span, ruleSignIn, "header and field exclude each other")
	case f != nil && slices.ContainsFunc(s.Body, func(b Field) bool { return b.Name == tok.Field }):
		l.list.Errorf(f.Span, ruleSignIn, "the field %s is taken by body", short(tok.Field))
	}
	if p := t.KeyOf("placeholder"); p != nil && t.Get("field") == nil {
		l.list.Errorf(p.Span, ruleSignIn, "placeholder has an effect only with field")
	}
	l.prefix(t.Get("prefix"))
	if life := t.Get("life"); life != nil && life.Kind == yamldoc.Text {
		if d, err := yamldoc.ParseDuration(life.Text); err == nil {
			tok.Life = max(int(d/time.Second), 1)
		}
	}
	if tok.Obtain != nil && tok.Obtain.Token {
		l.list.Errorf(t.Get("obtain").Span, ruleSignIn, "%s carries the token it is to obtain", tok.Obtain.ID)
	}
	if l.tokenFrom(n, t, tok) && l.nextToken(t.Get("next"), tok) {
		s.Token = tok
	}
}

// prefix refuses what no header can have before a token or a signature.
func (l *loader) prefix(p *yamldoc.Node) {
	if p == nil {
		return
	}
	for i := 0; i < len(p.Text); i++ {
		if p.Text[i] < ' ' || p.Text[i] >= 0x7f {
			l.list.Errorf(p.SpanOf(i, i+1), ruleSignIn, "this character cannot stand in a header")
			return
		}
	}
}

// tokenFrom reads where the first token comes from; false when it cannot be told.
func (l *loader) tokenFrom(n, t *yamldoc.Node, tok *Token) bool {
	obtain, v := t.Get("obtain"), t.Get("value")
	switch {
	case obtain == nil && t.Get("first") == nil:
		l.list.Errorf(n.KeyOf("token").Span, ruleSignIn, "nothing says where the first token comes from").Help = "give obtain, or first for a variable of sign_in"
		return false
	case obtain == nil:
		for _, key := range []string{"with", "renew", "value"} {
			if k := t.KeyOf(key); k != nil {
				l.list.Errorf(k.Span, ruleSignIn, "%s has an effect only with obtain", key)
				return false
			}
		}
		return true
	case v == nil:
		l.list.Errorf(t.KeyOf("obtain").Span, ruleSignIn, "nothing says where the token stands in the answer").Help = "write value: ${answer.…}, the field that holds the token"
		return false
	case tok.Obtain == nil:
		return false
	}
	if !slices.Contains(expr.FreeNames(expr.Source{Node: v}), "answer") {
		l.list.Errorf(v.FirstLine(), ruleSignIn, "the token's value reads nothing of the answer").Help = "write value: ${answer.…}, the field that holds the token"
		return false
	}
	var list diag.List
	scope, rs := l.newScope(answerType(tok.Obtain), false)
	tok.Value, list = expr.CompileTemplate(v, scope, tokenTarget)
	tok.Scope = &TokenScope{Layout: rs.layout, Answer: rs.answer}
	l.list.Add(list)
	if !list.HasErrors() && tok.Renew != nil {
		// The same words must hold for a renewal's answer.
		scope, _ = l.newScope(answerType(tok.Renew), false)
		_, list = expr.CompileTemplate(v, scope, tokenTarget)
		l.list.Add(list)
	}
	return !list.HasErrors() && tok.Value != nil
}

// tokenTarget is what a token's template makes.
var tokenTarget = expr.Target{Type: &expr.Type{Kind: expr.TextType, Secret: true}, What: "the token", Secrets: true}

// nextToken reads how an answer tells of another token.
func (l *loader) nextToken(n *yamldoc.Node, tok *Token) bool {
	if n == nil {
		return true
	}
	scope, rs := l.newScope(&expr.Type{}, false)
	next, list := expr.CompileTemplate(n, scope, tokenTarget)
	l.list.Add(list)
	tok.Next, tok.NextScope = next, &TokenScope{Layout: rs.layout, Answer: rs.answer}
	return !list.HasErrors()
}

// variableText is a text that is nothing but a sign-in variable.
var variableText = regexp.MustCompile(`^\$\{([^}]*)\}$`)

// tokenBody reads the body that a token is obtained with.
func (l *loader) tokenBody(n *yamldoc.Node) (fields []TokenField) {
	for _, e := range entries(n) {
		f := TokenField{Name: e.Key.Text, Text: word(e.Value)}
		if m := variableText.FindStringSubmatch(f.Text); m != nil {
			f.Text, f.Variable = "", m[1]
			l.signInVariable(e.Value, m[1], f.Name)
		} else if strings.Contains(f.Text, "${") {
			l.list.Errorf(e.Value.Span, ruleSignIn, "a sign-in variable stands alone, as ${NAME}")
		}
		fields = append(fields, f)
	}
	return fields
}

// tokenHeader refuses names no header can have or that are taken.
func (l *loader) tokenHeader(n *yamldoc.Node) {
	if n == nil || n.Kind != yamldoc.Text {
		return
	}
	s := &l.c.SignIn
	if slices.ContainsFunc(s.Header, func(f Field) bool { return strings.EqualFold(f.Name, n.Text) }) {
		l.list.Errorf(n.Span, ruleSignIn, "the header %s is taken by the sign-in's header", short(n.Text))
	}
	if equalFold(n.Text, "authorization") {
		if s.Basic != nil {
			l.list.Errorf(n.Span, ruleSignIn, "the header Authorization is taken by basic")
		}
		return
	}
	l.headerName(n)
}

// answerType is what an operation answers; any when it is not known.
func answerType(op *Operation) *expr.Type {
	if op.Answer == nil {
		return &expr.Type{}
	}
	return op.Answer
}

// tokenOperation finds an operation that obtains or renews; it must need no
// values but a body that is given.
func (l *loader) tokenOperation(n *yamldoc.Node, body bool) *Operation {
	id := word(n)
	if id == "" {
		return nil
	}
	op := l.c.Operations[id]
	if op == nil {
		var ids []string
		for k := range l.c.Operations {
			ids = append(ids, k)
		}
		slices.Sort(ids)
		d := l.list.Errorf(n.Span, ruleSignIn, "the contract has no operation %s", short(id))
		if near := diag.Suggest(id, ids); near != "" {
			d.Help = "did you mean " + near + "?"
		}
		return nil
	}
	if body && op.Body == nil {
		l.list.Errorf(n.Span, ruleSignIn, "%s has no body for with to go in", op.ID).Help = "give it a requestBody"
		return nil
	}
	if op.BodyRequired && !body || slices.ContainsFunc(op.Params, func(p *Param) bool { return p.Required }) {
		l.list.Errorf(n.Span, ruleSignIn, "%s needs values, which nobody gives when a token is fetched", op.ID)
		return nil
	}
	return op
}

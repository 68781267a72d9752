package mapping

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// operation finds the operation a name means; what is wrong is told at n.
func (l *loader) operation(n *yamldoc.Node) *contract.Operation {
	if strings.Contains(n.Text, "${") {
		l.list.Errorf(n.Span, "computed-call", "call names an operation or flow literally").
			Help = "write several cases under switch, each with its call"
		return nil
	}
	backend, id, ok := strings.Cut(n.Text, ".")
	c := l.world.Contracts[backend]
	if !ok || c == nil {
		if l.facts.bare[backend] {
			l.list.Errorf(n.SpanOf(0, len(backend)), "no-contract", "backend %s has no contract, so it has no operations to call", backend).
				Help = "write request: { backend: " + backend + ", method: …, path: … }, or give the backend a contract in gateway.yaml"
			return nil
		}
		among := append(keysOf(l.world.Contracts), "flows")
		if !ok {
			d := l.list.Errorf(n.Span, "unknown-name", "a call names backend.operation or flows.name, not %s", quoteShort(n.Text))
			if l.flows[n.Text] != nil {
				d.Help = "did you mean flows." + n.Text + "?"
			}
			return nil
		}
		if l.world.Config != nil && l.world.Config.Backends[backend] != nil {
			return nil // it has no contract that can be read, which is told already
		}
		l.unknown(n.SpanOf(0, len(backend)), "unknown-name", "backend", backend, among)
		return nil
	}
	op := c.Operations[id]
	if op == nil {
		d := l.list.Errorf(n.Span, "unknown-name", "%s has no operation %s", backend, quoteShort(id))
		if near := diag.Suggest(id, keysOf(c.Operations)); near != "" {
			d.Help = "did you mean " + backend + "." + near + "?"
		}
	}
	return op
}

// call compiles a call of an operation or flow.
func (p *planner) call(i *stepInfo, c *Case, n *yamldoc.Node, s *expr.Scope) {
	name := n.Get("call")
	if strings.HasPrefix(name.Text, "flows.") {
		p.callFlow(i, c, n, s)
		return
	}
	c.Action = DoCall
	op := p.operation(name)
	if op == nil {
		i.ends(callOutcomes(&contract.Operation{Changes: true}))
		p.gives(i, anyType, n.Get("call").Span)
		return
	}
	call := &Call{Operation: op, At: name.Span}
	c.Call = call
	p.params(c, n, s)
	p.body(c, n, s)
	i.ends(callOutcomes(op))
	if op.AnswerKind == contract.NoAnswer || op.Answer == nil {
		p.gives(i, nil, n.Get("call").Span)
	} else {
		p.gives(i, op.Answer, n.Get("call").Span)
	}
}

// params compiles `with` against the operation's parameters.
func (p *planner) params(c *Case, n *yamldoc.Node, s *expr.Scope) {
	op := c.Call.Operation
	c.Call.Params = make([]*expr.Template, len(op.Params))
	with := n.Get("with")
	if with != nil && with.Kind != yamldoc.Map {
		p.list.Errorf(with.Span, "with", "with names parameters: write it as a map")
		return
	}
	names := make([]string, len(op.Params))
	for i, param := range op.Params {
		names[i] = param.Name
		v := with.Get(param.Name)
		if v == nil {
			if param.Required && !meant(with, op, param.Name) {
				p.list.Errorf(c.Call.At, "missing-parameter", "%s needs parameter %s", op.Name(), param.Name).
					Help = "add it to with"
			}
			continue
		}
		t := p.template(v, s, expr.Target{
			Type: param.Type, What: "parameter " + param.Name + " of " + op.Name(), Optional: !param.Required,
			Secrets: param.In == contract.InHeader || param.SecretInURL,
		})
		c.Call.Params[i] = t
		c.Needs = p.needs(c.Needs, infoOf(t))
		c.Call.Secrets = c.Call.Secrets || hasSecret(param.Type)
	}
	if with == nil {
		return
	}
	for i := range with.Entries {
		k := with.Entries[i].Key
		if slices.Contains(names, k.Text) {
			continue
		}
		d := p.list.Errorf(k.Span, "unknown-parameter", "%s has no parameter %s", op.Name(), quoteShort(k.Text))
		switch {
		case strings.HasPrefix(k.Text, "$"):
			d.Help = "with takes no " + k.Text + ": name the parameters"
		case op.Body != nil && op.Body.Fields[k.Text] != nil:
			d.Help = "it is a field of the body: write it under body"
		default:
			d.Help = suggest(k.Text, names)
		}
	}
}

// meant tells whether a key of with that names no parameter looks like name:
// its spelling is told, and that the parameter is missing would be the same fault.
func meant(with *yamldoc.Node, op *contract.Operation, name string) bool {
	if with == nil {
		return false
	}
	var names []string
	for _, param := range op.Params {
		names = append(names, param.Name)
	}
	return slices.ContainsFunc(with.Entries, func(e yamldoc.Entry) bool {
		return !slices.Contains(names, e.Key.Text) && diag.Suggest(e.Key.Text, names) == name
	})
}

// body compiles what is sent: body, template with vars, or patch with set and delete.
func (p *planner) body(c *Case, n *yamldoc.Node, s *expr.Scope) {
	op := c.Call.Operation
	var found []string
	for _, k := range []string{"body", "template", "patch"} {
		if n.Get(k) != nil {
			found = append(found, k)
		}
	}
	for k, to := range map[string]string{"vars": "template", "set": "patch", "delete": "patch"} {
		if n.Get(k) != nil && n.Get(to) == nil {
			p.list.Errorf(n.KeyOf(k).Span, "misplaced-key", "%s belongs to %s", k, to)
		}
	}
	switch {
	case len(found) > 1:
		p.list.Errorf(n.KeyOf(found[1]).Span, "two-bodies", "a call sends one body, not %s", strings.Join(found, " and "))
		return
	case len(found) == 0:
		if op.Body != nil && op.BodyRequired {
			p.list.Errorf(c.Call.At, "missing-body", "%s needs a body", op.Name()).Help = "add body"
		}
		return
	case op.Body == nil:
		p.list.Errorf(n.KeyOf(found[0]).Span, "no-body", "%s takes no body", op.Name())
		return
	}
	c.Call.Secrets = c.Call.Secrets || hasSecret(op.Body)
	target := expr.Target{Type: op.Body, What: "the body of " + op.Name(), Optional: !op.BodyRequired, Secrets: true}
	switch found[0] {
	case "body":
		c.Call.Body = p.template(n.Get("body"), s, target)
		c.Needs = p.needs(c.Needs, infoOf(c.Call.Body))
	case "patch":
		c.Call.Patch = p.patch(n, s, "the body of "+op.Name(), &c.Needs)
	case "template":
		p.textBody(c, n, s)
	}
}

// patch compiles a document passed on with changes; what is set cannot be
// secret, and what is secret in the document must be among what is deleted.
func (p *planner) patch(n *yamldoc.Node, s *expr.Scope, what string, needs *[]int) *Patch {
	out := &Patch{}
	if del := n.Get("delete"); del != nil {
		for _, item := range del.Items {
			p.checkPath(item)
			out.Delete = append(out.Delete, item.Text)
		}
	}
	out.Base = p.template(n.Get("patch"), s, expr.Target{What: what, Deleted: out.Delete})
	*needs = p.needs(*needs, infoOf(out.Base))
	if b := out.Base; b != nil && b.Type != nil && b.Type.Kind != expr.AnyType && b.Type.Kind != expr.ObjectType && b.Type.Kind != expr.ListType {
		p.list.Errorf(n.Get("patch").Span, "wrong-type", "only an object or a list can be patched, this is %s", b.Type)
	}
	if set := n.Get("set"); set != nil && set.Kind == yamldoc.Map {
		for i := range set.Entries {
			e := &set.Entries[i]
			p.checkPath(e.Key)
			v := p.template(e.Value, s, expr.Target{What: e.Key.Text, Optional: dropped(e.Value)})
			*needs = p.needs(*needs, infoOf(v))
			out.Set = append(out.Set, PatchSet{Path: e.Key.Text, Value: v})
		}
	}
	return out
}

// dropped tells whether v is written `${?…}`: without value, nothing is set or sent.
func dropped(v *yamldoc.Node) bool {
	return v.Kind == yamldoc.Text && strings.HasPrefix(v.Text, "${?")
}

func (p *planner) checkPath(n *yamldoc.Node) {
	if err := jsonx.CheckPath(n.Text); err != nil {
		p.list.Errorf(n.Span, "path", "%s", err)
	}
}

// placeholder is what names of vars look like.
var placeholder = regexp.MustCompile(placeholderName)

// textBody compiles a text template and its variables.
func (p *planner) textBody(c *Case, n *yamldoc.Node, s *expr.Scope) {
	t := n.Get("template")
	file := p.textFile(t)
	if file == nil {
		return
	}
	vars := n.Get("vars")
	var names []string
	if vars != nil {
		for i := range vars.Entries {
			if k := vars.Entries[i].Key; placeholder.MatchString(k.Text) { // else its spelling is told
				names = append(names, k.Text)
			}
		}
	}
	// Credentials go where the contract's sign-in says; of them only the token
	// may be named, where it is going to stand.
	text, list := expr.CompilePlaceholders(file, names, p.tokenPlaceholder(c.Call.Operation, file))
	for _, d := range list {
		if d.Rule == "unused-placeholder" { // told at the variable, not at the text
			for i := range vars.Entries {
				if k := vars.Entries[i].Key; strings.HasSuffix(d.Message, " "+k.Text) {
					d.Span, d.Message = k.Span, t.Text+" has no placeholder "+k.Text
				}
			}
		}
		p.list.Add(diag.List{d})
	}
	if text == nil {
		return
	}
	out := &TextBody{Text: text, Vars: make([]*expr.Template, len(text.Names))}
	c.Call.Text = out
	for i, name := range text.Names[:text.Vars] {
		if v := vars.Get(name); v != nil {
			out.Vars[i] = p.template(v, s, expr.Target{What: name})
			c.Needs = p.needs(c.Needs, infoOf(out.Vars[i]))
		}
	}
	if vars == nil {
		return
	}
	for i := range vars.Entries {
		if e := &vars.Entries[i]; slices.Contains(names, e.Key.Text) && !slices.Contains(text.Names, e.Key.Text) && !list.HasErrors() {
			p.list.Errorf(e.Key.Span, "unknown-name", "%s does not occur in %s", e.Key.Text, t.Text)
		}
	}
}

// tokenPlaceholder gives what stands for the token in a text sent to op, if
// something does: wherever it stands, it must be the field that the token is set in.
func (p *planner) tokenPlaceholder(op *contract.Operation, file *diag.File) []string {
	c := p.world.Contracts[op.Backend]
	if c == nil || c.SignIn.Token == nil || c.SignIn.Token.Placeholder == "" || !op.Token {
		return nil
	}
	t := c.SignIn.Token
	inField := regexp.MustCompile(`"` + regexp.QuoteMeta(t.Field) + `"\s*:\s*"?` + t.Placeholder)
	var good []int // where it ends in its field
	for _, at := range inField.FindAllStringIndex(file.Text, -1) {
		good = append(good, at[1])
	}
	for _, at := range regexp.MustCompile(t.Placeholder).FindAllStringIndex(file.Text, -1) {
		if !slices.Contains(good, at[1]) {
			p.list.Errorf(diag.Span{File: file, Start: at[0], End: at[1]}, "placeholder", "%s stands for the token, which goes in the field %s", t.Placeholder, t.Field)
		}
	}
	return []string{t.Placeholder}
}

// textFile finds a file of the mappings folder by its path, or by its path from the file that names it.
func (l *loader) textFile(n *yamldoc.Node) *diag.File {
	if f := l.texts[n.Text]; f != nil {
		return f
	}
	if n.Span.File != nil {
		if f := l.texts[path.Join(path.Dir(n.Span.File.Name), n.Text)]; f != nil {
			return f
		}
	}
	for _, name := range keysOf(l.texts) {
		if strings.HasSuffix(name, "/"+n.Text) {
			return l.texts[name]
		}
	}
	l.unknown(n.Span, "unknown-name", "file", n.Text, keysOf(l.texts))
	return nil
}

// callFlow compiles a call of a flow.
func (p *planner) callFlow(i *stepInfo, c *Case, n *yamldoc.Node, s *expr.Scope) {
	c.Action = DoFlow
	at := n.Get("call")
	name := strings.TrimPrefix(at.Text, "flows.")
	f := p.flows[name]
	if f == nil && p.unreadable["flow "+name] {
		i.ends(callOutcomes(&contract.Operation{Changes: true}))
		p.gives(i, anyType, n.Get("call").Span)
		return
	}
	if f == nil {
		d := p.list.Errorf(at.Span, "unknown-name", "unknown flow %s", quoteShort(at.Text))
		if pack := p.world.FlowsAside[name]; pack != "" {
			d.Help = "it stands in the pack " + pack + ", which packs under gateway: does not name; a flow of a folder that holds no mapping is there for all"
		} else if near := diag.Suggest(name, keysOf(p.flows)); near != "" {
			d.Help = "did you mean flows." + near + "?"
		}
		i.ends(callOutcomes(&contract.Operation{Changes: true}))
		p.gives(i, anyType, n.Get("call").Span)
		return
	}
	for _, k := range []string{"body", "template", "vars", "patch", "set", "delete"} {
		if kn := n.KeyOf(k); kn != nil {
			p.list.Errorf(kn.Span, "misplaced-key", "a flow has no %s: its input is given in with", k)
		}
	}
	if f.plan.lasts && !p.durable {
		d := p.list.Errorf(at.Span, "durable", "%s has steps that only durable mappings take: it waits, or says what is undone", at.Text)
		if d.Help = "write mode: durable, and order"; p.scheduled {
			d.Help = "a schedule begins no order: call a flow without such steps"
		}
	}
	call := &Call{Flow: f.plan, At: at.Span}
	c.Call = call
	if with := n.Get("with"); with != nil {
		call.With = p.template(with, s, expr.Target{Type: f.plan.Input.Type, What: "the input of " + at.Text, Secrets: true})
		c.Needs = p.needs(c.Needs, infoOf(call.With))
	} else {
		for _, field := range f.plan.Input.Fields {
			if field.Required {
				p.list.Errorf(at.Span, "missing-parameter", "%s needs input %s", at.Text, field.Name).Help = "add it to with"
			}
		}
	}
	call.Secrets = hasSecret(f.plan.Input.Type)
	i.ends(f.outcomes)
	if f.outcomes == nil { // a flow that does not check, or calls itself
		i.ends(callOutcomes(&contract.Operation{Changes: true}))
	}
	p.gives(i, knownType(f.result), n.Get("call").Span)
}

package mapping

import (
	"regexp"
	"strconv"

	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// repeat compiles `route.repeat`: what makes two requests of one caller the same.
func (p *planner) repeat(r *Route, n *yamldoc.Node) {
	if n == nil || n.Kind != yamldoc.Map {
		return
	}
	key := n.Get("key")
	out := &Repeat{At: n.Span, For: p.duration(n.Get("for"), "for"), Field: keyField(key)}
	if key != nil {
		p.reads = append(p.reads, expr.FreeNames(expr.Source{Node: key})...)
	}
	out.Key = p.template(key, p.view(inRepeat), expr.Target{What: "the key of repeat", Optional: true})
	r.Repeat = out
	if !r.Changes && !p.faulty() {
		p.list.Warnf(at(p.route, "repeat"), "useless-key", "repeat changes nothing here: no step changes anything, so a repeated request does no harm")
	}
}

// keyName finds the first field a repeat's key is made of.
var keyName = regexp.MustCompile(`input\??\.\s*([A-Za-z_][A-Za-z0-9_]*)|header\s*\[\s*["']([^"']+)["']`)

// keyField gives what messages call a key that has no value: the field or header it is made of.
func keyField(n *yamldoc.Node) string {
	found := ""
	var walk func(n *yamldoc.Node)
	walk = func(n *yamldoc.Node) {
		if n == nil || found != "" {
			return
		}
		if m := keyName.FindStringSubmatch(n.Text); n.Kind == yamldoc.Text && m != nil {
			found = m[1] + m[2]
		}
		for _, i := range n.Items {
			walk(i)
		}
		for i := range n.Entries {
			walk(n.Entries[i].Value)
		}
	}
	walk(n)
	if found == "" {
		return "key"
	}
	return found
}

// claim compiles a step's `claim`; it belongs to steps that change something.
func (p *planner) claim(i *stepInfo, n *yamldoc.Node, s *expr.Scope) {
	c := n.Get("claim")
	if c == nil || c.Kind != yamldoc.Map {
		return
	}
	at := n.KeyOf("claim").Span
	if !i.step.Changes && !i.unclear() {
		p.list.Errorf(at, "misplaced-key", "claim belongs to a step that changes something").
			Help = "to read a count, write recall"
	}
	out := &Claim{Memory: p.memory(c.Get("memory")), At: at}
	i.step.Claim = out
	t := expr.Target{What: "the key of claim in " + i.step.Name}
	if m := out.Memory; m != nil {
		t.Type, t.What = m.Key, "the key of memory "+m.Name
		if !m.Count {
			p.list.Errorf(c.Get("memory").Span, "wrong-type", "memory %s keeps values: only a count can be claimed", m.Name).
				Help = "declare it in gateway.yaml with count: true"
		}
	}
	out.Key = p.template(c.Get("key"), s, t)
	limit := c.Get("limit")
	out.Limit = p.template(limit, s, expr.Target{Type: integerType, What: "the limit of claim in " + i.step.Name})
	if limit != nil {
		if v, err := strconv.ParseInt(limit.Text, 10, 64); err == nil && v < 1 {
			p.list.Errorf(limit.Span, "limits", "limit is 1 or more")
		}
	}
	i.step.Needs = p.needs(i.step.Needs, infoOf(out.Key), infoOf(out.Limit))
	i.ends(claimOutcomes())
}

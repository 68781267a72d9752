package mapping

import (
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// replies compiles the replies of a mapping.
func (p *planner) replies() {
	n := p.doc.root.Get("reply")
	if n == nil || n.Kind != yamldoc.List {
		return
	}
	var refs []string
	for _, item := range n.Items {
		refs = append(refs, replyRefs(item)...)
	}
	p.reads = append(p.reads, refs...)
	s := p.view(inReplies)
	for idx, item := range n.Items {
		if item.Kind != yamldoc.Map {
			continue
		}
		when, last := item.Get("when"), idx == len(n.Items)-1
		switch {
		case last && when != nil:
			p.list.Errorf(item.KeyOf("when").Span, "reply", "the last reply has no when: it is for everything else")
		case !last && when == nil:
			p.list.Errorf(item.Span, "reply", "only the last reply may be without when: the replies below are never chosen")
		}
		cond := p.condition(when, s)
		r := p.reply(item, holds(s, cond))
		r.When = cond
		p.plan.Replies = append(p.plan.Replies, r)
		s = fails(s, cond)
	}
	p.covered(refs, "the reply")
}

// replyRefs gives the free names of a reply.
func replyRefs(n *yamldoc.Node) []string {
	var refs []string
	if w := n.Get("when"); w != nil {
		refs = append(refs, expr.FreeNames(expr.Source{Node: w, Bare: true})...)
	}
	for _, k := range []string{"header", "json", "text", "patch", "set"} {
		if v := n.Get(k); v != nil {
			refs = append(refs, expr.FreeNames(expr.Source{Node: v})...)
		}
	}
	return refs
}

func (p *planner) reply(n *yamldoc.Node, s *expr.Scope) *Reply {
	r := &Reply{At: n.Span, Status: p.status(n.Get("status"), 200)}
	var bodies []string
	for _, k := range []string{"json", "text", "file", "patch"} {
		if n.Get(k) != nil {
			bodies = append(bodies, k)
		}
	}
	if len(bodies) > 1 {
		p.list.Errorf(n.KeyOf(bodies[1]).Span, "two-bodies", "a reply has one body, not %s", strings.Join(bodies, " and "))
	}
	for _, k := range []string{"set", "delete"} {
		if n.Get(k) != nil && n.Get("patch") == nil {
			p.list.Errorf(n.KeyOf(k).Span, "misplaced-key", "%s belongs to patch", k)
		}
	}
	if len(bodies) > 0 && (r.Status < 200 || r.Status == 204 || r.Status == 304) {
		p.list.Errorf(n.KeyOf(bodies[0]).Span, "status", "a reply with status %d has no body", r.Status)
	}
	if j := n.Get("json"); j != nil {
		r.JSON = p.template(j, s, expr.Target{What: "the reply"})
		r.Type = "application/json"
	}
	if t := n.Get("text"); t != nil {
		r.Text = p.template(t, s, expr.Target{Type: textType, What: "the reply"})
		r.Type = "text/plain; charset=utf-8"
	}
	if f := n.Get("file"); f != nil && f.Text != "" {
		p.replyFile(r, f)
	}
	if n.Get("patch") != nil {
		var needs []int
		r.Patch = p.patch(n, s, "the reply", &needs)
		r.Type = "application/json"
	}
	if t := p.contentType(n.Get("type")); t != "" {
		r.Type = t
	}
	p.headers(r, n.Get("header"), s)
	return r
}

// replyFile takes a file of the mappings folder as the body.
func (p *planner) replyFile(r *Reply, n *yamldoc.Node) {
	r.Type = "text/plain; charset=utf-8"
	if strings.HasSuffix(n.Text, ".json") {
		r.Type = "application/json"
	}
	if f := p.texts[n.Text]; f != nil {
		r.File = f.Text
		return
	}
	p.unknown(n.Span, "unknown-file", "file", n.Text, keysOf(p.texts))
}

// barredHeaders are set by the gateway itself; a reply that sets them would lie.
var barredHeaders = []string{"content-length", "transfer-encoding", "connection", "date", "server", "x-request-id"}

func (p *planner) headers(r *Reply, n *yamldoc.Node, s *expr.Scope) {
	if n == nil || n.Kind != yamldoc.Map {
		return
	}
	for i := range n.Entries {
		e := &n.Entries[i]
		name := e.Key.Text
		switch {
		case !headerName(name):
			p.list.Errorf(e.Key.Span, "header", "%s is no name of a header field", quoteShort(name))
		case strings.EqualFold(name, "content-type"):
			p.list.Errorf(e.Key.Span, "header", "Content-Type is set with type")
		case slices.Contains(barredHeaders, strings.ToLower(name)):
			p.list.Errorf(e.Key.Span, "header", "%s is set by the gateway", name)
		}
		r.Header = append(r.Header, ReplyHeader{
			Name:  name,
			Value: p.template(e.Value, s, expr.Target{Type: textType, What: "header " + name}),
		})
	}
}

// headerName tells whether s is a token (RFC 9110, section 5.6.2).
func headerName(s string) bool {
	for _, c := range s {
		if c <= ' ' || c >= 0x7f || strings.ContainsRune("\"(),/:;<=>?@[\\]{}", c) {
			return false
		}
	}
	return s != ""
}

// covered checks that every continued failure is looked at: a reply that uses
// neither `failures` nor the step, directly or through what it uses, would
// answer as if nothing had happened.
func (p *planner) covered(refs []string, who string) {
	if slices.Contains(refs, "failures") || p.unread() {
		return
	}
	for r := range p.lets(refs) {
		if slices.Contains(r.refs, "failures") {
			return
		}
	}
	seen := map[*stepInfo]bool{}
	var walk func(refs []string)
	walk = func(refs []string) {
		for _, i := range p.closure(refs) {
			if !seen[i] {
				seen[i] = true
				walk(i.refs)
			}
		}
	}
	walk(refs)
	for _, i := range p.infos {
		// What is remembered is no part of an answer.
		if i.cont && !seen[i] && !i.noBody {
			i.told = true
			p.list.Errorf(at(i.value, "catch"), "uncovered", "%s continues when it fails, and %s looks neither at %s nor at failures", i.label(), who, i.label()).
				Help = "use steps." + i.label() + ".state or failures"
		}
	}
}

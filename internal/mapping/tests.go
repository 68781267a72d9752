package mapping

import (
	"slices"
	"strings"
	"time"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// tests reads and checks the tests of a mapping or flow.
func (l *loader) tests(d *document, plan *Plan, route *Route) {
	n := d.root.Get("tests")
	if n == nil || n.Kind != yamldoc.List {
		return
	}
	file := &TestFile{Plan: plan, Route: route}
	names := map[string]bool{}
	for _, item := range n.Items {
		if item.Kind != yamldoc.Map || !l.testOf(d, item, route) {
			continue
		}
		t := &Test{Name: textOf(item.Get("name")), At: item.Span}
		if at := item.Get("name"); at != nil {
			t.At = at.Span
			if names[t.Name] {
				l.list.Errorf(at.Span, "double", "two tests have the name %s", quoteShort(t.Name))
			}
			names[t.Name] = true
		}
		t.Now = l.testNow(item.Get("now"))
		t.Memory = l.testMemory(item.Get("memory"))
		t.Store = textOf(item.Get("store"))
		t.Remember = l.testMemory(item.Get("after"))
		if up := item.Get("upstream"); up != nil {
			for _, c := range up.Items {
				if c.Kind == yamldoc.Map {
					t.Upstream = append(t.Upstream, l.testCall(c, plan))
				}
			}
		}
		l.orderTest(t, item, plan)
		if route == nil {
			l.flowTest(t, item, plan)
		} else {
			l.routeTest(t, item, route)
		}
		file.Tests = append(file.Tests, t)
	}
	l.set.Tests = append(l.set.Tests, file)
}

// testOf tells whether a test of a mapping is one of a route: its caller speaks
// the route's dialect, or that of none, and it is the first.
func (l *loader) testOf(d *document, test *yamldoc.Node, route *Route) bool {
	all := routesOf(d.root)
	if route == nil || len(all) < 2 {
		return true
	}
	own := func(r *yamldoc.Node) bool {
		return textOf(r.Get("dialect")) == l.facts.callers[textOf(test.Get("caller"))]
	}
	mine := all[max(0, slices.IndexFunc(all, own))]
	return route.Dialect != nil && textOf(mine.Get("dialect")) == route.Dialect.Name
}

func (l *loader) testNow(n *yamldoc.Node) time.Time {
	if n == nil {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, n.Text)
	if err != nil || n.Text[13] != ':' { // the library takes an hour of one digit
		l.list.Errorf(n.Span, "time", "now is a time such as 2026-03-05T18:16:01-03:00")
	}
	return t
}

func (l *loader) testMemory(n *yamldoc.Node) map[string][]MemoryEntry {
	if n == nil || n.Kind != yamldoc.Map {
		return nil
	}
	all := map[string][]MemoryEntry{}
	for i := range n.Entries {
		e := &n.Entries[i]
		m := l.facts.memories[e.Key.Text]
		if m == nil {
			l.unknown(e.Key.Span, "unknown-name", "memory", e.Key.Text, keysOf(l.facts.memories))
			continue
		}
		all[m.Name] = []MemoryEntry{}
		for _, item := range e.Value.Items {
			k, v := item.Get("key"), item.Get("value")
			if k == nil || v == nil {
				continue
			}
			constantFits(k, m.Key, "the key of memory "+m.Name, &l.list)
			if m.Count {
				constantFits(v, integerType, "the count of memory "+m.Name, &l.list)
			} else {
				constantFits(v, m.Value, "the value of memory "+m.Name, &l.list)
			}
			all[m.Name] = append(all[m.Name], MemoryEntry{Key: constantValue(k, &l.list), Value: constantValue(v, &l.list)})
		}
	}
	return all
}

func (l *loader) testCall(n *yamldoc.Node, plan *Plan) *TestCall {
	c := &TestCall{At: n.Span}
	if at := n.Get("call"); at != nil && at.Text != "" {
		c.At = at.Span
		backend, _, _ := strings.Cut(at.Text, ".")
		switch {
		case strings.HasPrefix(at.Text, "flows."):
			l.list.Errorf(at.Span, "unknown-name", "upstream names operations: flows are run, not answered for")
		case strings.Contains(at.Text, " ") || l.facts.bare[backend]:
			c.Operation = l.testedRequest(at, plan)
		default:
			c.Operation = l.operation(at)
		}
	}
	if e := n.Get("expect"); e != nil {
		c.ExpectWith, c.ExpectBody, c.ExpectExactly = e.Get("with"), l.fileNode(e.Get("body")), l.fileNode(e.Get("exactly"))
		if c.ExpectBody != nil && c.ExpectExactly != nil {
			l.list.Errorf(e.KeyOf("body").Span, "two-bodies", "exactly is the whole body already: body says nothing more")
		}
		l.expected(c, plan)
	}
	if t, ok := intOf(n.Get("times")); ok {
		c.Times = t
		if t < 1 {
			l.list.Errorf(n.Get("times").Span, "limits", "times is 1 or more: leave out a call that is not made")
		}
	}
	if a := n.Get("answer"); a != nil && a.Kind == yamldoc.Map {
		l.testAnswer(c, a)
	}
	return c
}

// expected checks the names a test expects to be sent.
func (l *loader) expected(c *TestCall, plan *Plan) {
	if c.Operation == nil {
		return
	}
	if w := c.ExpectWith; w != nil {
		var names []string
		for _, op := range l.alike(c.Operation, plan) {
			for _, p := range op.Params {
				if !slices.Contains(names, p.Name) {
					names = append(names, p.Name)
				}
			}
		}
		for i := range w.Entries {
			if k := w.Entries[i].Key; !slices.Contains(names, k.Text) {
				d := l.list.Errorf(k.Span, "unknown-parameter", "%s has no parameter %s", c.Operation.Name(), quoteShort(k.Text))
				d.Help = suggest(k.Text, names)
			}
		}
	}
	for _, b := range []*yamldoc.Node{c.ExpectBody, c.ExpectExactly} {
		if b == nil {
			continue
		}
		if c.Operation.Body == nil {
			l.list.Errorf(b.Span, "no-body", "%s takes no body", c.Operation.Name())
		} else if b.Kind == yamldoc.Map {
			constantFits(b, c.Operation.Body, "the body of "+c.Operation.Name(), &l.list)
		}
	}
}

func (l *loader) testAnswer(c *TestCall, a *yamldoc.Node) {
	var found []string
	for _, k := range []string{"json", "text", "example", "fail"} {
		if a.Get(k) != nil {
			found = append(found, k)
		}
	}
	if len(found) > 1 {
		l.list.Errorf(a.KeyOf(found[1]).Span, "two-bodies", "an answer is one of json, text, example and fail")
	}
	c.Status = l.status(a.Get("status"), 0)
	c.JSON = l.fileNode(a.Get("json"))
	if c.Operation != nil && (c.Status == 0 || c.Status < 300) {
		l.misspelt(c.JSON, c.Operation.Answer)
	}
	if t := a.Get("text"); t != nil {
		c.Text = &t.Text
	}
	c.Fail = textOf(a.Get("fail"))
	if c.Fail != "" && a.Get("status") != nil {
		l.list.Errorf(a.KeyOf("status").Span, "misplaced-key", "an answer that fails has no status")
	}
	if c.Fail == "" && len(found) == 0 && c.Status == 0 {
		l.list.Errorf(a.Span, "missing-key", "an answer needs json, text, example, status or fail")
	}
	if e := a.Get("example"); e != nil && c.Operation != nil {
		c.Example = c.Operation.Examples[e.Text]
		if c.Example == nil {
			d := l.list.Errorf(e.Span, "unknown-name", "%s has no example %s", c.Operation.Name(), quoteShort(e.Text))
			d.Help = suggest(e.Text, keysOf(c.Operation.Examples))
		}
	}
}

// misspelt warns of fields of a test's answer that look like ones the contract
// names. Others are left alone: backends send more than contracts say.
func (l *loader) misspelt(n *yamldoc.Node, t *expr.Type) {
	if n == nil || t == nil {
		return
	}
	for _, item := range n.Items {
		l.misspelt(item, t.Elem)
	}
	for i := range n.Entries {
		e := &n.Entries[i]
		if f := t.Fields[e.Key.Text]; f != nil {
			l.misspelt(e.Value, f.Type)
			continue
		}
		near := diag.Suggest(e.Key.Text, fieldOrder(t))
		if near != "" && n.Get(near) == nil {
			l.list.Warnf(e.Key.Span, "unknown-field", "the contract knows no field %s here", quoteShort(e.Key.Text)).
				Help = "did you mean " + near + "?"
		}
	}
}

// fileNode gives n, with each `{ $file: PATH }` in it replaced by what the file holds.
func (l *loader) fileNode(n *yamldoc.Node) *yamldoc.Node {
	if n == nil {
		return nil
	}
	if n.Kind == yamldoc.Map && len(n.Entries) == 1 && n.Entries[0].Key.Text == "$file" {
		f := l.textFile(n.Entries[0].Value)
		if f == nil {
			return n
		}
		root, list := yamldoc.Parse(f)
		l.list.Add(list)
		if root == nil {
			return n
		}
		return root
	}
	for i, item := range n.Items {
		n.Items[i] = l.fileNode(item)
	}
	for i := range n.Entries {
		n.Entries[i].Value = l.fileNode(n.Entries[i].Value)
	}
	return n
}

func (l *loader) flowTest(t *Test, n *yamldoc.Node, plan *Plan) {
	t.Input, t.Result = l.fileNode(n.Get("input")), l.fileNode(n.Get("result"))
	t.Refused, t.State, t.Message = boolOf(n.Get("refused")), textOf(n.Get("state")), textOf(n.Get("message"))
	if t.Input != nil {
		constantFits(t.Input, plan.Input.Type, plan.Name, &l.list)
	}
	var given diag.List
	given = append(given, missing(t.Input, plan.Input, n)...)
	l.list.Add(given)
	if t.Result == nil && !t.Refused && t.State == "" {
		l.list.Errorf(n.Span, "missing-key", "a flow's test needs result, refused or state")
	}
	if t.Result != nil && (t.Refused || t.State != "" && t.State != "ok") {
		l.list.Errorf(n.KeyOf("result").Span, "misplaced-key", "a flow that does not end ok has no result")
	}
	if t.Message != "" && !t.Refused && (t.State == "" || t.State == "ok") {
		l.list.Errorf(n.KeyOf("message").Span, "misplaced-key", "a flow that ends ok says nothing")
	}
}

// missing tells required fields a flow's test does not give.
func missing(given *yamldoc.Node, in *Input, owner *yamldoc.Node) diag.List {
	var list diag.List
	for _, f := range in.Fields {
		if f.Required && given.Get(f.Name) == nil {
			where := owner.Span
			if given != nil {
				where = given.Span
			}
			list.Errorf(where, "missing-field", "input %s is missing", f.Name)
		}
	}
	return list
}

func (l *loader) routeTest(t *Test, n *yamldoc.Node, route *Route) {
	t.TestExchange = l.testExchange(n, route)
	if again := n.Get("again"); again != nil {
		for _, item := range again.Items {
			if item.Kind != yamldoc.Map {
				continue
			}
			e := l.testExchange(item, route)
			if e.Caller == "" {
				e.Caller = t.Caller
			}
			t.Again = append(t.Again, e)
		}
	}
}

// testExchange reads who makes a request of a test, the request and its reply.
func (l *loader) testExchange(n *yamldoc.Node, route *Route) (t TestExchange) {
	if c := n.Get("caller"); c != nil && c.Text != "" {
		t.Caller = c.Text
		dialect, ok := l.facts.callers[c.Text]
		switch {
		case !ok:
			l.unknown(c.Span, "unknown-name", "caller", c.Text, keysOf(l.facts.callers))
		case route.Dialect != nil && !l.unreadable["spoken "+dialect] && dialect != route.Dialect.Name:
			l.list.Errorf(c.Span, "dialect", "caller %s speaks %s, this route %s", c.Text, dialect, route.Dialect.Name)
		}
	}
	if r := n.Get("request"); r != nil && r.Kind == yamldoc.Map {
		t.Request = l.testRequest(r)
	}
	if r := n.Get("reply"); r != nil && r.Kind == yamldoc.Map {
		t.Reply = l.testReply(r)
	}
	return t
}

func (l *loader) testRequest(n *yamldoc.Node) *TestRequest {
	r := &TestRequest{
		Method: textOf(n.Get("method")), Path: textOf(n.Get("path")),
		Header: scalars(n.Get("header")), Query: scalars(n.Get("query")),
		Form: n.Get("form"), Multipart: n.Get("multipart"), JSON: l.fileNode(n.Get("json")), Times: 1,
	}
	if b := n.Get("body"); b != nil {
		r.Body = &b.Text
	}
	var found []string
	for _, k := range []string{"form", "multipart", "json", "body"} {
		if n.Get(k) != nil {
			found = append(found, k)
		}
	}
	if len(found) > 1 {
		l.list.Errorf(n.KeyOf(found[1]).Span, "two-bodies", "a request has one body, not %s", strings.Join(found, " and "))
	}
	if t, ok := intOf(n.Get("times")); ok {
		r.Times = max(t, 1)
		if t < 1 {
			l.list.Errorf(n.Get("times").Span, "limits", "times is 1 or more")
		}
	}
	return r
}

func (l *loader) testReply(n *yamldoc.Node) *TestReply {
	r := &TestReply{
		At: n.Span, Status: l.status(n.Get("status"), 0),
		JSON: l.fileNode(n.Get("json")), Contains: l.fileNode(n.Get("contains")), Header: scalars(n.Get("header")),
	}
	if t := n.Get("text"); t != nil {
		r.Text = &t.Text
	}
	if r.Status == 0 && r.JSON == nil && r.Contains == nil && r.Text == nil && r.Header == nil {
		l.list.Errorf(n.Span, "missing-key", "reply expects nothing: give status, json, contains, text or header")
	}
	if r.JSON != nil && r.Contains != nil {
		l.list.Errorf(n.KeyOf("contains").Span, "two-bodies", "json is the whole body already: contains says nothing more")
	}
	return r
}

// orderTest reads what a test says of orders.
func (l *loader) orderTest(t *Test, n *yamldoc.Node, plan *Plan) {
	for _, k := range []string{"events", "decisions", "order"} {
		if n.Get(k) != nil && !plan.lasts {
			l.list.Errorf(n.KeyOf(k).Span, "misplaced-key", "%s belongs to tests of durable mappings", k)
		}
	}
	if events := n.Get("events"); events != nil {
		for _, e := range events.Items {
			if k := e.Get("key"); k != nil {
				t.Events = append(t.Events, TestEvent{Event: textOf(e.Get("event")), Key: constantValue(k, &l.list), Body: l.fileNode(e.Get("body"))})
			}
		}
	}
	t.Decisions = textsOf(n.Get("decisions"))
	o := n.Get("order")
	if o == nil || o.Kind != yamldoc.Map {
		return
	}
	t.Order = &TestOrder{
		State: textOf(o.Get("state")), Undone: textsOf(o.Get("undone")), Left: textsOf(o.Get("left")),
		ToldUndone: o.Get("undone") != nil, ToldLeft: o.Get("left") != nil,
		Step: textOf(o.Get("step")), Class: textOf(o.Get("class")), Shows: l.fileNode(o.Get("shows")),
		Key: l.fileNode(o.Get("key")), Subject: textsOf(o.Get("subject")), ToldSubject: o.Get("subject") != nil, At: o.Span,
	}
}

func scalars(n *yamldoc.Node) map[string]string {
	if n == nil || n.Kind != yamldoc.Map {
		return nil
	}
	all := make(map[string]string, len(n.Entries))
	for i := range n.Entries {
		all[n.Entries[i].Key.Text] = textOf(n.Entries[i].Value)
	}
	return all
}

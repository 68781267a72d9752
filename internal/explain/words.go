package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/exchange"
	"github.com/emenda-gateway/emenda/internal/intake"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/rehearse"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

func (t *teller) text() string { return t.out.String() }

// line writes one line, so deep.
func (t *teller) line(depth int, format string, args ...any) {
	fmt.Fprintf(&t.out, strings.Repeat("  ", depth)+format+"\n", args...)
}

// part writes one line that begins with what it is about.
func (t *teller) part(name, format string, args ...any) {
	t.line(0, "%-7s"+format, append([]any{name}, args...)...)
}

func (t *teller) route(route *mapping.Route) {
	t.plan = route.Plan
	t.names(route.Plan)
	t.part("route", "%s", fileLine(route))
	t.part("", "%s", strings.TrimSpace(route.Plan.Summary))
}

// names takes the keys that a plan and its flows write for what they are.
func (t *teller) names(p *mapping.Plan) {
	t.hidden.takeNames(t.source(p).root)
	for _, s := range p.Steps {
		for _, c := range s.Cases {
			if c.Call != nil && c.Call.Flow != nil {
				t.names(c.Call.Flow)
			}
		}
	}
}

// takeNames takes every key of a mapping's file, less those of its tests.
func (h *hidden) takeNames(n *yamldoc.Node) {
	if n == nil {
		return
	}
	for _, item := range n.Items {
		h.takeNames(item)
	}
	for i := range n.Entries {
		if key := n.Entries[i].Key.Text; key != "tests" {
			h.names[key] = true
			h.takeNames(n.Entries[i].Value)
		}
	}
}

func fileLine(route *mapping.Route) string {
	if route.Plan.File == nil {
		return route.Plan.Name
	}
	return route.Plan.File.Name
}

// unrouted tells why a request does not get to a mapping.
func (t *teller) unrouted(paths *intake.Paths, route *mapping.Route, r *intake.Request, p *intake.Problem) {
	switch {
	case route != nil:
		t.part("route", "%s", fileLine(route))
		t.part("no", "the request cannot be read: %s", p.Message)
	case p.Kind == mapping.BadMethod:
		t.part("no", "no route has this path with %s: it takes %s", t.hidden.name(r.Method), orNone(strings.Join(paths.Methods(r.Path, nil), ", ")))
	default:
		t.part("no", "no route has this path; \"emenda routes\" lists them")
	}
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// caller tells who calls, of those of a dialect.
func (t *teller) caller(d *mapping.Dialect, rep *exchange.Report) {
	switch {
	case rep.Caller != "" && rep.Assumed:
		t.part("caller", "%s, assumed: the request carries no credentials", rep.Caller)
	case rep.Caller != "":
		t.part("caller", "%s, by the request's credentials", rep.Caller)
	case rep.Outcome == mapping.NotSignedIn.String():
		t.part("caller", "nobody: the request carries no credentials; --caller NAME makes it as somebody (%s)", orNone(t.callersOf(d)))
	case rep.Outcome == mapping.BadSignIn.String():
		t.part("caller", "nobody: the request's credentials are no caller's, as far as this environment has their secrets; leave them out, and name a caller with --caller (%s)", orNone(t.callersOf(d)))
	}
}

// signedIn tells who calls, and what is wrong with the request before anything runs.
func (t *teller) signedIn(route *mapping.Route, rep *exchange.Report) {
	t.caller(route.Dialect, rep)
	if t.got {
		t.part("input", "%s", t.input)
	}
	if p := rep.Problem; p != nil && !t.got {
		switch p.Kind {
		case mapping.Unreadable:
			t.part("no", "the request cannot be read: %s", t.hidden.masked(p.Message))
		case mapping.Forbidden:
			t.part("no", "the caller may not: the route needs permission %s", route.Needs)
		case mapping.BadInput:
			t.part("no", "the input is not what the mapping takes: %s", places(p.Fields))
		}
	}
	if t.got && route.Repeat != nil {
		t.part("repeat", "who asks again within %s gets the first answer, and nothing is sent", route.Repeat.For)
		if t.o.Live != nil && t.o.Live.Store != nil && rep.Repeat != "" {
			t.part("", "found: %s", rep.Repeat)
		}
	}
}

// places lists JSON Pointers; that of the whole is empty.
func places(pointers []string) string {
	all := slices.Clone(pointers)
	for i := range all {
		if all[i] == "" {
			all[i] = "the body as a whole"
		}
	}
	return strings.Join(all, ", ")
}

func (t *teller) callersOf(d *mapping.Dialect) string {
	var names []string
	for _, c := range t.o.Callers {
		if c.Dialect == d.Name {
			names = append(names, c.Name)
		}
	}
	return strings.Join(names, ", ")
}

// run tells the steps.
func (t *teller) run(route *mapping.Route, book *rehearse.Book, res *exchange.Response) {
	for _, s := range t.steps {
		t.step(&s, 0, "")
	}
	if !t.got || route.Plan.Ordered() {
		return
	}
	why := "a failure before it ended the run"
	if res.Report.Outcome == "ok" {
		why = "the answer is known from before"
	}
	for _, s := range route.Plan.Steps {
		if !slices.ContainsFunc(t.steps, func(n step) bool { return n.plan == route.Plan && n.name == s.Name }) {
			t.line(0, "")
			t.line(0, "step   %s: %s", s.Name, Does(s, nil))
			t.line(1, "not reached: %s", why)
		}
	}
	t.unused(book)
}

// unused tells of answers that nothing asked for.
func (t *teller) unused(book *rehearse.Book) {
	for i, left := range book.Left() {
		if i == 0 {
			t.line(0, "")
		}
		t.part("unused", "the answer of %s, %s: it was not called, or not as expected", left.Operation.Name(), left.At)
	}
}

func (t *teller) step(s *step, depth int, above string) {
	if depth == 0 {
		t.line(0, "")
	}
	name := above + s.name
	t.line(depth, "step   %s: %s", name, s.title)
	for _, line := range s.lines {
		t.line(depth+1, "%s", line)
	}
	for i := range s.inner {
		t.step(&s.inner[i], depth+1, name+"/")
	}
	switch {
	case s.means == "":
	case len(s.inner) > 0:
		t.line(depth+1, "%s: %s", name, s.means)
	default:
		t.line(depth+1, "%s", s.means)
	}
}

// reply tells what goes back.
func (t *teller) reply(route *mapping.Route, res *exchange.Response) {
	t.line(0, "")
	rep := &res.Report
	switch {
	case route == nil && rep.Outcome == "ok":
		t.part("reply", "%d %s, as it came", res.Status, res.Type)
	case rep.Reply < 0 && rep.Outcome == "ok":
		t.hidden.received(res.Body) // what was answered before is somebody's
		t.part("reply", "%d %s, the first answer again: the request is a repeated one", res.Status, res.Type)
	case rep.Outcome == "ok":
		which := ""
		if n := len(route.Plan.Replies); n > 1 {
			which = fmt.Sprintf(", the %s of %d", ordinal(rep.Reply+1), n)
			if when := t.source(route.Plan).replyWhen(rep.Reply); when != "" {
				which += ": when " + when
			} else {
				which += ": no condition before it holds"
			}
		}
		t.part("reply", "%d %s%s", res.Status, res.Type, which)
	default:
		t.part("reply", "%d %s, the dialect's words for %s", res.Status, res.Type, rep.Outcome)
		if rep.Step != "" {
			why := rep.Class
			if why != "" {
				why = ", class " + why
			}
			t.part("", "because of step %s%s", rep.Step, why)
		}
		if rep.Cause != nil {
			t.part("", "%s", rep.Cause.Error())
		}
	}
	for _, h := range res.Header {
		t.part("header", "%s: %s", h.Name, t.hidden.masked(h.Value))
	}
	if len(res.Body) > 0 {
		t.part("body", "%s", t.hidden.body(res.Body, false, nil))
	}
	t.line(0, "")
	t.line(0, "%s; *** is hidden", t.wasSent())
}

func ordinal(n int) string {
	suffix := "th"
	switch {
	case n%100 >= 11 && n%100 <= 13:
	case n%10 == 1:
		suffix = "st"
	case n%10 == 2:
		suffix = "nd"
	case n%10 == 3:
		suffix = "rd"
	}
	return fmt.Sprint(n) + suffix
}

// source is a plan's file, read for the words of its conditions.
type source struct{ root *yamldoc.Node }

func (t *teller) source(p *mapping.Plan) *source {
	s := t.sources[p]
	if s == nil {
		s = &source{}
		if p.File != nil {
			s.root, _ = yamldoc.Parse(p.File)
		}
		t.sources[p] = s
	}
	return s
}

func (s *source) stepWhen(name string) string { return condition(s.root.Get("steps").Get(name)) }

func (s *source) caseWhen(name string, i int) string {
	return condition(item(s.root.Get("steps").Get(name).Get("switch"), i))
}

func (s *source) replyWhen(i int) string { return condition(item(s.root.Get("reply"), i)) }

func item(n *yamldoc.Node, i int) *yamldoc.Node {
	if n == nil || i < 0 || i >= len(n.Items) {
		return nil
	}
	return n.Items[i]
}

// condition gives the words of a node's `when`, on one line.
func condition(n *yamldoc.Node) string {
	when := n.Get("when")
	if when == nil {
		return ""
	}
	return strings.Join(strings.Fields(when.Text), " ")
}

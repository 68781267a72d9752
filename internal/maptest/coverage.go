package maptest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/exchange"
	"github.com/emenda-gateway/emenda/internal/flow"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

// Coverage is what tests have reached of mappings, flows and tables: the cases
// of steps, the states steps can end in, replies, and rows of tables.
type Coverage struct {
	Parts []*CoveredPart // mappings and flows by file, then tables by name
	files map[*mapping.Plan]*CoveredPart
}

// CoveredPart is a mapping, a flow or a table.
type CoveredPart struct {
	Name   string // the file, or "table x"
	Points []*CoveredPoint
	cases  map[*mapping.Step][]*CoveredPoint
	states map[*mapping.Step]map[contract.State]*CoveredPoint
	reply  []*CoveredPoint
}

// PointKind is what a point is of.
type PointKind uint8

// The kinds of points.
const (
	CasePoint PointKind = iota
	StatePoint
	ReplyPoint
	RowPoint
)

// String names the kind, as many.
func (k PointKind) String() string { return [...]string{"cases", "states", "replies", "rows"}[k] }

// CoveredPoint is one thing that a test can reach.
type CoveredPoint struct {
	Kind    PointKind
	At      diag.Span
	What    string // "step order is never refused"
	Reached bool
}

// NewCoverage gives the points of a set, none of them reached, and watches its
// tables. Watch and Answered of Options are its Settled and Answered.
func NewCoverage(set *mapping.Set) *Coverage {
	c := &Coverage{files: map[*mapping.Plan]*CoveredPart{}}
	for _, r := range set.Routes {
		c.plan(r.Plan)
	}
	for _, name := range slices.Sorted(maps.Keys(set.Flows)) {
		c.plan(set.Flows[name])
	}
	slices.SortStableFunc(c.Parts, func(a, b *CoveredPart) int { return strings.Compare(a.Name, b.Name) })
	for _, name := range slices.Sorted(maps.Keys(set.Tables)) {
		t := set.Tables[name]
		part := &CoveredPart{Name: "table " + name}
		rows := map[string]*CoveredPoint{}
		for _, key := range slices.Sorted(maps.Keys(t.Rows)) {
			rows[key] = part.add(RowPoint, diag.Span{}, fmt.Sprintf("row %q is never looked up", key))
		}
		other := part.add(RowPoint, diag.Span{}, "no key without a row is looked up")
		t.Asked = func(key string, known bool) {
			if p := rows[key]; known && p != nil {
				p.Reached = true
			} else {
				other.Reached = true
			}
		}
		c.Parts = append(c.Parts, part)
	}
	return c
}

func (p *CoveredPart) add(kind PointKind, at diag.Span, what string) *CoveredPoint {
	point := &CoveredPoint{Kind: kind, At: at, What: what}
	p.Points = append(p.Points, point)
	return point
}

func (c *Coverage) plan(p *mapping.Plan) {
	for other, part := range c.files {
		if other.File == p.File { // of another route
			for i, s := range p.Steps {
				part.cases[s], part.states[s] = part.cases[other.Steps[i]], part.states[other.Steps[i]]
			}
			c.files[p] = part
			return
		}
	}
	part := &CoveredPart{Name: p.File.Name, cases: map[*mapping.Step][]*CoveredPoint{}, states: map[*mapping.Step]map[contract.State]*CoveredPoint{}}
	c.files[p] = part
	c.Parts = append(c.Parts, part)
	for _, s := range p.Steps {
		if len(s.Cases) > 1 {
			for i, k := range s.Cases {
				part.cases[s] = append(part.cases[s], part.add(CasePoint, k.At, fmt.Sprintf("case %d of step %s is never taken", i+1, s.Name)))
			}
		}
		part.states[s] = map[contract.State]*CoveredPoint{}
		for _, state := range states(s) {
			part.states[s][state] = part.add(StatePoint, s.At, fmt.Sprintf("step %s is never %s", s.Name, state))
		}
	}
	for i, r := range p.Replies {
		part.reply = append(part.reply, part.add(ReplyPoint, r.At, fmt.Sprintf("reply %d is never given", i+1)))
	}
}

// states are those a step can end in: of a flow and of what is not called, that
// it is ok or skipped.
func states(s *mapping.Step) []contract.State {
	var can [contract.Skipped + 1]bool
	can[contract.Skipped] = s.When != nil || len(s.Needs) > 0
	for _, c := range s.Cases {
		switch c.Action {
		case mapping.DoCall:
			can[contract.OK], can[contract.Failed] = true, true
			can[contract.Refused] = can[contract.Refused] || !c.Call.Operation.Plain
			can[contract.Unknown] = can[contract.Unknown] || c.Call.Operation.Changes
		case mapping.DoFail:
			can[contract.Refused] = true
		case mapping.DoSkip:
			can[contract.Skipped] = true
		default:
			can[contract.OK] = true
		}
		can[contract.Skipped] = can[contract.Skipped] || len(c.Needs) > 0
	}
	var all []contract.State
	for state, is := range can {
		if is {
			all = append(all, contract.State(state))
		}
	}
	return all
}

// Settled notes a step. Of an `each` it is the last element's case, and the worst state.
func (c *Coverage) Settled(p *mapping.Plan, s *mapping.Step, r flow.StepReport) {
	part := c.files[p]
	if part == nil {
		return
	}
	if all := part.cases[s]; r.Case >= 0 && r.Case < len(all) {
		all[r.Case].Reached = true
	}
	if point := part.states[s][r.State]; point != nil {
		point.Reached = true
	}
}

// Answered notes a reply.
func (c *Coverage) Answered(route *mapping.Route, _ *mapping.Test, report *exchange.Report) {
	if part := c.files[route.Plan]; part != nil && report.Reply >= 0 && report.Reply < len(part.reply) && report.Outcome == "ok" {
		part.reply[report.Reply].Reached = true
	}
}

// Count gives how many points of a kind there are, and how many were reached.
func (p *CoveredPart) Count(kind PointKind) (reached, all int) {
	for _, point := range p.Points {
		if point.Kind == kind {
			all++
			if point.Reached {
				reached++
			}
		}
	}
	return reached, all
}

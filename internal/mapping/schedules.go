package mapping

import (
	"github.com/emenda-gateway/emenda/internal/config"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// Schedule is something that runs at set times.
type Schedule struct {
	*config.Schedule
	Plan *Plan // runs as a flow that takes nothing
}

// scheduled is the name of the one step of a schedule's plan.
const scheduled = "run"

// schedules compiles the schedules of gateway.yaml, but those of packs that are not served.
func (l *loader) schedules() {
	if l.world.Config == nil {
		return
	}
	for _, name := range keysOf(l.world.Config.Schedules) {
		s := l.world.Config.Schedules[name]
		if s.Step == nil || l.world.PacksAside[s.Pack] {
			continue
		}
		step := yamldoc.Entry{Key: &yamldoc.Node{Kind: yamldoc.Text, Text: scheduled, Span: s.Key.Span}, Value: s.Step}
		steps := &yamldoc.Node{Kind: yamldoc.Map, Span: s.Step.Span, Entries: []yamldoc.Entry{step}}
		d := &document{file: l.world.Config.File, kind: noFile, root: &yamldoc.Node{Kind: yamldoc.Map, Span: s.Step.Span, Entries: []yamldoc.Entry{
			{Key: &yamldoc.Node{Kind: yamldoc.Text, Text: "steps", Span: s.Key.Span}, Value: steps},
		}}}
		plan := l.newPlan(d, "schedules."+name)
		plan.Input = l.input(nil, "input")
		p := &planner{loader: l, doc: d, plan: plan, isFlow: true, scheduled: true}
		p.build()
		p.reads = append(p.reads, scheduled) // what it calls is called for its own sake
		p.finish()
		if f := claims(plan); f != nil {
			l.list.Errorf(s.Step.Get("call").Span, "schedule", "%s claims (step %s), which only requests can", s.Step.Get("call").Text, f.Name).
				Help = "call a flow that does not claim"
		}
		l.set.Schedules = append(l.set.Schedules, &Schedule{Schedule: s, Plan: plan})
	}
}

// claims gives the first step of a plan, or of a flow it calls, that claims; nil: none does.
func claims(p *Plan) *Step {
	for _, s := range p.Steps {
		if s.Claim != nil {
			return s
		}
		for _, c := range s.Cases {
			if c.Call == nil || c.Call.Flow == nil {
				continue
			}
			if f := claims(c.Call.Flow); f != nil {
				return f
			}
		}
	}
	return nil
}

package config

import (
	"time"

	"github.com/emenda-gateway/emenda/internal/period"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// schedule reads one schedule. What it calls is the mappings' matter; that it
// gives constants is told here.
func (l *loader) schedule(e yamldoc.Entry) *Schedule {
	n := e.Value
	s := &Schedule{Name: e.Key.Text, At: e.Key.Span, Key: e.Key, Cron: l.text(n, "cron", "", cronLine)}
	if n.Get("timezone") != nil {
		own := l.text(n, "timezone", "", zone)
		s.Timezone = &own
	}
	s.Pack, s.PackAt = named(n.Get("pack"), e.Key.Span)
	if n.Kind != yamldoc.Map || scalarText(n.Get("call")) == "" {
		return s
	}
	s.Step = &yamldoc.Node{Kind: yamldoc.Map, Span: n.Span}
	for _, part := range n.Entries {
		switch part.Key.Text {
		case "with", "body":
			l.constant(part.Value)
			s.Step.Entries = append(s.Step.Entries, part)
		case "call":
			s.Step.Entries = append(s.Step.Entries, part)
		}
	}
	return s
}

// constant refuses expressions and variables, however deep.
func (l *loader) constant(n *yamldoc.Node) {
	if at := braces.FindStringIndex(n.Text); n.Kind == yamldoc.Text && at != nil {
		l.list.Errorf(n.SpanOf(at[1]-2, len(n.Text)), "env-form", "a schedule gives constants: nothing can stand in ${} here").
			Help = "write the value itself, or call a flow that works it out"
	}
	for _, item := range n.Items {
		l.constant(item)
	}
	for _, e := range n.Entries {
		l.constant(e.Value)
	}
}

// cronLine checks the times of a schedule.
func cronLine(s string) error {
	_, err := period.Parse(s, time.UTC)
	return err
}

// ResolvedSchedule is when something runs.
type ResolvedSchedule struct{ Name, Cron, Zone string }

func (r *resolver) schedule(s *Schedule, otherwise *time.Location) *ResolvedSchedule {
	out := &ResolvedSchedule{Name: s.Name, Cron: r.text(s.Cron, "cron", cronLine)}
	switch {
	case s.Timezone != nil:
		out.Zone = r.text(*s.Timezone, "timezone", zone)
	case otherwise != nil:
		out.Zone = otherwise.String()
	}
	return out
}

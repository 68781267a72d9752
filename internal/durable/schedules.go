package durable

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/flow"
	"github.com/emenda-gateway/emenda/internal/order"
	"github.com/emenda-gateway/emenda/internal/snapshot"
)

// timed is what runs at set times.
type timed struct {
	mu    sync.Mutex
	known map[string]times // what the engine was told, by name
	ran   map[Run]int      // in this process
}

// times say when something is due.
type times struct{ cron, zone string }

// Run is a schedule and how a run of it ended: ok, refused, failed, unknown.
type Run struct{ Schedule, Outcome string }

// Reschedule has the schedules of the configuration that serves run, and no
// others. It is called whenever another serves.
func (v *Orders) Reschedule() {
	select {
	case <-v.serving:
	default:
		return
	}
	e, err := v.Engine()
	if err != nil {
		return // it is called again when there is one
	}
	s, release := v.hold()
	if s == nil {
		return
	}
	defer release()
	t := &v.timed
	t.mu.Lock()
	defer t.mu.Unlock()
	wanted := map[string]times{}
	for i := range s.Schedules {
		one := &s.Schedules[i]
		wanted[one.Name] = times{one.Cron, one.Zone}
	}
	for name := range t.known {
		if _, is := wanted[name]; !is {
			e.Never(name)
		}
	}
	for name, at := range wanted {
		if t.known[name] == at {
			continue
		}
		if err := e.Every(name, at.cron, at.zone, func(ctx context.Context, _ time.Time) error { return v.runScheduled(ctx, name) }); err != nil {
			v.o.Log.Error("a schedule does not run", slog.String("schedule", name), slog.String("error", err.Error()))
			delete(wanted, name) // else it would count as told
		}
	}
	t.known = wanted
}

// ended is how a run ended that did not end well. It holds nothing that was received.
type ended struct {
	state contract.State
	class string
}

// Error tells state and class.
func (e *ended) Error() string {
	if e.class == "" {
		return e.state.String()
	}
	return e.state.String() + ", class " + e.class
}

// runScheduled runs a schedule as the configuration that serves has it.
func (v *Orders) runScheduled(ctx context.Context, name string) error {
	s, release := v.hold()
	if s == nil { // the process ends
		return &ended{contract.Failed, contract.ClassUnavailable}
	}
	defer release()
	plan := planOfSchedule(s, name)
	if plan == nil {
		return nil // it was taken away just now
	}
	began := time.Now()
	env := &flow.Env{
		Calls: s, Memory: s.Kept, Cache: s.Kept, Now: v.clock(), Zone: s.Settings.Timezone, RequestID: "schedule " + name,
		Unavailable: s.Unavailable, MaxEach: s.Settings.Limits.Each, Fuel: s.Settings.Limits.Fuel,
	}
	state, class, _, _, err := flow.RunFlow(ctx, plan.Plan, []byte("{}"), env)
	if err != nil && state == contract.OK {
		state, class = contract.Failed, contract.ClassTemplate
	}
	v.timed.mu.Lock()
	v.timed.ran[Run{name, state.String()}]++
	v.timed.mu.Unlock()
	if state != contract.OK {
		return &ended{state, class}
	}
	v.o.Log.Info("a schedule ran", slog.String("schedule", name), slog.Int64("duration_ms", time.Since(began).Milliseconds()))
	return nil
}

func planOfSchedule(s *snapshot.Snapshot, name string) *snapshot.Scheduled {
	for i := range s.Schedules {
		if s.Schedules[i].Name == name {
			return &s.Schedules[i]
		}
	}
	return nil
}

// Schedules is what is known of all that runs at set times.
type Schedules struct {
	Schedules []Schedule `json:"schedules"`
}

// Schedule is what is known of one schedule.
type Schedule struct {
	Name        string     `json:"name"`
	Cron        string     `json:"cron,omitempty"`
	Zone        string     `json:"zone,omitempty"`
	Next        *time.Time `json:"next,omitempty"`
	Last        *time.Time `json:"last,omitempty"`         // the time of the last run, of any replica
	Outcome     string     `json:"outcome,omitempty"`      // of the last run: running, ok, failed; lost: whoever ran it has gone
	Succeeded   *time.Time `json:"succeeded,omitempty"`    // when the last run that was ok ended
	Unwell      int        `json:"unwell"`                 // times at which it was due since then, or since the first that is known
	Missed      int        `json:"missed"`                 // times before the last run at which nobody ran it
	MissedSince *time.Time `json:"missed_since,omitempty"` // times since the last run at which nobody ran it: the first
	LeftOut     string     `json:"left_out,omitempty"`     // why it does not run here
}

// Schedules tells what is known of the schedules of the configuration that serves.
func (v *Orders) Schedules(ctx context.Context) (*Schedules, error) {
	out := &Schedules{Schedules: []Schedule{}}
	if kind, _ := v.Health(ctx); kind != "" {
		e, err := v.Engine()
		if err != nil {
			return nil, err
		}
		all, err := e.Schedules(ctx)
		if err != nil {
			return nil, err
		}
		for i := range all {
			out.Schedules = append(out.Schedules, scheduleOf(&all[i]))
		}
	}
	select {
	case <-v.serving:
	default:
		return out, nil
	}
	if s, release := v.hold(); s != nil {
		defer release()
		for _, l := range s.LeftOut {
			if l.Kind == "schedule" {
				out.Schedules = append(out.Schedules, Schedule{Name: l.Name, LeftOut: l.Why})
			}
		}
	}
	return out, nil
}

func scheduleOf(s *order.Schedule) Schedule {
	out := Schedule{
		Name: s.Name, Cron: s.Cron, Zone: s.Zone, Missed: s.Missed, Unwell: s.Unwell,
		Next: moment(s.Next), Last: moment(s.Last), Succeeded: moment(s.Succeeded), MissedSince: moment(s.MissedSince),
	}
	switch {
	case s.Last.IsZero():
	case s.Lost:
		out.Outcome = "lost"
	case s.Ended.IsZero():
		out.Outcome = "running"
	case s.Failed:
		out.Outcome = contract.Failed.String()
	default:
		out.Outcome = contract.OK.String()
	}
	return out
}

// runs gives how the runs of this process ended.
func (t *timed) runs() map[Run]int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.ran)
}

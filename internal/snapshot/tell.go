package snapshot

import (
	"context"
	"log/slog"
	"maps"
	"slices"

	"github.com/emenda-gateway/emenda/internal/config"
	"github.com/emenda-gateway/emenda/internal/diag"
)

// toldProblems bounds how many problems of one reload have log lines of their own.
const toldProblems = 100

// tellStart says in log and metrics what the process starts with.
func (r *Reloader) tellStart(s *Snapshot) {
	p := r.report.Load()
	if p.LastGood.IsZero() {
		r.tellWarnings(p.Problems)
	} else {
		r.tellProblems(p.Problems)
		r.log.Error("the configuration on disk is refused; serving the last good one",
			slog.Time("last_good_of", p.LastGood), slog.String("configuration", p.Configuration), slog.Int("problems", len(p.Problems)))
	}
	r.tellLeftOut(s)
	r.metrics.Configuration(p.Configuration)
	if p.LastGood.IsZero() {
		r.metrics.ReloadSucceeded(p.At)
	} else {
		r.metrics.ReloadSucceeded(p.LastGood)
		r.metrics.ReloadFailed()
	}
}

// tell says in log and metrics how a reload went.
func (r *Reloader) tell(p *Report) {
	attrs := []slog.Attr{
		slog.String("configuration", p.Configuration), slog.String("trigger", p.Trigger),
		slog.Float64("duration_ms", float64(p.Took.Microseconds())/1000), slog.Int("tests", p.Tests),
	}
	ctx := context.Background()
	switch p.Result {
	case Refused:
		r.tellProblems(p.Problems)
		attrs = append(attrs, slog.Int("problems", len(p.Problems)))
		if !p.LastGood.IsZero() {
			attrs = append(attrs, slog.Time("last_good_of", p.LastGood))
		}
		r.log.LogAttrs(ctx, slog.LevelError, "configuration refused; what served goes on serving", attrs...)
	case Unchanged:
		r.log.LogAttrs(ctx, slog.LevelInfo, "configuration unchanged", attrs...)
	default:
		r.tellWarnings(p.Problems)
		r.log.LogAttrs(ctx, slog.LevelInfo, "configuration reloaded", attrs...)
	}
	if p.Result == Reloaded && len(p.NeedsRestart) > 0 {
		r.log.LogAttrs(ctx, slog.LevelWarn, "needs a restart", slog.Any("settings", p.NeedsRestart))
	}
	r.metrics.Reload(string(p.Result))
	if p.Result == Refused {
		r.metrics.ReloadFailed()
		return
	}
	r.metrics.Configuration(p.Configuration)
	r.metrics.ReloadSucceeded(p.At)
}

// tellProblems logs each problem, with its place.
func (r *Reloader) tellProblems(list diag.List) {
	for i := range list {
		if i == toldProblems {
			r.log.Error("and more problems; \"emenda check\" shows them", slog.Int("more", len(list)-i))
			return
		}
		d := &list[i]
		level := slog.LevelError
		if d.Severity == diag.Warning {
			level = slog.LevelWarn
		}
		attrs := []slog.Attr{slog.String("rule", d.Rule), slog.String("problem", d.Message)}
		if at := d.Span.String(); at != "" {
			attrs = append([]slog.Attr{slog.String("at", at)}, attrs...)
		}
		if d.Help != "" {
			attrs = append(attrs, slog.String("help", d.Help))
		}
		r.log.LogAttrs(context.Background(), level, "configuration problem", attrs...)
	}
}

func (r *Reloader) tellWarnings(list diag.List) {
	if len(list) > 0 {
		r.log.Warn("the configuration has warnings; \"emenda check\" shows them", slog.Int("warnings", len(list)))
	}
}

// tellLeftOut says what is not served of what now serves.
func (r *Reloader) tellLeftOut(s *Snapshot) {
	r.metrics.NothingUnderMaintenance()
	for _, m := range s.UnderMaintenance() {
		r.log.Warn("under maintenance", slog.String("kind", m.Kind), slog.String("name", m.Name))
		r.metrics.UnderMaintenance(m.Kind, m.Name)
	}
	r.metrics.NoCertificates()
	for _, c := range s.certificates() {
		r.metrics.Certificate(c.kind, c.name, c.tls.NotAfter())
	}
	for _, l := range s.LeftOut {
		r.log.Warn("left out", slog.String("kind", l.Kind), slog.String("name", l.Name), slog.String("why", l.Why))
	}
}

// shown is a certificate that is shown to others.
type shown struct {
	kind, name string
	tls        *config.ResolvedTLS
}

// certificates gives those that are shown: by listeners to clients, and to backends.
func (s *Snapshot) certificates() (all []shown) {
	for _, c := range []shown{{"listener", "listen", s.Settings.TLS}, {"listener", "admin_listen", s.Settings.AdminTLS}} {
		if c.tls != nil {
			all = append(all, c)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Settings.Backends)) {
		if t := s.Settings.Backends[name].TLS; t != nil && t.Certificate != "" {
			all = append(all, shown{"backend", name, t})
		}
	}
	return all
}

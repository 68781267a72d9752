package order

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emenda-gateway/emenda/internal/period"
)

// Schedule is what is known of something that runs at set times.
type Schedule struct {
	Name, Cron, Zone string
	Next             time.Time
	Last             time.Time // the last period any replica ran; zero: none yet
	Ended            time.Time // when that run ended; zero: it runs, or its process went while it did
	Failed           bool
	Lost             bool      // that run did not end, and the next was due
	Succeeded        time.Time // when the last run that did not fail ended; zero: none is known
	Unwell           int       // periods since then, or since the first that is known, at most mostUnwell
	Missed           int       // periods before the last run that nobody ran
	MissedSince      time.Time // periods missed and not yet followed by a run: since when
}

// mostUnwell is as far as periods without a good run are counted.
const mostUnwell = 1000

// schedules are those of this process.
type schedules struct {
	mu      sync.Mutex
	all     map[string]*schedule
	running sync.WaitGroup
	stopped bool
}

type schedule struct {
	name, cron, zone string
	times            *period.Period
	at               *time.Location
	fn               func(ctx context.Context, at time.Time) error
	cancel           context.CancelFunc
}

func (s *schedules) init() { s.all = map[string]*schedule{} }

// stop ends all; wait waits for them.
func (s *schedules) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	for _, one := range s.all {
		one.cancel()
	}
}

func (s *schedules) wait() { s.running.Wait() }

// settle gives what runs until ctx ends.
func (s *schedules) settle(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		s.running.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// Every runs fn at the times of a cron line (minute hour day month weekday, or
// @hourly and the like) in a time zone: once a period among all replicas, with the
// period's time. ctx ends when the next is due, or the engine has been closed. A
// period in which no replica was there is not made up for, but told. A name that
// is there already is replaced; what it runs ends by itself.
func (e *Engine) Every(name, line, zone string, fn func(ctx context.Context, at time.Time) error) error {
	at, err := period.Zone(zone)
	if err != nil {
		return fmt.Errorf("schedule %s: time zone %q: %w", name, zone, err)
	}
	times, err := period.Parse(line, at)
	if err != nil {
		return fmt.Errorf("schedule %s: %q: %w", name, line, err)
	}
	ctx, cancel := context.WithCancel(e.ctx)
	s := &schedule{name: name, cron: line, zone: zone, times: times, at: at, fn: fn, cancel: cancel}
	e.timers.mu.Lock()
	defer e.timers.mu.Unlock()
	if e.timers.stopped {
		cancel()
		return ErrClosing
	}
	if old := e.timers.all[name]; old != nil {
		old.cancel()
	}
	e.timers.all[name] = s
	e.timers.running.Go(func() { e.keepTime(ctx, s) })
	return nil
}

// Never ends a schedule; what it runs ends by itself.
func (e *Engine) Never(name string) {
	e.timers.mu.Lock()
	defer e.timers.mu.Unlock()
	if s := e.timers.all[name]; s != nil {
		s.cancel()
		delete(e.timers.all, name)
	}
}

// keepTime runs a schedule.
func (e *Engine) keepTime(ctx context.Context, s *schedule) {
	if missed, since, err := e.missed(ctx, s, e.now()); err == nil && missed > 0 {
		e.log.Warn("orders: nobody was there when a schedule was due", slog.String("schedule", s.name), slog.Int("missed", missed), slog.Time("since", since))
	}
	next := s.times.Next(e.now())
	for {
		now := e.now()
		if now.Before(next) {
			select {
			case <-ctx.Done():
				return
			case <-time.After(min(next.Sub(now), time.Minute)):
			}
			continue
		}
		e.tick(ctx, s, next)
		if next = s.times.Next(next); next.Before(e.now()) { // it ran longer than a period, or the machine slept
			next = s.times.Next(e.now())
		}
		if next.IsZero() || ctx.Err() != nil {
			return
		}
	}
}

// missed gives how many periods before a time have had no run since the last, and the first of them.
func (e *Engine) missed(ctx context.Context, s *schedule, before time.Time) (n int, since time.Time, err error) {
	var last sql.NullInt64
	if _, err := e.db.row(ctx, e.db, `SELECT MAX(at) FROM @order_ticks WHERE schedule = $1`, []any{s.name}, &last); err != nil || !last.Valid {
		return 0, time.Time{}, err
	}
	n, since = s.between(when(last.Int64), before, 100_000)
	return n, since, nil
}

// between gives how many periods are due after a time and before another, at most so many, and the first of them.
func (s *schedule) between(after, before time.Time, most int) (n int, first time.Time) {
	for at := s.times.Next(after); !at.IsZero() && at.Before(before) && n < most; at = s.times.Next(at) {
		if n == 0 {
			first = at
		}
		n++
	}
	return n, first
}

// tick runs a period, unless another replica does.
func (e *Engine) tick(ctx context.Context, s *schedule, at time.Time) {
	missed := 0
	var mine int64
	for n := 0; ; n++ {
		var err error
		if missed, _, err = e.missed(ctx, s, at); err == nil {
			mine, err = e.db.exec(ctx, e.db, `INSERT INTO @order_ticks (schedule, at, executor, began, missed) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
				s.name, millis(at), e.executor, millis(e.now()), missed)
		}
		if err == nil {
			break
		}
		if n == 0 {
			e.log.Warn("orders: a schedule is due and the database does not answer", slog.String("schedule", s.name), errAttr(err))
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(500 * time.Millisecond):
		}
	}
	if mine == 0 {
		return
	}
	// A schedule that is replaced does not cut off what it began; and what runs is
	// over when the next period may begin on another replica.
	during, end := context.WithTimeout(e.ctx, s.times.Next(at).Sub(e.now()))
	err := s.run(during, at)
	end()
	failed := 0
	if err != nil {
		failed = 1
		e.log.Warn("orders: a schedule's run failed", slog.String("schedule", s.name), slog.Time("at", at), errAttr(err))
	}
	if _, err := e.db.exec(context.WithoutCancel(ctx), e.db, `UPDATE @order_ticks SET ended = $3, failed = $4 WHERE schedule = $1 AND at = $2`,
		s.name, millis(at), millis(e.now()), failed); err != nil {
		e.log.Warn("orders: how a schedule's run ended could not be noted", slog.String("schedule", s.name), errAttr(err))
	}
}

// run calls fn; a panic is an error.
func (s *schedule) run(ctx context.Context, at time.Time) (err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("it panicked")
		}
	}()
	return s.fn(ctx, at)
}

// Schedules gives what is known of this process's schedules, by name.
func (e *Engine) Schedules(ctx context.Context) ([]Schedule, error) {
	e.timers.mu.Lock()
	mine := slices.Collect(maps.Values(e.timers.all))
	e.timers.mu.Unlock()
	slices.SortFunc(mine, func(a, b *schedule) int { return strings.Compare(a.name, b.name) })
	all := make([]Schedule, 0, len(mine))
	for _, s := range mine {
		one := Schedule{Name: s.name, Cron: s.cron, Zone: s.zone, Next: s.times.Next(e.now())}
		var at, ended int64
		var failed int
		found, err := e.db.row(ctx, e.db, `SELECT at, ended, failed, missed FROM @order_ticks WHERE schedule = $1 ORDER BY at DESC LIMIT 1`,
			[]any{s.name}, &at, &ended, &failed, &one.Missed)
		if err != nil {
			return nil, down(err)
		}
		if found {
			var good, first sql.NullInt64
			if _, err := e.db.row(ctx, e.db, `SELECT MAX(CASE WHEN failed = 0 AND ended > 0 THEN ended END), MIN(at) FROM @order_ticks WHERE schedule = $1`,
				[]any{s.name}, &good, &first); err != nil {
				return nil, down(err)
			}
			since := when(first.Int64).Add(-time.Millisecond)
			if good.Valid {
				one.Succeeded = when(good.Int64)
				since = one.Succeeded
			}
			one.Unwell, _ = s.between(since, e.now(), mostUnwell)
			one.Last, one.Ended, one.Failed = when(at).In(s.at), when(ended), failed > 0
			one.Lost = one.Ended.IsZero() && s.times.Next(one.Last).Before(e.now())
			// A period that is due right now is not missed yet.
			if _, since, err := e.missed(ctx, s, e.now().Add(-time.Minute)); err == nil {
				one.MissedSince = since
			}
		}
		all = append(all, one)
	}
	return all, nil
}

package order

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/emenda-gateway/emenda/internal/observe"
)

// libraryLog passes on what the library logs: what it tells at debug, what it
// complains of as warnings, and of its attributes only those that cannot hold
// anything of people.
type libraryLog struct{ log *slog.Logger }

// Enabled tells whether the level is heard.
func (l libraryLog) Enabled(ctx context.Context, level slog.Level) bool {
	return l.log.Enabled(ctx, ours(level))
}

// ours gives our level for the library's.
func ours(level slog.Level) slog.Level {
	if level < slog.LevelWarn {
		return slog.LevelDebug
	}
	return slog.LevelWarn
}

// passed are the attributes that are passed on.
var passed = map[string]bool{"workflow_id": true, "step_id": true, "queue_name": true, "count": true, "retry": true,
	"attempt": true, "delay": true, "timeout": true, "service": true, "app_version": true, "executor_id": true, "current": true, "latest": true}

// Handle writes one line.
func (l libraryLog) Handle(ctx context.Context, r slog.Record) error {
	attrs := []slog.Attr{}
	r.Attrs(func(a slog.Attr) bool {
		switch {
		case passed[a.Key]:
			attrs = append(attrs, a)
		case a.Key == "error":
			if err, ok := a.Value.Any().(error); ok {
				attrs = append(attrs, slog.String("error", plain(err).Error()))
			}
		}
		return true
	})
	l.log.LogAttrs(ctx, ours(r.Level), "orders: library: "+r.Message, attrs...)
	return nil
}

// WithAttrs drops attributes: none of those the library gives is needed.
func (l libraryLog) WithAttrs([]slog.Attr) slog.Handler { return l }

// WithGroup does nothing.
func (l libraryLog) WithGroup(string) slog.Handler { return l }

// plain gives an error whose text holds nothing of people: of PostgreSQL's the
// message and code, without the detail that quotes values; of others the text with whatever looks personal hidden.
func plain(err error) error {
	if err == nil {
		return nil
	}
	return masked{err}
}

// masked is an error that is told masked.
type masked struct{ error }

// Error gives the text.
func (m masked) Error() string {
	if pg := (*pgconn.PgError)(nil); errors.As(m.error, &pg) {
		return fmt.Sprintf("%s (SQLSTATE %s)", observe.Mask(pg.Message), pg.Code)
	}
	return observe.Mask(m.error.Error())
}

// Unwrap gives the error itself.
func (m masked) Unwrap() error { return m.error }

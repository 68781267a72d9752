package observe

import (
	"context"
	"io"
	"log/slog"
	"math/rand/v2"
	"time"
	"unsafe"
)

// NewLogger gives the gateway's logger: JSON lines to w, times in UTC. Each is
// written at once, unless w is Lines that gather.
func NewLogger(w io.Writer, level slog.Leveler) *slog.Logger {
	out, ok := w.(*Lines)
	if !ok {
		out = &Lines{out: w}
	}
	return slog.New(&lineHandler{slog.NewJSONHandler(out, &slog.HandlerOptions{Level: level}), out})
}

// IDSize is how many bytes an id has that was made here.
const IDSize = 32

// RequestID gives the id of a request: the received one when it is fit to be
// passed on and logged (1 to 64 letters, digits, "-", "_", "."; at least one
// letter and, but for UUIDs and trace ids, fewer than ten digits in a row, so
// that no document or phone number goes as an id), else a new one, written into room.
func RequestID(received string, room *[IDSize]byte) string {
	if fitID(received) {
		return received
	}
	const hex = "0123456789abcdef"
	for i := 0; i < IDSize; i += 16 {
		r := rand.Uint64()
		for j := range 16 {
			room[i+j] = hex[r&15]
			r >>= 4
		}
	}
	return unsafe.String(&room[0], IDSize)
}

func fitID(id string) bool {
	if id == "" || len(id) > 64 {
		return false
	}
	letter, run := false, 0
	random := len(id) == 32 || len(id) == 36 && id[8] == '-' && id[13] == '-' && id[18] == '-' && id[23] == '-'
	for i := range len(id) {
		switch c := id[i]; {
		case c >= '0' && c <= '9':
			if run++; run == 10 && !random {
				return false
			}
			continue
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			letter = true
		case c == '-' || c == '_' || c == '.':
			continue // 529.982.247-25 is as much a document as its digits
		default:
			return false
		}
		run = 0
	}
	return letter
}

// Line is what one request's log line says. Nothing in it is a received value:
// names are the configuration's, Path only of requests no route knows, masked.
type Line struct {
	ID      string
	Method  string
	Route   string // the mapping's name; "" when no route was found
	Path    string // as received, for requests without a route; masked when logged
	Caller  string
	Status  int
	Outcome string // "ok" or the kind of the dialect's error
	Class   string // of the failure
	Step    string // the step that failed
	Cause   string // file:line:col and words of a failed expression
	Address string // the peer's, for failed sign-ins only
	Repeat  string // of a route with repeat: what was found; "" for a first request
	Took    time.Duration
	Calls   int
	In, Out int // body bytes
	// The last backend call that failed, also when the answer did without it.
	FailedOperation, FailedClass string
	FailedStatus                 int // of the backend's answer; 0 when there was none
}

// Log writes the line of a request that was answered now: Info for what went well or was the caller's fault,
// Warn for what is a backend's, Error for what is ours.
func (l *Line) Log(log *slog.Logger, now time.Time) {
	level := slog.LevelInfo
	switch l.Outcome {
	case "internal", "store_down":
		level = slog.LevelError
	case "failed", "timeout", "unavailable":
		level = slog.LevelWarn
	}
	ctx := context.Background()
	if !log.Enabled(ctx, level) {
		return
	}
	if h, ok := log.Handler().(*lineHandler); ok && l.usual() && h.write(l, now, level) {
		return
	}
	l.attributes(ctx, log, level)
}

// attributes logs the line by slog's means.
func (l *Line) attributes(ctx context.Context, log *slog.Logger, level slog.Level) {
	var room [21]slog.Attr
	a := append(room[:0],
		slog.String("request_id", l.ID),
		slog.String("method", l.Method),
		slog.Int("status", l.Status),
		slog.String("outcome", l.Outcome),
		slog.Float64("duration_ms", l.milliseconds()),
		slog.Int("backend_calls", l.Calls),
		slog.Int("bytes_in", l.In),
		slog.Int("bytes_out", l.Out),
	)
	for _, t := range [...]struct{ key, value string }{
		{"route", l.Route}, {"path", Mask(l.Path)}, {"caller", l.Caller}, {"class", l.Class},
		{"step", l.Step}, {"cause", l.Cause}, {"failed_operation", l.FailedOperation}, {"failed_class", l.FailedClass}, {"client_address", l.Address}, {"repeat", l.Repeat},
	} {
		if t.value != "" {
			a = append(a, slog.String(t.key, t.value))
		}
	}
	if l.FailedStatus != 0 {
		a = append(a, slog.Int("failed_status", l.FailedStatus))
	}
	log.LogAttrs(ctx, level, "request", a...)
}

package observe

import (
	"bytes"
	"log/slog"
	"strconv"
	"sync"
	"time"
)

// lineHandler is slog's JSON handler, and writes the line of a request itself:
// the same bytes, at a third of the cost.
type lineHandler struct {
	*slog.JSONHandler
	out *Lines
}

var lineBuffers = sync.Pool{New: func() any { b := make([]byte, 0, 512); return &b }}

// write writes the line; false when it holds a character that JSON spells
// otherwise, or that is not to be decided here: slog does it then.
func (h *lineHandler) write(l *Line, now time.Time, level slog.Level) bool {
	kept := lineBuffers.Get().(*[]byte)
	b, ok := l.append((*kept)[:0], now, level)
	switch {
	case !ok:
	case level > slog.LevelInfo:
		_, _ = h.out.Write(b) // as slog does: there is nobody to tell
	default:
		h.out.gather(b, now)
	}
	*kept = b
	lineBuffers.Put(kept)
	return ok
}

// append appends a usual line as slog's JSON handler would, with its line break.
func (l *Line) append(b []byte, now time.Time, level slog.Level) ([]byte, bool) {
	b = append(b, `{"time":"`...)
	b = now.AppendFormat(b, time.RFC3339Nano)
	b = append(b, `","level":"`...)
	b = append(b, level.String()...)
	b = append(b, `","msg":"request"`...)
	ok := true
	text := func(key, value string) {
		ok = ok && plain(value)
		b = append(b, key...)
		b = append(b, value...)
		b = append(b, '"')
	}
	number := func(key string, n int) {
		b = append(b, key...)
		b = strconv.AppendInt(b, int64(n), 10)
	}
	text(`,"request_id":"`, l.ID)
	text(`,"method":"`, l.Method)
	number(`,"status":`, l.Status)
	text(`,"outcome":"`, l.Outcome)
	b = append(b, `,"duration_ms":`...)
	b = appendMilliseconds(b, l.Took)
	number(`,"backend_calls":`, l.Calls)
	number(`,"bytes_in":`, l.In)
	number(`,"bytes_out":`, l.Out)
	if l.Route != "" {
		text(`,"route":"`, l.Route)
	}
	if l.Caller != "" {
		text(`,"caller":"`, l.Caller)
	}
	return append(b, "}\n"...), ok
}

// usual tells whether the line says no more than what every request has; the rest is slog's.
func (l *Line) usual() bool {
	return l.Path == "" && l.Class == "" && l.Step == "" && l.Cause == "" && l.FailedOperation == "" && l.FailedClass == "" &&
		l.Address == "" && l.Repeat == "" && l.FailedStatus == 0
}

// milliseconds gives how long the request took, to the microsecond.
func (l *Line) milliseconds() float64 { return float64(l.Took.Microseconds()) / 1000 }

// appendMilliseconds writes what encoding a milliseconds() would.
func appendMilliseconds(b []byte, d time.Duration) []byte {
	us := d.Microseconds()
	if us < 0 {
		return strconv.AppendFloat(b, float64(us)/1000, 'f', -1, 64)
	}
	b = strconv.AppendInt(b, us/1000, 10)
	if us %= 1000; us > 0 {
		b = append(b, '.', byte('0'+us/100), byte('0'+us/10%10), byte('0'+us%10))
		b = bytes.TrimRight(b, "0")
	}
	return b
}

// plain tells whether JSON spells s as it is, whatever else an encoder escapes.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return false
		}
	}
	return true
}

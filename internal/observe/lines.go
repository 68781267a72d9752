package observe

import (
	"io"
	"sync"
	"time"
)

// What gathered lines wait for: so many bytes, or so long.
const (
	gatherBytes = 32 << 10
	gatherTime  = 100 * time.Millisecond
)

// Lines writes log lines one at a time, whole and in their order; those of
// requests that went well a gathering one writes together: each by itself, they
// would cost a request one system call more than everything else of the log.
// Whatever else is logged, warnings and errors foremost, is written at once,
// with what was gathered before it. A line that comes when none has for
// gatherTime is, too: who sends one request sees its line.
type Lines struct {
	mu       sync.Mutex
	out      io.Writer
	gathers  bool
	kept     []byte
	last     time.Time   // when something was written last
	timer    *time.Timer // writes what is kept; nil until something was
	awaiting bool        // the timer is set
}

// NewLines gives lines that are gathered on their way to w, until Close.
func NewLines(w io.Writer) *Lines { return &Lines{out: w, gathers: true} }

// Write writes a line at once, after those that are kept.
func (l *Lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.kept) == 0 {
		return l.out.Write(b)
	}
	l.kept = append(l.kept, b...)
	return len(b), l.flush(time.Now())
}

// gather writes a line that may wait.
func (l *Lines) gather(b []byte, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.gathers || len(l.kept) == 0 && now.Sub(l.last) >= gatherTime {
		l.last = now
		_, _ = l.out.Write(b) // as slog does: there is nobody to tell
		return
	}
	l.kept = append(l.kept, b...)
	switch {
	case len(l.kept) >= gatherBytes:
		_ = l.flush(now)
	case l.awaiting:
	case l.timer == nil:
		l.awaiting, l.timer = true, time.AfterFunc(gatherTime, l.due)
	default:
		l.awaiting = true
		l.timer.Reset(gatherTime)
	}
}

// due writes what is kept when its time has come.
func (l *Lines) due() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.awaiting = false
	_ = l.flush(time.Now())
}

func (l *Lines) flush(now time.Time) error {
	if len(l.kept) == 0 {
		return nil
	}
	l.last = now
	_, err := l.out.Write(l.kept)
	if l.kept = l.kept[:0]; cap(l.kept) > 2*gatherBytes {
		l.kept = nil
	}
	return err
}

// Close writes what is kept; from then on every line is written at once.
func (l *Lines) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gathers = false
	if l.timer != nil {
		l.timer.Stop()
		l.awaiting = false
	}
	return l.flush(time.Now())
}

package expr

import (
	"fmt"
	"sync"
	"time"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/jsonx"
)

// DefaultFuel is how many list elements one frame may look at or build.
const DefaultFuel = 100_000

// keptBuffer bounds the buffers a pooled frame keeps.
const keptBuffer = 64 << 10

// RuntimeError is a failure of an expression, with where it stands in its file.
type RuntimeError struct {
	At      diag.Span
	Message string // names variables and positions, never values
}

// Error gives file:line:col and message.
func (e *RuntimeError) Error() string {
	if e.At.File == nil {
		return e.Message
	}
	line, col := e.At.File.Position(e.At.Start)
	return fmt.Sprintf("%s:%d:%d: %s", e.At.File.Name, line, col, e.Message)
}

// Frame is the state of one run: slots, arena, clock, fuel. Frames are pooled; one goroutine at a time.
type Frame struct {
	Arena  *jsonx.Arena
	Now    time.Time      // fixed per request, in Zone
	Zone   *time.Location // of gateway.yaml
	layout *Layout
	slots  []jsonx.Value
	state  []slotState
	err    *RuntimeError
	at     *diag.Span // where the call being evaluated stands
	fuel   int
	args   []jsonx.Value // stack of the arguments of calls under way
	bufs   [][]byte      // one buffer per depth of templates rendered to values
	depth  int
	now    jsonx.Value
}

// slotState tells what a slot holds.
type slotState uint8

const (
	slotEmpty slotState = iota
	slotBusy            // a let being computed
	slotSet
)

var frames = sync.Pool{New: func() any { return &Frame{Arena: new(jsonx.Arena)} }}

// NewFrame gives a frame for plans of layout l, from a pool, with full fuel.
func NewFrame(l *Layout, now time.Time, zone *time.Location) *Frame {
	f := frames.Get().(*Frame)
	if zone == nil {
		zone = time.UTC
	}
	f.layout, f.Now, f.Zone, f.fuel = l, now.In(zone), zone, DefaultFuel
	n := l.slots
	if cap(f.slots) < n {
		f.slots = make([]jsonx.Value, n)
		f.state = make([]slotState, n)
	}
	f.slots, f.state = f.slots[:n], f.state[:n]
	return f
}

// Release resets the frame and gives it back; nothing made with it may be used afterwards.
func (f *Frame) Release() {
	clear(f.slots)
	clear(f.state)
	clear(f.args[:cap(f.args)])
	f.args = f.args[:0]
	for i, b := range f.bufs {
		if cap(b) > keptBuffer {
			f.bufs[i] = nil
		}
	}
	f.Arena.Reset()
	f.layout, f.err, f.at, f.depth = nil, nil, nil, 0
	f.now = jsonx.Value{}
	frames.Put(f)
}

// SetFuel sets how many elements the frame may still look at or build.
func (f *Frame) SetFuel(n int) { f.fuel = n }

// Set stores the value of slot.
func (f *Frame) Set(slot int, v jsonx.Value) {
	f.slots[slot] = v
	f.state[slot] = slotSet
}

// Forget empties slot, so that a let there is computed anew when next read.
func (f *Frame) Forget(slot int) {
	f.slots[slot] = jsonx.Value{}
	f.state[slot] = slotEmpty
}

// Get reads the value of slot (computing a let when first read).
func (f *Frame) Get(slot int) jsonx.Value {
	if f.state[slot] == slotSet {
		return f.slots[slot]
	}
	t := f.layout.let(slot)
	if t == nil {
		return jsonx.Value{}
	}
	if f.state[slot] == slotBusy {
		return f.Fail("a let needs its own value")
	}
	if f.err != nil {
		return jsonx.Value{}
	}
	f.state[slot] = slotBusy
	v := t.Value(f)
	if f.err != nil {
		f.state[slot] = slotEmpty
		return jsonx.Value{}
	}
	f.Set(slot, v)
	return v
}

// Err gives the first failure since the last Clear, or nil.
func (f *Frame) Err() *RuntimeError { return f.err }

// Clear forgets a failure.
func (f *Frame) Clear() { f.err = nil }

// Fail records a failure of the expression being evaluated (functions call it); the value given is Absent.
func (f *Frame) Fail(format string, args ...any) jsonx.Value {
	if f.err == nil {
		e := &RuntimeError{Message: fmt.Sprintf(format, args...)}
		if f.at != nil {
			e.At = *f.at
		}
		f.err = e
	}
	return jsonx.Value{}
}

// failAt records a failure at a span.
func (f *Frame) failAt(at *diag.Span, message string) jsonx.Value {
	if f.err == nil {
		f.err = &RuntimeError{At: *at, Message: message}
	}
	return jsonx.Value{}
}

// Take takes fuel for n elements; it fails the frame and gives false when too little is left.
// Functions that walk or build lists call it once per element or once with their number.
func (f *Frame) Take(n int) bool {
	if f.fuel < n {
		f.fuel = 0
		f.Fail("the expression goes over too many list elements; narrow the lists first")
		return false
	}
	f.fuel -= n
	return f.err == nil
}

// spend is Take, with where to point when too little is left.
func (f *Frame) spend(n int, at *diag.Span) bool {
	if f.fuel < n {
		f.at = at
	}
	return f.Take(n)
}

// TimeValue gives t as values of TimeType stand: RFC 3339 text with nanoseconds, in the frame's zone.
func (f *Frame) TimeValue(t time.Time) jsonx.Value {
	m := f.Arena.Mark()
	f.Arena.SetBuf(t.In(f.Zone).AppendFormat(f.Arena.Buf(), time.RFC3339Nano))
	return jsonx.TextValue(f.Arena.Text(m))
}

// ParseTime reads a value of TimeType.
func ParseTime(v jsonx.Value) (time.Time, bool) {
	if v.Kind() != jsonx.String {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339Nano, v.Text())
	return t, err == nil
}

// nowValue is Frame.Now as a value, made once.
func (f *Frame) nowValue() jsonx.Value {
	if f.now.None() {
		f.now = f.TimeValue(f.Now)
	}
	return f.now
}

// buffer lends the buffer of the present depth; unbuffer takes it back.
func (f *Frame) buffer() []byte {
	if f.depth == len(f.bufs) {
		f.bufs = append(f.bufs, nil)
	}
	f.depth++
	return f.bufs[f.depth-1][:0]
}

func (f *Frame) unbuffer(b []byte) {
	f.depth--
	f.bufs[f.depth] = b[:0]
}

// text makes a stable text value of b.
func (f *Frame) stable(b []byte) string {
	m := f.Arena.Mark()
	f.Arena.SetBuf(append(f.Arena.Buf(), b...))
	return f.Arena.Text(m)
}

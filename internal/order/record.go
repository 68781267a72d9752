package order

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/dbos-inc/dbos-transact-golang/dbos"
)

// asItIs is the library's serializer: our values are sealed text already.
type asItIs struct{}

// Name is kept beside each value.
func (asItIs) Name() string { return "EMENDA" }

// Encode takes text.
func (asItIs) Encode(v any) (*string, error) {
	s, ok := v.(string)
	if !ok && v != nil {
		return nil, fmt.Errorf("a %T cannot be kept", v)
	}
	return &s, nil
}

// Decode gives text.
func (asItIs) Decode(s *string) (any, error) {
	if s == nil {
		return "", nil
	}
	return *s, nil
}

// kind is what a record is of.
type kind byte

const (
	stepKind     kind = 's'
	sleepKind    kind = 'z' // seq: until when
	eventKind    kind = 'e' // of a wait; seq: the event
	timeoutKind  kind = 't' // of a wait or a decision
	leftKind     kind = 'l' // of a wait: somebody asked for undo
	decisionKind kind = 'd' // seq: the act
	cancelKind   kind = 'c' // payload: by, reason
)

// record is what is kept at a place of an order.
type record struct {
	kind    kind
	began   int64 // ms
	seq     int64
	payload []byte // nil and empty are two things
}

// The names records have at the library: kind of call, and the step's own name.
const (
	stepPrefix   = "step "
	waitPrefix   = "wait "
	sleepName    = "sleep"
	decisionName = "decision"
	cancelName   = "cancelled"
)

// errRecord tells of a kept record that is none.
var errRecord = errors.New("what is kept of a step cannot be read: sealed with another key, or damaged")

// recordPlace binds a record to its order, place and name.
func recordPlace(id string, at int, name string) string {
	return "record " + id + " " + strconv.Itoa(at) + " " + name
}

// write gives a record as it is kept.
func (e *Engine) write(id string, at int, name string, r record) string {
	b := make([]byte, 18, 18+len(r.payload))
	b[0] = byte(r.kind)
	if r.payload != nil {
		b[1] = 1
	}
	binary.BigEndian.PutUint64(b[2:], uint64(r.began)) //nolint:gosec // as it is
	binary.BigEndian.PutUint64(b[10:], uint64(r.seq))  //nolint:gosec // as it is
	b = append(b, r.payload...)
	return base64.RawStdEncoding.EncodeToString(e.sealed(recordPlace(id, at, name), b))
}

// read reads a kept record.
func (e *Engine) read(id string, at int, name, text string) (record, error) {
	sealed, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil || len(sealed) == 0 {
		return record{}, errRecord
	}
	b, err := e.opened(recordPlace(id, at, name), sealed)
	if err != nil || len(b) < 18 {
		return record{}, errRecord
	}
	r := record{kind: kind(b[0]), began: int64(binary.BigEndian.Uint64(b[2:])), seq: int64(binary.BigEndian.Uint64(b[10:]))} //nolint:gosec // as it was
	if b[1] == 1 {
		r.payload = b[18:]
	}
	return r, nil
}

// kept is a record as the library gives it.
type kept struct {
	name, text string
	ended      time.Time
}

// keptOf gives the records of an order, in their order.
func (e *Engine) keptOf(id string) ([]kept, error) {
	steps, err := dbos.GetWorkflowSteps(e.library, id, dbos.WithStepsLoadOutput(true))
	if err != nil {
		return nil, err
	}
	all := make([]kept, len(steps))
	for i, s := range steps {
		text, ok := s.Output.(string)
		if s.StepID != i || s.Error != nil || !ok {
			return nil, errRecord
		}
		all[i] = kept{s.StepName, text, s.CompletedAt}
	}
	return all, nil
}

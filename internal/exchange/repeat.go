package exchange

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/intake"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/store"
)

// Turns gives a request that may change something its turn, or what the same
// request was answered before.
type Turns interface {
	Begin(ctx context.Context, r *store.Repeat, about store.About, now time.Time) (store.Turn, store.Found, []byte, error)
}

// spare is how much longer than its route's timeout a request may take at most.
const spare = 5 * time.Second

// first is an answer as it is kept for those who repeat the request.
type first struct {
	Status  int               `json:"status"`
	Type    string            `json:"type"`
	Header  []contract.Header `json:"header,omitempty"`
	Body    []byte            `json:"body"`
	Outcome string            `json:"outcome"`
}

// begin gives the request its turn. Without one the response is the answer: the
// first one, or the dialect's words for why there is none.
func (e *Exchanger) begin(ctx context.Context, f *expr.Frame, route *mapping.Route, r *intake.Request, input jsonx.Value, report *Report, buf []byte) (store.Turn, *Response) {
	if e.o.Turns == nil {
		return nil, nil
	}
	// The request's own texts are only lent; what is kept of a call outlives it.
	about := store.About{Route: route.Plan.Name, Caller: report.Caller, RequestID: strings.Clone(r.ID)}
	var repeat *store.Repeat
	if route.Repeat != nil {
		key := route.Repeat.Key.AppendJSON(nil, f)
		if err := f.Err(); err != nil {
			f.Clear()
			report.Cause = err
			res := e.refuse(route.Errors, r, &intake.Problem{Kind: mapping.Internal, Cause: err}, *report, buf)
			return nil, &res
		}
		if noKey(key) {
			res := e.refuse(route.Errors, r, intake.Missing(route.Repeat.Field, route.Dialect, intake.Language(r, route.Dialect.Languages)), *report, buf)
			return nil, &res
		}
		about.Key = key
		repeat = &store.Repeat{For: route.Repeat.For, Longest: route.Timeout + spare}
		repeat.Identity = store.AppendPiece(nil, route.Plan.Name)
		repeat.Identity = store.AppendPiece(repeat.Identity, report.Caller)
		repeat.Identity = append(repeat.Identity, key...)
		repeat.Input = sameInput(route.Plan.Input, input)
	}
	turn, found, answer, err := e.o.Turns.Begin(ctx, repeat, about, f.Now)
	if repeat != nil {
		report.Repeat = found.String()
	}
	if err == nil && turn != nil {
		return turn, nil
	}
	problem := &intake.Problem{Kind: mapping.StoreDown, Message: "the store cannot be reached"}
	switch {
	case err != nil:
		report.Repeat, report.Class = "", contract.ClassStore
	case found == store.Differs:
		problem = &intake.Problem{Kind: mapping.RepeatDiffers, Message: "another request was made under this key"}
	case found == store.TimedOut:
		report.Class = contract.ClassTimeout
		problem = &intake.Problem{Kind: mapping.KindTimeout, Message: "the same request is still under way"}
	default:
		var kept first
		if err := json.Unmarshal(answer, &kept); err == nil {
			report.Outcome, report.Reply = kept.Outcome, -1
			return nil, &Response{Status: kept.Status, Type: kept.Type, Header: kept.Header, Body: append(buf, kept.Body...), Report: *report}
		}
	}
	res := e.refuse(route.Errors, r, problem, *report, buf)
	return nil, &res
}

// noKey tells whether a repeat's key is without value: none, or a list of nothing but none.
func noKey(key []byte) bool {
	v := jsonx.RawValue(string(key))
	if len(key) == 0 || v.None() {
		return true
	}
	if v.Kind() != jsonx.Array {
		return v.Kind() == jsonx.String && v.Text() == ""
	}
	for i := range v.Len() {
		if !v.At(i).None() {
			return false
		}
	}
	return true
}

// sameInput gives what makes a repeated request the same: of a document all of
// it, however it is written; else the fields that are not marked echo.
func sameInput(in *mapping.Input, v jsonx.Value) []byte {
	switch {
	case in == nil:
		return nil
	case in.Document == nil:
		return appendUnechoed(nil, in.Fields, v)
	}
	raw := v.AppendJSON(nil)
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var read any
	if err := d.Decode(&read); err != nil {
		return raw
	}
	ordered, err := json.Marshal(read) // members by name, without blanks
	if err != nil {
		return raw
	}
	return ordered
}

// appendUnechoed appends the fields of an input that make a repeated request
// the same, in the order they are declared: all but those marked echo.
func appendUnechoed(b []byte, fields []*mapping.InputField, in jsonx.Value) []byte {
	for _, field := range fields {
		if field.Echo {
			continue
		}
		v := in.Get(field.Name)
		if len(field.Fields) > 0 && v.Kind() == jsonx.Object {
			b = append(appendUnechoed(append(b, '{'), field.Fields, v), '}')
			continue
		}
		b = store.AppendPiece(b, v.AppendJSON(nil))
	}
	return b
}

// end keeps what was answered.
func end(turn store.Turn, res *Response) {
	answer, err := json.Marshal(first{Status: res.Status, Type: res.Type, Header: res.Header, Body: res.Body, Outcome: res.Report.Outcome})
	if err != nil {
		turn.Abandon()
		return
	}
	turn.End(answer)
}

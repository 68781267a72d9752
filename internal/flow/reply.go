package flow

import (
	"strings"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

// The Content-Types of replies that name none.
const (
	typeJSON = "application/json"
	typeText = "text/plain; charset=utf-8"
)

// reply chooses the first reply whose condition holds and appends its body to buf.
func (r *run) reply(buf []byte) Outcome {
	fail := func(err *expr.RuntimeError) Outcome { return broken(err, buf) }
	if r.p.Slots.Failures >= 0 {
		r.failures()
	}
	for i, rep := range r.p.Replies {
		if rep.When != nil {
			holds := rep.When.Holds(r.f)
			if err := r.failure(); err != nil {
				return fail(err)
			}
			if !holds {
				continue
			}
		}
		return r.renderReply(rep, i, buf)
	}
	return fail(&expr.RuntimeError{Message: r.p.Name + " has no reply that holds"})
}

// renderReply appends the body of a reply to buf.
func (r *run) renderReply(rep *mapping.Reply, index int, buf []byte) Outcome {
	from := buf
	out := Outcome{Reply: rep, Index: index, Status: rep.Status, Type: rep.Type}
	if out.Status == 0 {
		out.Status = 200
	}
	switch {
	case rep.JSON != nil:
		buf = rep.JSON.AppendJSON(buf, r.f)
	case rep.Text != nil:
		buf = rep.Text.Value(r.f).AppendText(buf)
		if out.Type == "" {
			out.Type = typeText
		}
	case rep.Patch != nil:
		buf = r.patch(rep.Patch, buf)
	case rep.File != "":
		buf = append(buf, rep.File...)
	}
	if out.Type == "" {
		out.Type = typeJSON
	}
	if err := r.failure(); err != nil {
		return broken(placed(err, rep.At), from)
	}
	if len(rep.Header) > 0 {
		var err *expr.RuntimeError
		if out.Header, err = r.header(rep); err != nil {
			return broken(err, from)
		}
	}
	out.Body = buf
	return out
}

// broken is what a reply that cannot be rendered comes to.
func broken(err *expr.RuntimeError, buf []byte) Outcome {
	return Outcome{Problem: &Problem{Kind: mapping.Internal, Class: contract.ClassTemplate, Cause: err}, Index: -1, Body: buf}
}

// Accept renders what a durable mapping answers to who begins an order, on
// frame f, which holds what intake put there. order is what `order` stands for.
func Accept(p *mapping.Plan, f *expr.Frame, g Given, order jsonx.Value, buf []byte) Outcome {
	r := newRun(p, f, &Env{Now: f.Now})
	defer r.free()
	r.set(p.Slots.Input, g.Input)
	r.set(p.Slots.Request, g.Request)
	r.set(p.Slots.Caller, g.Caller)
	r.set(p.Slots.Warnings, g.Warnings)
	r.set(p.Slots.Order, order)
	r.common()
	return r.renderReply(p.Order.Accepted, 0, buf)
}

// header renders the header fields of a reply; one without value is left out.
// The values live on memory of their own: the answers' memory goes back.
func (r *run) header(rep *mapping.Reply) ([]contract.Header, *expr.RuntimeError) {
	out := make([]contract.Header, 0, len(rep.Header))
	for _, h := range rep.Header {
		v := h.Value.Value(r.f)
		if err := r.failure(); err != nil {
			return nil, err
		}
		if v.None() {
			continue
		}
		text := strings.Clone(v.Text())
		if strings.ContainsFunc(text, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
			return nil, &expr.RuntimeError{At: rep.At, Message: "the value of header " + h.Name + " holds a control character"}
		}
		out = append(out, contract.Header{Name: h.Name, Value: text})
	}
	return out, nil
}

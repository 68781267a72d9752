package foreign

import (
	"errors"
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/diag"
)

// needed are keys that only go with what they stand in.
var needed = []string{"operationId", "responses", "x-emenda-changes", "name", "in", "schema", "required", "value", "content", "description"}

// mend writes the contract and has the loader read it. What the loader refuses
// is left out, or excepted where examples contradict their own document, until
// it refuses nothing.
func (c *converter) mend(out *node) (string, error) {
	for range 500 {
		prune(out)
		if len(out.get("paths").entries) == 0 {
			return "", errors.New("nothing of it can be called: no operation is left")
		}
		w := writer{}
		w.entries(out, 0, false)
		list, err := load(w.b.String())
		if err != nil || !list.HasErrors() {
			return w.b.String(), err
		}
		changed := map[*node]bool{}
		for _, d := range list {
			if d.Severity == diag.Error && d.Span.File != nil {
				line, _ := d.Span.File.Position(d.Span.Start)
				if line > 0 && line <= len(w.lines) {
					c.leaveOut(w.lines[line-1], d, changed)
				}
			}
		}
		if len(changed) == 0 {
			return "", errors.New("what became of it does not load: " + list[0].Message)
		}
	}
	return "", errors.New("what became of it does not load, whatever is left out")
}

// leaveOut removes the innermost thing on the way that can be removed.
func (c *converter) leaveOut(way []step, d diag.Diagnostic, changed map[*node]bool) {
	if d.Rule == "contract-example" && c.except(way, changed) {
		return
	}
	for i := len(way) - 1; i >= 1; i-- { // not what stands at the very top
		s := way[i]
		if s.entry != nil && (slices.Contains(needed, s.entry.key) || exact(s.entry.key)) {
			continue
		}
		if changed[s.in] {
			return // mended already in this round
		}
		changed[s.in] = true
		if s.entry == nil {
			s.in.items = slices.DeleteFunc(slices.Clone(s.in.items), func(n *node) bool { return n == s.item })
			c.note(s.item.line, "left out: %s", d.Message)
			return
		}
		s.in.drop(s.entry.key)
		s.in.notes = append(s.in.notes, "left out: "+s.entry.key+": "+d.Message)
		c.note(s.entry.line, "%s left out: %s", short(s.entry.key), d.Message)
		return
	}
}

// except says of an example that it contradicts its document.
func (c *converter) except(way []step, changed map[*node]bool) bool {
	const reason = "as documented"
	for i := len(way) - 1; i > 0; i-- {
		s := way[i]
		if s.entry == nil {
			continue
		}
		media := i > 1 && way[i-1].entry != nil && strings.Contains(way[i-1].entry.key, "/")
		switch {
		case way[i-1].entry != nil && way[i-1].entry.key == "examples" && s.entry.value.get("value") != nil:
			if changed[s.entry.value] {
				return true
			}
			if s.entry.value.get("x-emenda-exception") != nil {
				return false
			}
			changed[s.entry.value] = true
			s.entry.value.entries = append([]*entry{{key: "x-emenda-exception", value: text(reason)}}, s.entry.value.entries...)
			c.note(s.entry.line, "example %s does not fit its schema", short(s.entry.key))
			return true
		case s.entry.key == "example" && media:
			changed[s.in] = true
			named := newMap(s.entry.line, "x-emenda-exception", text(reason), "value", s.entry.value)
			s.entry.key, s.entry.value = "examples", newMap(s.entry.line, "example", named)
			c.note(s.entry.line, "the example does not fit its schema")
			return true
		}
	}
	return false
}

package expr

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/jsonx"
)

// Placeholders is a compiled text template: JSON text with _NAME_ placeholders.
type Placeholders struct {
	// Names are the placeholders whose values Append asks for: those of vars in
	// order of first appearance, then those of fill that occur, likewise.
	Names []string
	// Vars is how many of Names are of vars; the values of the others are known only when sending.
	Vars int

	file  *diag.File
	parts []placeholderPart
	tail  string // the text behind the last placeholder
}

// placeholderPart is some text and the placeholder behind it.
type placeholderPart struct {
	before     string
	name       int // index into Names
	quoted     bool
	start, end int // of the placeholder in the file
}

// A placeholder is _NAME_; a run may hold several that touch.
var (
	placeholderName = regexp.MustCompile(`^_[A-Z][A-Z0-9_]*_$`)
	placeholderRun  = regexp.MustCompile(`_[A-Z][A-Z0-9_]*_`)
)

// CompilePlaceholders reads a JSON text with _NAME_ placeholders. Quoted ones
// become escaped strings (also inside longer quoted text), bare ones JSON values. Every
// placeholder must be in vars or fill (sign-in variables, whose values are known
// when sending); every name of vars must occur. All faults are reported, those
// of the JSON itself by the first one.
func CompilePlaceholders(file *diag.File, vars, fill []string) (*Placeholders, diag.List) {
	p := &Placeholders{file: file}
	var faults diag.List
	whole := diag.Span{File: file}
	for _, name := range slices.Concat(vars, fill) {
		if !placeholderName.MatchString(name) {
			faults.Errorf(whole, "placeholder-name", "%s cannot be a placeholder", name).Help = "write it _NAME_: capital letters, digits and _"
		}
	}
	for _, name := range vars {
		if slices.Contains(fill, name) {
			faults.Errorf(whole, "placeholder-twice", "%s is filled by the contract's sign-in and cannot be set", name)
		}
	}

	known := slices.Concat(vars, fill)
	found := splitPlaceholders(file.Text, known)
	var unknown []string
	for _, part := range found {
		if !slices.Contains(known, part.name) {
			d := faults.Errorf(diag.Span{File: file, Start: part.start, End: part.end}, "unknown-placeholder", "unknown placeholder %s", part.name)
			d.Help = `declare it; where it is only text, write its first _ as \u005f`
			if near := diag.Suggest(part.name, known); near != "" {
				d.Help = "did you mean " + near + "?"
			}
			unknown = append(unknown, part.name)
		}
	}
	for _, name := range vars {
		if !slices.ContainsFunc(found, func(part foundPlaceholder) bool { return part.name == name }) {
			d := faults.Errorf(whole, "unused-placeholder", "the text has no placeholder %s", name)
			if near := diag.Suggest(name, unknown); near != "" {
				d.Help = "it has " + near
			}
		}
	}
	faults.Add(checkPlaceholderJSON(file, found))
	if faults.HasErrors() {
		return nil, faults
	}
	p.build(found, vars)
	return p, faults
}

// foundPlaceholder is one placeholder where it stands.
type foundPlaceholder struct {
	name       string
	start, end int
	quoted     bool
}

// splitPlaceholders finds the placeholders of text. Of a run such as
// _A__B_ the longest known name comes first, so that touching ones are told apart.
func splitPlaceholders(text string, known []string) []foundPlaceholder {
	var found []foundPlaceholder
	quoted, at := false, 0
	for at < len(text) {
		switch c := text[at]; {
		case c == '"':
			quoted = !quoted
			at++
		case c == '\\' && quoted && at+1 < len(text) && text[at+1] != '_':
			at += 2
		case c == '_':
			run := placeholderRun.FindStringIndex(text[at:])
			if run == nil || run[0] != 0 {
				at++
				continue
			}
			name := longestKnown(text[at:at+run[1]], known)
			found = append(found, foundPlaceholder{name: name, start: at, end: at + len(name), quoted: quoted})
			at += len(name)
		default:
			at++
		}
	}
	return found
}

// longestKnown gives the longest known name run begins with, or the whole run.
func longestKnown(run string, known []string) string {
	longest := ""
	for _, name := range known {
		if len(name) > len(longest) && strings.HasPrefix(run, name) {
			longest = name
		}
	}
	if longest == "" {
		return run
	}
	return longest
}

// checkPlaceholderJSON checks that the text is JSON whatever is inserted: with x
// for quoted placeholders and null for bare ones, which neither completes an
// escape nor grows together with a neighbour into another valid text.
func checkPlaceholderJSON(file *diag.File, found []foundPlaceholder) diag.List {
	var b strings.Builder
	type shift struct{ at, by int } // from offset at of the made text, the file stands by further on
	var shifts []shift
	last := 0
	for _, part := range found {
		b.WriteString(file.Text[last:part.start])
		if part.quoted {
			b.WriteByte('x')
		} else {
			b.WriteString("null")
		}
		last = part.end
		shifts = append(shifts, shift{at: b.Len(), by: part.end - b.Len()})
	}
	b.WriteString(file.Text[last:])

	var faults diag.List
	_, err := new(jsonx.Arena).Parse(b.String(), true)
	if err == nil {
		return nil
	}
	var syntax *jsonx.SyntaxError
	if !errors.As(err, &syntax) {
		faults.Errorf(diag.Span{File: file}, "template-json", "the template is not JSON: %s", err)
		return faults
	}
	at := syntax.Offset
	for _, s := range slices.Backward(shifts) {
		if syntax.Offset >= s.at {
			at += s.by
			break
		}
	}
	at = min(max(at, 0), len(file.Text))
	message := syntax.Message
	if syntax.Key != "" {
		message += " " + syntax.Key
	}
	faults.Errorf(diag.Span{File: file, Start: at, End: min(at+1, len(file.Text))}, "template-json", "the template is not JSON: %s", message)
	return faults
}

// build numbers the names, those of vars first, and cuts the text.
func (p *Placeholders) build(found []foundPlaceholder, vars []string) {
	for _, ofVars := range []bool{true, false} {
		for _, part := range found {
			if slices.Contains(vars, part.name) == ofVars && !slices.Contains(p.Names, part.name) {
				p.Names = append(p.Names, part.name)
			}
		}
		if ofVars {
			p.Vars = len(p.Names)
		}
	}
	last := 0
	for _, part := range found {
		p.parts = append(p.parts, placeholderPart{
			before: p.file.Text[last:part.start],
			name:   slices.Index(p.Names, part.name),
			quoted: part.quoted,
			start:  part.start,
			end:    part.end,
		})
		last = part.end
	}
	p.tail = p.file.Text[last:]
}

// Append appends the text with value(i) for Names[i] of vars, and empty texts for
// those of fill. Values are inserted as
// they are, never searched for placeholders. f fails, at the placeholder, when a
// value is absent or, for a quoted one, null, a list or an object; a bare one may
// be null. When f has failed, what was appended is to be thrown away.
func (p *Placeholders) Append(dst []byte, f *Frame, value func(i int) jsonx.Value) []byte {
	for i := range p.parts {
		part := &p.parts[i]
		dst = append(dst, part.before...)
		if part.name >= p.Vars { // of fill: whoever sends it sets the field
			if !part.quoted {
				dst = append(dst, `""`...)
			}
			continue
		}
		v := value(part.name)
		if f.Err() != nil {
			return dst
		}
		kind := v.Kind()
		switch {
		case kind == jsonx.Absent, kind == jsonx.Null && part.quoted:
			p.fail(f, part, "has no value")
			return dst
		case part.quoted && (kind == jsonx.Array || kind == jsonx.Object):
			p.fail(f, part, "stands in quotes and cannot be "+kindWords(v))
			return dst
		}
		at := len(dst)
		dst = v.AppendJSON(dst)
		if part.quoted && kind == jsonx.String {
			// Inside quotes already: the text's own ones go.
			n := copy(dst[at:], dst[at+1:len(dst)-1])
			dst = dst[:at+n]
		}
	}
	return append(dst, p.tail...)
}

func (p *Placeholders) fail(f *Frame, part *placeholderPart, what string) {
	at := diag.Span{File: p.file, Start: part.start, End: part.end}
	f.failAt(&at, "the placeholder "+p.Names[part.name]+" "+what)
}

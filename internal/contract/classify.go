package contract

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
)

// Classify says what an answer with this status, content type and body means:
// the operation's x-emenda-outcomes first, then the contract's, then HTTP's.
// A body that is not what the contract says (HTML, cut JSON) is Failed, or
// Unknown for an operation that changes something; it is never passed on.
// Values of the outcome point into body and a.
func (o *Operation) Classify(a *jsonx.Arena, status int, contentType string, body []byte) Outcome {
	answer, quality := o.read(a, contentType, body)
	if len(o.rules) > 0 {
		if out, ok := o.byRules(a, status, answer, quality == good || quality == odd); ok {
			out.Unreadable = quality == unreadable
			return out
		}
	}
	out := o.byHTTP(status, quality)
	out.Unreadable = quality == unreadable
	if quality == good {
		out.Body = answer
	}
	return out
}

// quality tells what became of a body.
type quality uint8

const (
	good       quality = iota
	odd                // readable as a text where JSON is expected: rules may know it
	empty              // nothing where something is expected
	unreadable         // HTML, cut, not in its charset
)

// maxOdd bounds the texts in place of JSON that rules are shown.
const maxOdd = 4 << 10

// read makes the body a value.
func (o *Operation) read(a *jsonx.Arena, contentType string, body []byte) (jsonx.Value, quality) {
	text := unsafe.String(unsafe.SliceData(body), len(body))
	bare, charset := splitType(contentType)
	if latin(charset) {
		text = fromLatin(a, body)
	}
	text = strings.TrimPrefix(text, "\uFEFF")
	trimmed := strings.TrimSpace(text)
	switch {
	case trimmed == "" && o.AnswerKind == NoAnswer:
		return jsonx.Value{}, good
	case trimmed == "" && o.AnswerKind == TextAnswer:
		return jsonx.TextValue(""), good
	case trimmed == "":
		return jsonx.Value{}, empty
	case o.AnswerKind == FileAnswer && (equalFold(bare, typePDF) || strings.HasPrefix(trimmed, "%PDF-")):
		return jsonx.Value{}, good
	case isHTML(bare, trimmed):
		return jsonx.Value{}, unreadable
	case o.AnswerKind == TextAnswer && !isJSON(bare):
		if !utf8.ValidString(text) {
			return jsonx.Value{}, unreadable
		}
		return jsonx.TextValue(text), good
	}
	if v, err := a.Parse(trimmed, false); err == nil { // what surrounds it is blank: all is UTF-8
		if o.AnswerKind == FileAnswer {
			return v, odd // words in the place of a file
		}
		return o.fitting.fit(a, v), good
	}
	switch {
	case !utf8.ValidString(text):
		return jsonx.Value{}, unreadable
	case strings.IndexByte("{[\"<", trimmed[0]) >= 0:
		return jsonx.Value{}, unreadable // JSON that was cut, or a page after all
	case o.AnswerKind == TextAnswer || o.AnswerKind == NoAnswer:
		return jsonx.TextValue(text), good
	case len(trimmed) <= maxOdd:
		return jsonx.TextValue(trimmed), odd
	}
	return jsonx.Value{}, unreadable
}

// isHTML tells pages from answers, also those of servers that call them something else.
func isHTML(bare, trimmed string) bool {
	if equalFold(bare, "text/html") || equalFold(bare, "application/xhtml+xml") {
		return true
	}
	if trimmed == "" || trimmed[0] != '<' {
		return false
	}
	for _, begin := range [...]string{"<!doctype", "<html", "<head", "<body", "<?xml"} {
		if len(trimmed) >= len(begin) && equalFold(trimmed[:len(begin)], begin) {
			return true
		}
	}
	return false
}

func isJSON(bare string) bool {
	return equalFold(bare, typeJSON) || len(bare) > 5 && equalFold(bare[len(bare)-5:], "+json")
}

// byRules asks the rules of the contract. Those that read the body are passed over when it could not be read.
func (o *Operation) byRules(a *jsonx.Arena, status int, answer jsonx.Value, readable bool) (Outcome, bool) {
	var f *expr.Frame
	var own *jsonx.Arena
	var scope *ruleScope
	release := func() {
		if f != nil {
			f.Arena = own
			f.Release()
		}
	}
	defer func() { release() }()
	for _, r := range o.rules {
		if r.reads && !readable || r.lacks(answer) {
			continue
		}
		if r.scope != scope {
			release()
			scope = r.scope
			f = expr.NewFrame(scope.layout, time.Time{}, nil)
			// What a rule makes (its message) must outlive the frame.
			own, f.Arena = f.Arena, a
			f.Set(scope.answer, answer)
			f.Set(scope.status, statusValue(status))
		}
		holds := r.when.Holds(f)
		f.Clear() // a rule that cannot be told does not hold
		if !holds {
			continue
		}
		out := Outcome{State: o.stateOf(r), Class: r.class, Body: answer}
		if r.message != nil {
			out.Message = r.message.Value(f).Text()
			if f.Err() != nil {
				out.Message = ""
				f.Clear()
			}
		}
		return out, true
	}
	return Outcome{}, false
}

// statuses are the digits of HTTP statuses.
var statuses = func() (t [600]string) {
	for i := range t {
		t[i] = strconv.Itoa(i)
	}
	return t
}()

func statusValue(status int) jsonx.Value {
	if status >= 0 && status < len(statuses) {
		return jsonx.NumberValue(statuses[status])
	}
	return jsonx.NumberValue(strconv.Itoa(status))
}

// byHTTP says what an answer means that no rule of the contract knows.
func (o *Operation) byHTTP(status int, q quality) Outcome {
	lost := Failed
	if o.Changes {
		lost = Unknown
	}
	switch {
	case status == 401 || status == 403:
		return Outcome{State: Failed, Class: ClassSignIn}
	case status == 404:
		// A page of a proxy, or of a server without the application, says nothing about what was asked for.
		if q == unreadable {
			return Outcome{State: Failed, Class: ClassBadAnswer}
		}
		return Outcome{State: Refused, Class: ClassNotFound}
	case status >= 400 && status < 500:
		return Outcome{State: Failed, Class: ClassStatus}
	case status < 200 || status >= 500:
		return Outcome{State: lost, Class: ClassStatus}
	case status >= 300:
		return Outcome{State: lost, Class: ClassStatus}
	case q != good:
		return Outcome{State: lost, Class: ClassBadAnswer}
	}
	return Outcome{State: OK}
}

package intake

import (
	"strconv"
	"strings"
	"sync"

	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

// Fields is what was received, by name, before mapping; body before query.
type Fields struct {
	doc   jsonx.Value // a JSON body, else Absent
	body  []pair      // a form's or multipart's fields
	query []pair
	read  bool // the query is input, not only credentials
	// strict: the body is a document as a whole, in which no key stands twice.
	strict bool
}

// pair is one received field, decoded.
type pair struct {
	name, value string
	charset     string // of a part that names its own
	file        bool   // an uploaded file: bytes, perhaps no text
}

// maxFields bounds the fields of a form, a multipart body, a JSON body or a query.
const maxFields = 1000

// keptFields bounds what pooled Fields keep.
const keptFields = 128

var fieldsPool = sync.Pool{New: func() any { return new(Fields) }}

// Release gives the memory of f back; it must not be used afterwards. Values
// made of it stay good.
func (f *Fields) Release() {
	clear(f.body)
	clear(f.query)
	if cap(f.body)+cap(f.query) > keptFields {
		f.body, f.query = nil, nil
	}
	*f = Fields{body: f.body[:0], query: f.query[:0]}
	fieldsPool.Put(f)
}

// unreadable is why a body or query cannot be read, in neutral words.
type unreadable string

// The reasons.
const (
	notUnderstood   unreadable = "the request body is in a form that is not understood here"
	contradiction   unreadable = "the request body is not what its Content-Type says"
	badCharset      unreadable = "the charset of the request is not known here"
	badBytes        unreadable = "the request holds bytes that are not in its charset"
	badEscape       unreadable = "the request holds a malformed percent escape"
	tooManyFields   unreadable = "the request holds too many fields"
	noBoundary      unreadable = "the multipart body has no boundary"
	cutMultipart    unreadable = "the multipart body is cut short"
	badMultipart    unreadable = "the multipart body is malformed"
	notAnObject     unreadable = "the JSON body is not an object"
	badJSON         unreadable = "the request body is not valid JSON"
	malformedHeader unreadable = "the Content-Type is malformed"
)

// keyword gives the keyword of the message that tells a caller of it.
func (u unreadable) keyword() string {
	switch u {
	case notUnderstood, contradiction, badCharset, malformedHeader:
		return mapping.MessageMediaType
	}
	return mapping.MessageUnreadable
}

// Read reads body and query as dialect d allows. Values live as long as r's
// strings and a.
//
// The Content-Type decides how a body is read, and a body that contradicts it
// is unreadable: form fields under a JSON header, and, although some clients
// would like it, a JSON object under a form header. Who guesses reads a
// request otherwise than the proxies and signers before it. Without
// Content-Type, `{` begins JSON and anything else is a form.
func Read(a *jsonx.Arena, r *Request, d *mapping.Dialect) (*Fields, *Problem) {
	return read(a, r, d, false)
}

// ReadDocument is Read for a body that is a document as a whole: a key that
// stands twice anywhere in it makes it unreadable.
func ReadDocument(a *jsonx.Arena, r *Request, d *mapping.Dialect) (*Fields, *Problem) {
	return read(a, r, d, true)
}

func read(a *jsonx.Arena, r *Request, d *mapping.Dialect, strict bool) (*Fields, *Problem) {
	f := fieldsPool.Get().(*Fields)
	f.strict = strict
	why, where := f.readAll(a, r, d)
	if why == "" {
		return f, nil
	}
	f.Release()
	return nil, Unreadable(why.keyword(), string(why), where, d, Language(r, d.Languages))
}

// Unreadable is the problem of a request that cannot be read, in the dialect's
// words for keyword (mapping.MessageUnreadable or MessageMediaType; for where a
// document breaks JSON's rules, those of MessageSyntax), else in those for any
// such request. Where it has none, why and where stand in for them.
func Unreadable(keyword, why string, where *Spot, d *mapping.Dialect, lang int) *Problem {
	if where != nil {
		keyword = mapping.MessageSyntax
	}
	m := d.Message(lang, keyword)
	if m == nil {
		m = d.Message(lang, mapping.MessageUnreadable)
	}
	text := why + where.String()
	switch {
	case m == nil:
	case where != nil:
		text = m.At(strconv.Itoa(where.Line), strconv.Itoa(where.Column))
	default:
		text = m.Text
	}
	return &Problem{Kind: mapping.Unreadable, Message: text, Errors: []Wrong{{Code: keyword, Detail: text}}}
}

// Encoded tells whether a body with that Content-Encoding is in a coding, none
// of which is read.
func Encoded(encoding string) bool {
	return encoding != "" && !strings.EqualFold(encoding, "identity")
}

// EncodingRefused is the problem of a body in a coding, in the words of dialect
// d; in plain ones when it is nil.
func EncodingRefused(r *Request, d *mapping.Dialect) *Problem {
	const why = "Content-Encoding is not supported"
	if d == nil {
		return &Problem{Kind: mapping.Unreadable, Message: why}
	}
	return Unreadable(mapping.MessageMediaType, why, nil, d, Language(r, d.Languages))
}

// Spot is where a document is not JSON.
type Spot struct {
	Line, Column int
	Message      string
}

// String gives what messages add: ": MESSAGE, at line 2, column 7"; "" without a spot.
func (s *Spot) String() string {
	if s == nil {
		return ""
	}
	return ": " + s.Message + ", at line " + strconv.Itoa(s.Line) + ", column " + strconv.Itoa(s.Column)
}

// readAll reads query and body; where adds a position to the reason.
func (f *Fields) readAll(a *jsonx.Arena, r *Request, d *mapping.Dialect) (why unreadable, where *Spot) {
	f.read = reads(d, mapping.ReadQuery)
	if r.Query != "" && (f.read || signsInByQuery(d)) {
		if f.query, why = readForm(a, f.query, r.Query, d.Charsets, ""); why != "" {
			if f.read {
				return why, nil
			}
			f.query = f.query[:0] // not read here, and holding no credentials that could be
		}
	}
	first := firstByte(r.Body)
	if first == 0 {
		return "", nil
	}
	media, params := splitHeader(r.Type)
	charset, found, ok := param(params, "charset")
	if !ok {
		return malformedHeader, nil
	}
	if found && charset != "" {
		if charset = accepted(charset, d.Charsets); charset == "" {
			return badCharset, nil
		}
	}
	kind, ok := kindOf(media, first)
	if !ok || !reads(d, kind) {
		return notUnderstood, nil
	}
	switch kind {
	case mapping.ReadJSON:
		f.doc, why, where = readJSON(a, r.Body, d.Charsets, charset, f.strict)
	case mapping.ReadMultipart:
		f.body, why = readMultipart(a, f.body, r.Body, params, d.Charsets, charset)
	default:
		if looksLikeJSON(a, r.Body, first) {
			return contradiction, nil
		}
		f.body, why = readForm(a, f.body, trimLines(r.Body), d.Charsets, charset)
	}
	return why, where
}

// trimLines cuts line ends at both ends.
func trimLines(s string) string {
	isEnd := func(c byte) bool { return c == '\r' || c == '\n' }
	if s != "" && (isEnd(s[0]) || isEnd(s[len(s)-1])) {
		return strings.Trim(s, "\r\n")
	}
	return s
}

func reads(d *mapping.Dialect, kind mapping.ReadKind) bool {
	for _, k := range d.Read {
		if k == kind {
			return true
		}
	}
	return false
}

func signsInByQuery(d *mapping.Dialect) bool {
	for i := range d.SignIn {
		if d.SignIn[i].Place == mapping.PlaceQuery {
			return true
		}
	}
	return false
}

// firstByte gives the first byte of body that is no blank and no byte order
// mark; 0 when there is none.
func firstByte(body string) byte {
	body = strings.TrimPrefix(body, bom)
	for i := range len(body) {
		switch body[i] {
		case ' ', '\t', '\r', '\n':
		default:
			return max(body[i], 1) // a NUL is content, too
		}
	}
	return 0
}

const formType = "application/x-www-form-urlencoded"

// kindOf tells how a body of a media type is read.
func kindOf(media string, first byte) (mapping.ReadKind, bool) {
	switch {
	case media == "" && first == '{':
		return mapping.ReadJSON, true
	case media == "", media == formType, strings.EqualFold(media, formType):
		return mapping.ReadForm, true
	case strings.EqualFold(media, "multipart/form-data"):
		return mapping.ReadMultipart, true
	case strings.EqualFold(media, "application/json"), strings.EqualFold(media, "text/json"),
		len(media) > 5 && strings.EqualFold(media[len(media)-5:], "+json"):
		return mapping.ReadJSON, true
	}
	return 0, false
}

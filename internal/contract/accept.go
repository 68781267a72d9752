package contract

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/emenda-gateway/emenda/internal/jsonx"
)

// Fault is a value of a request that is not as the contract wants it.
type Fault struct {
	In      In
	Path    []string // as Place, list positions as digits
	Keyword string   // JSON Schema's word that does not hold, "required" among them
}

// Field gives the value's name as messages say it: "client.phones[0]".
func (f *Fault) Field() string {
	var b strings.Builder
	for i, p := range f.Path {
		switch {
		case p == "*" || p != "" && p[0] >= '0' && p[0] <= '9':
			b.WriteString("[" + p + "]")
			continue
		case i > 0:
			b.WriteByte('.')
		}
		b.WriteString(p)
	}
	if b.Len() == 0 {
		return "body"
	}
	return b.String()
}

// Pointer gives the value's JSON Pointer.
func (f *Fault) Pointer() string {
	var b strings.Builder
	for _, p := range f.Path {
		b.WriteByte('/')
		b.WriteString(jsonx.PointerToken(p))
	}
	return b.String()
}

// mostFaults bounds what is told of one request.
const mostFaults = 50

// Checks hold the values of requests against schemas. They are made when a
// contract is loaded, one closure a schema, and are as lenient as backends are:
// "5" is 5, 1 is true, and null and blank text are none where a value is
// optional. What a schema does not name is passed over.
type checks map[*Schema]*check

// check holds a value against one schema.
type check struct {
	run func(c *checking, v jsonx.Value)
}

// checking is one request being checked.
type checking struct {
	in     In
	way    []string // to the value at hand
	faults []Fault
	quiet  int // above 0 nobody wants to know where
	bad    bool
}

// checkings are used again: a request that is as it should be allocates nothing.
var checkings = sync.Pool{New: func() any { return &checking{way: make([]string, 0, 8)} }}

// release forgets all; the faults are the caller's.
func (c *checking) release() {
	way := c.way[:cap(c.way)]
	clear(way)
	*c = checking{way: way[:0]}
	checkings.Put(c)
}

func (c *checking) fault(keyword string) {
	c.bad = true
	if c.quiet > 0 || len(c.faults) >= mostFaults {
		return
	}
	c.faults = append(c.faults, Fault{In: c.in, Path: slices.Clone(c.way), Keyword: keyword})
}

// inside checks a value one step further in.
func (c *checking) inside(name string, k *check, v jsonx.Value) {
	c.way = append(c.way, name)
	k.run(c, v)
	c.way = c.way[:len(c.way)-1]
}

// of gives the check of a schema.
func (all checks) of(s *Schema) *check {
	if s == nil {
		return &check{run: func(*checking, jsonx.Value) {}}
	}
	if k := all[s]; k != nil {
		return k
	}
	k := &check{}
	all[s] = k // before it is made: schemas may hold themselves
	k.run = all.make(s)
	return k
}

func (all checks) make(s *Schema) func(*checking, jsonx.Value) {
	var steps []func(*checking, jsonx.Value)
	if len(s.Enum) > 0 {
		steps = append(steps, enumCheck(s))
	}
	if step := textCheck(s); step != nil {
		steps = append(steps, step)
	}
	if step := boundsCheck(s); step != nil {
		steps = append(steps, step)
	}
	if step := all.list(s); step != nil {
		steps = append(steps, step)
	}
	if step := all.object(s); step != nil {
		steps = append(steps, step)
	}
	if len(s.AnyOf) > 0 {
		steps = append(steps, all.alternatives(s.AnyOf, func(n int) bool { return n > 0 }))
	}
	if len(s.OneOf) > 0 {
		steps = append(steps, all.alternatives(s.OneOf, func(n int) bool { return n == 1 }))
	}
	types := s.Types
	return func(c *checking, v jsonx.Value) {
		if types != 0 && types&typesOf(v, types) == 0 {
			c.fault("type")
			return
		}
		for _, step := range steps {
			step(c, v)
		}
	}
}

// typesOf gives the types a value has, and those it may be taken for.
func typesOf(v jsonx.Value, wanted Types) Types {
	switch v.Kind() {
	case jsonx.Null, jsonx.Absent:
		return IsNull
	case jsonx.Bool:
		if wanted&IsBoolean == 0 {
			return IsBoolean | IsString
		}
		return IsBoolean
	case jsonx.Number:
		t := IsNumber
		if text := v.Text(); wholeDigits(text) {
			t |= IsInteger
		} else if d, ok := jsonx.ParseDecimal(text); ok && wholeDecimal(d) {
			t |= IsInteger
		}
		if wanted&t == 0 {
			t |= IsString
			if text := v.Text(); text == "0" || text == "1" {
				t |= IsBoolean
			}
		}
		return t
	case jsonx.String:
		if wanted&IsString != 0 {
			return IsString
		}
		t := IsString
		text := strings.TrimSpace(v.Text())
		if d, ok := jsonx.ParseDecimal(text); ok {
			t |= IsNumber
			if wholeDecimal(d) {
				t |= IsInteger
			}
		}
		if text == "true" || text == "false" || text == "0" || text == "1" {
			t |= IsBoolean
		}
		return t
	case jsonx.Array:
		return IsArray
	default:
		return IsObject
	}
}

func enumCheck(s *Schema) func(*checking, jsonx.Value) {
	return func(c *checking, v jsonx.Value) {
		for _, e := range s.Enum {
			if sameConstant(v, e) {
				return
			}
		}
		c.fault("enum")
	}
}

// sameConstant tells whether a received value is a constant of the contract.
func sameConstant(v, e jsonx.Value) bool {
	a, b := v.Kind(), e.Kind()
	switch {
	case a == b:
		return jsonx.Equal(v, e)
	case a == jsonx.String && b == jsonx.Number, a == jsonx.Number && b == jsonx.String:
		x, ok := jsonx.ParseDecimal(strings.TrimSpace(v.Text()))
		y, is := jsonx.ParseDecimal(e.Text())
		return ok && is && x.Cmp(y) == 0
	case b == jsonx.Bool, a == jsonx.Bool:
		return v.Text() == e.Text()
	}
	return false
}

// textCheck checks lengths, pattern and size of texts, and of numbers that stand for texts.
func textCheck(s *Schema) func(*checking, jsonx.Value) {
	if s.Lengths.Fewest == 0 && s.Lengths.Most < 0 && s.Pattern == nil && s.MaxBytes == 0 {
		return nil
	}
	meant := s.Types&(IsNumber|IsInteger) == 0 && s.Types&IsString != 0
	return func(c *checking, v jsonx.Value) {
		k := v.Kind()
		if k != jsonx.String && !(k == jsonx.Number && meant) {
			return
		}
		if s.Lengths.Fewest > 0 || s.Lengths.Most >= 0 {
			length := len(v.Text())
			if k == jsonx.String {
				length = v.Len()
			}
			if length < s.Lengths.Fewest {
				c.fault("minLength")
			}
			if s.Lengths.Most >= 0 && length > s.Lengths.Most {
				c.fault("maxLength")
			}
		}
		if s.Pattern != nil && !s.Pattern.MatchString(v.Text()) {
			if s.Format != "" {
				c.fault("format")
			} else {
				c.fault("pattern")
			}
		}
		if s.MaxBytes > 0 && int64(base64.StdEncoding.DecodedLen(len(v.Text()))) > s.MaxBytes+2 {
			c.fault("maxLength")
		}
	}
}

// boundsCheck checks the bounds of numbers, and of texts that stand for numbers.
func boundsCheck(s *Schema) func(*checking, jsonx.Value) {
	if s.Least == nil && s.Most == nil && s.Above == nil && s.Below == nil {
		return nil
	}
	return func(c *checking, v jsonx.Value) {
		if k := v.Kind(); k != jsonx.Number && (k != jsonx.String || s.Types&IsString != 0) {
			return
		}
		d, ok := jsonx.ParseDecimal(strings.TrimSpace(v.Text()))
		if !ok {
			return
		}
		if s.Least != nil && d.Cmp(*s.Least) < 0 || s.Above != nil && d.Cmp(*s.Above) <= 0 {
			c.fault("minimum")
		}
		if s.Most != nil && d.Cmp(*s.Most) > 0 || s.Below != nil && d.Cmp(*s.Below) >= 0 {
			c.fault("maximum")
		}
	}
}

func (all checks) list(s *Schema) func(*checking, jsonx.Value) {
	if s.Items == nil && s.Elements.Fewest == 0 && s.Elements.Most < 0 {
		return nil
	}
	item := all.of(s.Items)
	return func(c *checking, v jsonx.Value) {
		if v.Kind() != jsonx.Array {
			return
		}
		n := v.Len()
		if n < s.Elements.Fewest {
			c.fault("minItems")
		}
		if s.Elements.Most >= 0 && n > s.Elements.Most {
			c.fault("maxItems")
		}
		i := 0
		for it := v.Iter(); it.Next(); i++ {
			before := len(c.faults)
			item.run(c, it.Value())
			for k := before; k < len(c.faults); k++ { // where in the list is told only of what is wrong
				c.faults[k].Path = slices.Insert(c.faults[k].Path, len(c.way), strconv.Itoa(i))
			}
		}
	}
}

// fieldCheck is a field of an object, as it is checked.
type fieldCheck struct {
	key      jsonx.Key
	name     string
	required bool
	nullable bool
	check    *check
}

func (all checks) object(s *Schema) func(*checking, jsonx.Value) {
	if len(s.Fields) == 0 {
		return nil
	}
	fields := make([]fieldCheck, len(s.Fields))
	for i, f := range s.Fields {
		fields[i] = fieldCheck{
			key: jsonx.NewKey(f.Name), name: f.Name, required: f.Required, check: all.of(f.Schema),
			nullable: f.Schema != nil && (f.Schema.Types == 0 || f.Schema.Types&IsNull != 0),
		}
	}
	return func(c *checking, v jsonx.Value) {
		if v.Kind() != jsonx.Object {
			return
		}
		for i := range fields {
			f := &fields[i]
			switch m := v.Member(f.key); {
			case f.required && (m.Kind() == jsonx.Absent || m.Kind() == jsonx.Null && !f.nullable):
				c.way = append(c.way, f.name)
				c.fault("required")
				c.way = c.way[:len(c.way)-1]
			case m.None():
			case !f.required && m.Kind() == jsonx.String && blank(m.Text()):
			default:
				c.inside(f.name, f.check, m)
			}
		}
	}
}

func (all checks) alternatives(schemas []*Schema, enough func(int) bool) func(*checking, jsonx.Value) {
	each := make([]*check, len(schemas))
	for i, s := range schemas {
		each[i] = all.of(s)
	}
	return func(c *checking, v jsonx.Value) {
		was, n := c.bad, 0
		c.quiet++
		for _, k := range each {
			c.bad = false
			if k.run(c, v); !c.bad {
				n++
			}
		}
		c.quiet--
		if c.bad = was; !enough(n) {
			c.fault("type")
		}
	}
}

// Accept holds a request for the operation against its contract: params in the
// order of Params (absent where not given), body as received (Absent for none).
// It gives every fault, at most so many, and none that quotes a value.
func (o *Operation) Accept(params []jsonx.Value, body jsonx.Value) []Fault {
	c := checkings.Get().(*checking)
	defer c.release()
	for i, p := range o.Params {
		var v jsonx.Value
		if i < len(params) {
			v = params[i]
		}
		c.in, c.way = p.In, append(c.way[:0], p.Name)
		switch {
		case p.Required && v.None():
			c.fault("required")
		case v.None(), !p.Required && v.Kind() == jsonx.String && blank(v.Text()):
		default:
			o.paramChecks[i].run(c, v)
		}
	}
	c.in, c.way = InBody, c.way[:0]
	odd := false
	switch {
	case o.BodySchema == nil:
	case body.Kind() == jsonx.Absent:
		if o.BodyRequired {
			c.fault("required")
		}
	default:
		before := len(c.faults)
		o.bodyCheck.run(c, body)
		odd = len(c.faults) > before && len(c.faults[before].Path) == 0 && c.faults[before].Keyword == "type"
	}
	// What is no object at all is not told of fields that it lacks.
	if len(o.RequiredWhen) > 0 && !odd && (body.Kind() == jsonx.Object || body.Kind() == jsonx.Array) {
		for _, p := range o.Missing(o.query(params), body) {
			f := Fault{In: p.In, Path: p.Path, Keyword: "required"}
			if !slices.ContainsFunc(c.faults, func(g Fault) bool { return g.Keyword == "required" && slices.Equal(g.Path, f.Path) }) {
				c.faults = append(c.faults, f)
			}
		}
	}
	return c.faults
}

// accepts makes the checks of an operation.
func (all checks) accepts(o *Operation) {
	for _, p := range o.Params {
		o.paramChecks = append(o.paramChecks, all.of(p.Schema))
	}
	if o.BodySchema != nil {
		o.bodyCheck = all.of(o.BodySchema)
	}
}

// AppendTarget appends the operation's path with the parameters' values, each escaped for its place.
func (o *Operation) AppendTarget(dst []byte, params []jsonx.Value) ([]byte, error) {
	r := Request{Target: dst}
	err := o.buildPath(&r, params)
	return r.Target, err
}

// AcceptAnswer holds a good answer against what the contract says of answers,
// as Accept does a request: for tests and stand-ins.
func (o *Operation) AcceptAnswer(body jsonx.Value) []Fault {
	c := checking{in: InAnswer}
	if o.AnswerSchema != nil {
		checks{}.of(o.AnswerSchema).run(&c, body)
	}
	return c.faults
}

package expr

import (
	"errors"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/emenda-gateway/emenda/internal/jsonx"
)

func textFunctions() []*Function {
	return []*Function{
		{
			Name:    "text",
			Params:  []Param{{Name: "x", None: NonePasses}},
			Result:  textType,
			Help:    "The text of a number (its digits as received) or boolean; a text stays as it is.",
			Example: Example{Expr: `text(1283299)`, Gives: `"1283299"`},
			Check:   checkScalar("text"),
			Eval:    evalText,
		},
		{
			Name:    "trim",
			Params:  []Param{{Name: "text", Type: textType, None: NonePasses}},
			Result:  textType,
			Help:    "The text without blanks at its ends.",
			Example: Example{Expr: `trim("  Ana Luz ")`, Gives: `"Ana Luz"`},
			Eval:    onText("trim", strings.TrimSpace),
		},
		{
			Name:    "upper",
			Params:  []Param{{Name: "text", Type: textType, None: NonePasses}},
			Result:  textType,
			Help:    "The text in capital letters.",
			Example: Example{Expr: `upper("São")`, Gives: `"SÃO"`},
			Eval:    onText("upper", strings.ToUpper),
		},
		{
			Name:    "lower",
			Params:  []Param{{Name: "text", Type: textType, None: NonePasses}},
			Result:  textType,
			Help:    "The text in small letters.",
			Example: Example{Expr: `lower("SÃO")`, Gives: `"são"`},
			Eval:    onText("lower", strings.ToLower),
		},
		{
			Name:    "digits",
			Params:  []Param{{Name: "text", Type: textType, None: NonePasses}},
			Result:  textType,
			Help:    "Only the digits 0 to 9 of the text.",
			Example: Example{Expr: `digits("(11) 98765-4321")`, Gives: `"11987654321"`},
			Eval:    evalDigits,
		},
		{
			Name:    "filled",
			Params:  []Param{{Name: "x", None: NonePasses}},
			Help:    "The value itself, but no value for an empty or blank text.",
			Example: Example{Expr: `filled("  ") ?? "nothing"`, Gives: `"nothing"`},
			Check: func(_ *Scope, args []*Type, _ []string) (*Type, error) {
				if args[0] == nil {
					return anyType.Nullable(), nil
				}
				return args[0].Nullable(), nil
			},
			Eval: func(_ *Frame, args []jsonx.Value) jsonx.Value {
				if args[0].Kind() == jsonx.String && strings.TrimSpace(args[0].Text()) == "" {
					return jsonx.Value{}
				}
				return args[0]
			},
		},
		{
			Name: "mask",
			Params: []Param{
				{Name: "text", Type: textType, None: NonePasses},
				{Name: "pattern", Type: textType, Literal: true},
			},
			Result: textType,
			Help: "The text under a pattern in which # shows one character, * hides one and the rest stands for itself; " +
				"a text that does not fit is hidden whole.",
			Example: Example{Expr: `mask("12345678900", "###.***.###-**")`, Gives: `"123.***.789-**"`},
			Check: func(_ *Scope, _ []*Type, literals []string) (*Type, error) {
				if !strings.Contains(literals[1], "*") {
					return nil, errors.New("the pattern of mask hides nothing: * hides one character, # shows one")
				}
				return textType, nil
			},
			Bind: func(_ *Scope, _ []*Type, literals []string) EvalFunc {
				pattern := literals[1]
				return func(f *Frame, args []jsonx.Value) jsonx.Value {
					text, ok := textArg(f, "mask", args[0])
					if !ok {
						return jsonx.Value{}
					}
					m := f.Arena.Mark()
					f.Arena.SetBuf(AppendMask(f.Arena.Buf(), text, pattern))
					return jsonx.TextValue(f.Arena.Text(m))
				}
			},
		},
		{
			Name: "pad_left",
			Params: []Param{
				{Name: "text", Type: textType, None: NonePasses},
				{Name: "length", Type: integerType},
				{Name: "fill", Type: textType, Literal: true},
			},
			Result:  textType,
			Help:    "The text made this many characters long by putting the fill character before it; a longer text stays.",
			Example: Example{Expr: `pad_left(text(1310100), 8, "0")`, Gives: `"01310100"`},
			Check: func(_ *Scope, _ []*Type, literals []string) (*Type, error) {
				if utf8.RuneCountInString(literals[2]) != 1 {
					return nil, errors.New("pad_left fills with exactly one character")
				}
				return textType, nil
			},
			Eval: evalPadLeft,
		},
		{
			Name: "part",
			Params: []Param{
				{Name: "text", Type: textType, None: NonePasses},
				{Name: "from", Type: integerType},
				{Name: "to", Type: integerType, Optional: true},
			},
			Result:  textType,
			Help:    "The characters of the text from one place up to before another, counted from 0, or up to the end; of a text that is shorter, what there is.",
			Example: Example{Expr: `part("21000418450200051332", 4, 8)`, Gives: `"0418"`},
			Eval:    evalPart,
		},
		{
			Name: "replace",
			Params: []Param{
				{Name: "text", Type: textType, None: NonePasses},
				{Name: "old", Type: textType},
				{Name: "new", Type: textType},
			},
			Result:  textType,
			Help:    "The text with every old part replaced by the new one.",
			Example: Example{Expr: `replace("1.234,50", ",", ".")`, Gives: `"1.234.50"`},
			Eval:    evalReplace,
		},
		{
			Name: "split",
			Params: []Param{
				{Name: "text", Type: textType, None: NonePasses},
				{Name: "separator", Type: textType},
			},
			Result:  textsType,
			Help:    "The parts of the text between separators; an empty text has none.",
			Example: Example{Expr: `split("a;b;;c", ";")`, Gives: `["a","b","","c"]`},
			Eval:    evalSplit,
		},
		{
			Name: "url_escape",
			Params: []Param{
				{Name: "text", Type: textType, None: NonePasses},
			},
			Result:  textType,
			Help:    "The text as a value in the path or query of an address: all but letters, digits and -._~ become %XX.",
			Example: Example{Expr: `url_escape("123|123 & cia")`, Gives: `"123%7C123%20%26%20cia"`},
			Eval:    evalURLEscape,
		},
		{
			Name: "join",
			Params: []Param{
				{Name: "list", Type: listType, None: NonePasses},
				{Name: "separator", Type: textType},
			},
			Result:  textType,
			Help:    "The elements as one text with the separator between them; elements without value are left out.",
			Example: Example{Expr: `join(["Rua A", nil, 12], ", ")`, Gives: `"Rua A, 12"`},
			Check: func(_ *Scope, args []*Type, _ []string) (*Type, error) {
				if k := kindOf(elemOf(args[0])); k == ListType || k == ObjectType {
					return nil, errors.New("join takes texts, numbers and booleans, not " + elemOf(args[0]).String())
				}
				return textType, nil
			},
			Eval: evalJoin,
		},
	}
}

// onText makes the code of a function from text to text.
func onText(name string, change func(string) string) EvalFunc {
	return func(f *Frame, args []jsonx.Value) jsonx.Value {
		text, ok := textArg(f, name, args[0])
		if !ok {
			return jsonx.Value{}
		}
		return jsonx.TextValue(change(text))
	}
}

// checkScalar refuses lists and objects where one text, number or boolean is meant.
func checkScalar(name string) func(*Scope, []*Type, []string) (*Type, error) {
	return func(_ *Scope, args []*Type, _ []string) (*Type, error) {
		if k := kindOf(args[0]); k == ListType || k == ObjectType {
			return nil, errors.New(name + " takes a text, number or boolean, not " + args[0].String())
		}
		return textType, nil
	}
}

func evalText(f *Frame, args []jsonx.Value) jsonx.Value {
	switch args[0].Kind() {
	case jsonx.String:
		return args[0]
	case jsonx.Number, jsonx.Bool:
		return jsonx.TextValue(args[0].Text())
	}
	return f.Fail("text needs a text, number or boolean and was given %s", kindWords(args[0]))
}

func evalDigits(f *Frame, args []jsonx.Value) jsonx.Value {
	text, ok := textArg(f, "digits", args[0])
	if !ok {
		return jsonx.Value{}
	}
	if onlyDigits(text) {
		return jsonx.TextValue(text)
	}
	m := f.Arena.Mark()
	b := f.Arena.Buf()
	for i := range len(text) {
		if isDigit(text[i]) {
			b = append(b, text[i])
		}
	}
	f.Arena.SetBuf(b)
	return jsonx.TextValue(f.Arena.Text(m))
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func onlyDigits(text string) bool {
	for i := range len(text) {
		if !isDigit(text[i]) {
			return false
		}
	}
	return true
}

// AppendMask appends text under pattern: # shows the character at its place,
// * hides it, other characters stand for themselves. The text has one character
// per place, or stands already written as the pattern is; any other text is
// hidden whole, its length too, so that a mistake never shows anything.
func AppendMask(dst []byte, text, pattern string) []byte {
	n := utf8.RuneCountInString(text)
	places := strings.Count(pattern, "#") + strings.Count(pattern, "*")
	bare := n == places
	fits := utf8.ValidString(text) && (bare || writtenAs(text, pattern))
	for _, p := range pattern {
		place := p == '#' || p == '*'
		var c rune
		if fits && (place || !bare) {
			var size int
			c, size = utf8.DecodeRuneInString(text)
			text = text[size:]
		}
		switch {
		case !place:
			dst = utf8.AppendRune(dst, p)
		case fits && p == '#':
			dst = utf8.AppendRune(dst, c)
		default:
			dst = append(dst, '*')
		}
	}
	return dst
}

// writtenAs tells whether text has the length of pattern and its literal characters in their places.
func writtenAs(text, pattern string) bool {
	for _, p := range pattern {
		c, size := utf8.DecodeRuneInString(text)
		if size == 0 || (p != '#' && p != '*' && c != p) {
			return false
		}
		text = text[size:]
	}
	return text == ""
}

func evalPadLeft(f *Frame, args []jsonx.Value) jsonx.Value {
	text, ok := textArg(f, "pad_left", args[0])
	if !ok {
		return jsonx.Value{}
	}
	length, ok := wholeArg(args[1])
	if !ok || length < 0 || length > 4096 {
		return f.Fail("pad_left needs a length between 0 and 4096")
	}
	missing := int(length) - utf8.RuneCountInString(text)
	if missing <= 0 {
		return jsonx.TextValue(text)
	}
	m := f.Arena.Mark()
	b := f.Arena.Buf()
	for range missing {
		b = args[2].AppendText(b)
	}
	f.Arena.SetBuf(append(b, text...))
	return jsonx.TextValue(f.Arena.Text(m))
}

func evalPart(f *Frame, args []jsonx.Value) jsonx.Value {
	text, ok := textArg(f, "part", args[0])
	if !ok {
		return jsonx.Value{}
	}
	from, ok := wholeArg(args[1])
	to := int64(math.MaxInt64)
	if ok && len(args) > 2 {
		to, ok = wholeArg(args[2])
	}
	if !ok || from < 0 || to < from {
		return f.Fail("part needs places from 0 on, the second not before the first")
	}
	begin, end, n := len(text), len(text), int64(0)
	for at := range text {
		if n == from {
			begin = at
		}
		if n == to {
			end = at
			break
		}
		n++
	}
	return jsonx.TextValue(text[begin:end])
}

func evalReplace(f *Frame, args []jsonx.Value) jsonx.Value {
	text, ok := textArg(f, "replace", args[0])
	if !ok {
		return jsonx.Value{}
	}
	old, ok := textArg(f, "replace", args[1])
	if !ok {
		return jsonx.Value{}
	}
	with, ok := textArg(f, "replace", args[2])
	if !ok {
		return jsonx.Value{}
	}
	if old == "" {
		return f.Fail("replace needs something to look for")
	}
	n := strings.Count(text, old)
	if n == 0 {
		return jsonx.TextValue(text)
	}
	if grown := len(text) + n*(len(with)-len(old)); grown > len(text) && grown > maxGrown {
		return f.Fail("replace would make a text of more than %d bytes", maxGrown)
	}
	m := f.Arena.Mark()
	b := f.Arena.Buf()
	for {
		before, after, found := strings.Cut(text, old)
		b = append(b, before...)
		if !found {
			break
		}
		b = append(b, with...)
		text = after
	}
	f.Arena.SetBuf(b)
	return jsonx.TextValue(f.Arena.Text(m))
}

func evalSplit(f *Frame, args []jsonx.Value) jsonx.Value {
	text, ok := textArg(f, "split", args[0])
	if !ok {
		return jsonx.Value{}
	}
	separator, ok := textArg(f, "split", args[1])
	if !ok {
		return jsonx.Value{}
	}
	if separator == "" {
		return f.Fail("split needs a separator")
	}
	if !f.Take(strings.Count(text, separator) + 1) {
		return jsonx.Value{}
	}
	m := f.Arena.Mark()
	for more := text != ""; more; {
		var part string
		part, text, more = strings.Cut(text, separator)
		f.Arena.Push(jsonx.TextValue(part))
	}
	return f.Arena.List(m)
}

func evalJoin(f *Frame, args []jsonx.Value) jsonx.Value {
	if !listArg(f, "join", args[0]) || !f.Take(args[0].Len()) {
		return jsonx.Value{}
	}
	separator, ok := textArg(f, "join", args[1])
	if !ok {
		return jsonx.Value{}
	}
	m := f.Arena.Mark()
	b := f.Arena.Buf()
	begin := len(b)
	some := false
	for it := args[0].Iter(); it.Next(); {
		v := it.Value()
		switch {
		case v.None():
			continue
		case v.Kind() == jsonx.Array || v.Kind() == jsonx.Object:
			f.Arena.Drop(m)
			return f.Fail("join takes texts, numbers and booleans and was given %s", kindWords(v))
		}
		if some {
			b = append(b, separator...)
		}
		some = true
		b = v.AppendText(b)
		if len(b)-begin > maxGrown {
			f.Arena.Drop(m)
			return f.Fail("join would make a text of more than %d bytes", maxGrown)
		}
	}
	f.Arena.SetBuf(b)
	return jsonx.TextValue(f.Arena.Text(m))
}

// evalURLEscape percent-encodes all but the unreserved characters of RFC 3986.
func evalURLEscape(f *Frame, args []jsonx.Value) jsonx.Value {
	text, ok := textArg(f, "url_escape", args[0])
	if !ok {
		return jsonx.Value{}
	}
	if len(text) > maxGrown/3 {
		return f.Fail("url_escape would make a text of more than %d bytes", maxGrown)
	}
	const hex = "0123456789ABCDEF"
	m := f.Arena.Mark()
	b := f.Arena.Buf()
	for i := range len(text) {
		switch c := text[i]; {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', strings.IndexByte("-._~", c) >= 0:
			b = append(b, c)
		default:
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	f.Arena.SetBuf(b)
	return jsonx.TextValue(f.Arena.Text(m))
}

package expr

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/emenda-gateway/emenda/internal/jsonx"
)

func numberFunctions() []*Function {
	return []*Function{
		{
			Name:    "number",
			Params:  []Param{{Name: "x", None: NonePasses}},
			Result:  numberType,
			Help:    "The number a text spells in plain digits, a point before decimals, leading zeros allowed; a number stays.",
			Example: Example{Expr: `number("0012.50")`, Gives: `12.50`},
			Check: func(_ *Scope, args []*Type, _ []string) (*Type, error) {
				switch kindOf(args[0]) {
				case AnyType, TextType, NumberType, NoneType:
					return numberType, nil
				}
				return numberType, errors.New("number takes a text or a number, not " + args[0].String())
			},
			Eval: evalNumber,
		},
		{
			Name: "round",
			Params: []Param{
				{Name: "number", Type: numberType, None: NonePasses},
				{Name: "places", Type: integerType, Optional: true},
			},
			Result:  numberType,
			Help:    "The number rounded to so many decimal places (0 when not given), exactly; a half goes to the even neighbour.",
			Example: Example{Expr: `round(10.345, 2)`, Gives: `10.34`},
			Check: func(_ *Scope, args []*Type, _ []string) (*Type, error) {
				if len(args) == 1 {
					return integerType, nil
				}
				return numberType, nil
			},
			Eval: evalRound,
		},
		{
			Name:    "min",
			Params:  []Param{{Name: "x", None: NonePasses}, {Name: "more", Optional: true, Rest: true}},
			Help:    "The least of several numbers or texts, or of one list of them; an empty list has none.",
			Example: Example{Expr: `min(3, 1.5, 2)`, Gives: `1.5`},
			Check:   checkExtreme("min"),
			Eval:    evalExtreme("min", -1),
		},
		{
			Name:    "max",
			Params:  []Param{{Name: "x", None: NonePasses}, {Name: "more", Optional: true, Rest: true}},
			Help:    "The greatest of several numbers or texts, or of one list of them; an empty list has none.",
			Example: Example{Expr: `max(["2026-01-31", "2026-02-01"])`, Gives: `"2026-02-01"`},
			Check:   checkExtreme("max"),
			Eval:    evalExtreme("max", 1),
		},
		{
			Name: "money_sum",
			Params: []Param{
				{Name: "list", Type: listType, None: NonePasses},
				{Name: "field", Type: textType, Literal: true},
				{Name: "missing", Type: numberType, Optional: true},
			},
			Result:  numberType,
			Help:    "The exact decimal sum of a field of the elements; the third argument counts for elements without it.",
			Example: Example{Expr: `money_sum([{"value": 0.10}, {"value": 0.20}, {}], "value", 0)`, Gives: `0.30`},
			Check:   checkMoneySum,
			Bind:    bindMoneySum,
		},
	}
}

// wholeArg gives the whole number of an argument.
func wholeArg(v jsonx.Value) (int64, bool) {
	if v.Kind() != jsonx.Number {
		return 0, false
	}
	d, ok := jsonx.ParseDecimal(v.Text())
	if !ok {
		return 0, false
	}
	return d.Int64()
}

func evalNumber(f *Frame, args []jsonx.Value) jsonx.Value {
	if args[0].Kind() == jsonx.Number {
		return args[0]
	}
	text, ok := textArg(f, "number", args[0])
	if !ok {
		return jsonx.Value{}
	}
	sign := ""
	if strings.HasPrefix(text, "-") {
		sign, text = "-", text[1:]
	}
	whole, decimals, point := strings.Cut(text, ".")
	if whole == "" || !onlyDigits(whole) || !onlyDigits(decimals) || point == (decimals == "") {
		return f.Fail("number needs a text of digits, with a point before decimals")
	}
	for len(text) > 1 && text[0] == '0' && isDigit(text[1]) {
		text = text[1:]
	}
	if sign == "" {
		return jsonx.NumberValue(text)
	}
	m := f.Arena.Mark()
	f.Arena.SetBuf(append(append(f.Arena.Buf(), sign...), text...))
	return jsonx.NumberValue(f.Arena.Text(m))
}

// maxPlaces bounds the decimal places of round, as the decimals themselves are bounded.
const maxPlaces = 34

func evalRound(f *Frame, args []jsonx.Value) jsonx.Value {
	if args[0].Kind() != jsonx.Number {
		return f.Fail("round needs a number and was given %s", kindWords(args[0]))
	}
	places := int64(0)
	if len(args) > 1 {
		var ok bool
		if places, ok = wholeArg(args[1]); !ok || places < 0 || places > maxPlaces {
			return f.Fail("round needs between 0 and %d places", maxPlaces)
		}
	}
	d, ok := jsonx.ParseDecimal(args[0].Text())
	if !ok {
		return f.Fail("round cannot work with a number this large or small")
	}
	m := f.Arena.Mark()
	b := f.Arena.Buf()
	at := len(b)
	b = roundDigits(d.Append(b), at, int(places))
	f.Arena.SetBuf(b)
	return jsonx.NumberValue(f.Arena.Text(m))
}

// roundDigits rounds the plain number in b[at:] to so many decimal places, half to even.
func roundDigits(b []byte, at, places int) []byte {
	first := at
	if b[at] == '-' {
		first++
	}
	point := bytes.IndexByte(b[at:], '.')
	if point < 0 || len(b)-(at+point)-1 <= places {
		return b
	}
	cut := at + point + 1 + places // the first digit that goes
	up := b[cut] > '5'
	if b[cut] == '5' {
		last := b[cut-1]
		if last == '.' {
			last = b[cut-2]
		}
		up = (last-'0')%2 == 1 || len(bytes.TrimRight(b[cut+1:], "0")) > 0
	}
	b = b[:cut]
	if places == 0 {
		b = b[:cut-1]
	}
	if up {
		i := len(b) - 1
		for ; i >= first; i-- {
			if b[i] == '.' {
				continue
			}
			if b[i] != '9' {
				b[i]++
				break
			}
			b[i] = '0'
		}
		if i < first {
			b = append(b, 0)
			copy(b[first+1:], b[first:])
			b[first] = '1'
		}
	}
	if first > at && len(bytes.Trim(b[first:], "0.")) == 0 {
		b = append(b[:at], b[first:]...) // no minus before nothing
	}
	return b
}

func checkExtreme(name string) func(*Scope, []*Type, []string) (*Type, error) {
	return func(_ *Scope, args []*Type, _ []string) (*Type, error) {
		if len(args) == 1 {
			elem := elemOf(args[0])
			switch kindOf(args[0]) {
			case AnyType, ListType:
			default:
				return anyType, fmt.Errorf("%s of one value needs a list, not %s", name, args[0])
			}
			if k := kindOf(elem); k != AnyType && k != NumberType && k != TextType {
				return anyType, fmt.Errorf("%s compares numbers or texts, not %s", name, elem)
			}
			return elem.Nullable(), nil
		}
		result := anyType
		for _, arg := range args {
			switch kindOf(arg) {
			case AnyType:
				continue
			case NumberType, TextType:
			default:
				return anyType, fmt.Errorf("%s compares numbers or texts, not %s", name, arg)
			}
			switch {
			case result.Kind == AnyType:
				result = arg
			case result.Kind != arg.Kind:
				return anyType, fmt.Errorf("%s compares numbers with numbers or texts with texts, not both", name)
			case result.Kind == NumberType:
				result = &Type{Kind: NumberType, Integer: result.Integer && arg.Integer}
			default:
				result = textType
			}
		}
		return result.NotNull(), nil
	}
}

func evalExtreme(name string, want int) EvalFunc {
	// better gives the better of two values; the first found so far may be none.
	better := func(f *Frame, best, v jsonx.Value) (jsonx.Value, bool) {
		if v.Kind() != jsonx.Number && v.Kind() != jsonx.String {
			f.Fail("%s compares numbers or texts and was given %s", name, kindWords(v))
			return jsonx.Value{}, false
		}
		if best.None() {
			return v, true
		}
		order, ok := jsonx.Compare(v, best)
		if !ok {
			f.Fail("%s compares numbers with numbers or texts with texts, not both", name)
			return jsonx.Value{}, false
		}
		if order == want {
			return v, true
		}
		return best, true
	}
	return func(f *Frame, args []jsonx.Value) jsonx.Value {
		var best jsonx.Value
		var ok bool
		if len(args) > 1 {
			for _, v := range args {
				if best, ok = better(f, best, v); !ok {
					return jsonx.Value{}
				}
			}
			return best
		}
		if !listArg(f, name, args[0]) || !f.Take(args[0].Len()) {
			return jsonx.Value{}
		}
		for it := args[0].Iter(); it.Next(); {
			v := it.Value()
			if v.None() {
				continue
			}
			if best, ok = better(f, best, v); !ok {
				return jsonx.Value{}
			}
		}
		return best
	}
}

func checkMoneySum(_ *Scope, args []*Type, literals []string) (*Type, error) {
	name := literals[1]
	if name == "" {
		return numberType, errors.New("money_sum needs the name of a field")
	}
	elem := elemOf(args[0])
	field, err := fieldOf("money_sum", elem, name)
	if err != nil {
		return numberType, err
	}
	mayMiss := kindOf(elem) == ObjectType && !elem.Assumed
	if field != nil {
		if k := kindOf(field.Type); k != NumberType && k != AnyType {
			return numberType, fmt.Errorf("money_sum adds numbers, but %q is %s", name, field.Type)
		}
		mayMiss = field.Type != nil && field.Type.Null && !field.Assumed
	}
	if mayMiss && len(args) < 3 {
		return numberType, fmt.Errorf("%q may be missing: give money_sum a third argument, what an element without it counts", name)
	}
	return numberType, nil
}

func bindMoneySum(_ *Scope, _ []*Type, literals []string) EvalFunc {
	field, key := literals[1], jsonx.NewKey(literals[1])
	return func(f *Frame, args []jsonx.Value) jsonx.Value {
		if !listArg(f, "money_sum", args[0]) || !f.Take(args[0].Len()) {
			return jsonx.Value{}
		}
		var total jsonx.Decimal
		place := 0
		for it := args[0].Iter(); it.Next(); {
			place++
			v := it.Value().Member(key)
			if v.None() {
				if len(args) < 3 {
					return f.Fail("money_sum found no %q in element %d and has no third argument for that", field, place)
				}
				v = args[2]
			}
			if v.Kind() != jsonx.Number {
				return f.Fail("money_sum adds numbers, but %q of element %d is %s", field, place, kindWords(v))
			}
			d, ok := jsonx.ParseDecimal(v.Text())
			if !ok {
				return f.Fail("money_sum cannot add %q of element %d: the number is too large or too small", field, place)
			}
			total = total.Add(d)
		}
		m := f.Arena.Mark()
		f.Arena.SetBuf(total.Append(f.Arena.Buf()))
		return jsonx.NumberValue(f.Arena.Text(m))
	}
}

package expr

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/emenda-gateway/emenda/internal/jsonx"
)

// saoPauloFrame gives a frame whose zone has had summer times, as one of a fixed offset has not.
func saoPauloFrame(t require.TestingT, l *Layout) *Frame {
	zone, err := time.LoadLocation("America/Sao_Paulo")
	require.NoError(t, err)
	return NewFrame(l, exampleNow, zone)
}

func newExampleScope(t require.TestingT) *Scope {
	fns, err := NewFunctions()
	require.NoError(t, err)
	s, err := exampleScope(fns)
	require.NoError(t, err)
	return s
}

// typeOfValue gives a type as the checker would for a literal.
func typeOfValue(v jsonx.Value) *Type {
	switch v.Kind() {
	case jsonx.Bool:
		return boolType
	case jsonx.Number:
		return numberType
	case jsonx.String:
		return textType
	case jsonx.Array:
		return listType
	case jsonx.Object:
		return objectType
	}
	return &Type{Kind: NoneType, Null: true}
}

// callIn calls the function as compiled code does: its none rules first. args
// are JSON; now is the frame's time and nothing no value.
func callIn(f *Frame, s *Scope, name string, args ...string) (jsonx.Value, error) {
	fn, ok := s.Functions.Find(name)
	if !ok {
		return jsonx.Value{}, fmt.Errorf("no function %s", name)
	}
	values := make([]jsonx.Value, len(args))
	types := make([]*Type, len(args))
	literals := make([]string, len(args))
	for i, arg := range args {
		switch arg {
		case "now":
			values[i], types[i] = f.TimeValue(f.Now), timeType
		case "":
			types[i] = typeOfValue(values[i])
		default:
			values[i] = jsonx.RawValue(arg)
			types[i] = typeOfValue(values[i])
			literals[i] = values[i].Text()
		}
	}
	if fn.Check != nil {
		if _, err := fn.Check(s, types, literals); err != nil {
			return jsonx.Value{}, err
		}
	}
	for i, v := range values {
		if v.None() && fn.Params[min(i, len(fn.Params)-1)].None == NonePasses {
			return jsonx.Value{}, nil
		}
	}
	v := fn.For(s, types, literals)(f, values)
	if err := f.Err(); err != nil {
		return v, fmt.Errorf("failed: %s", err.Message)
	}
	return v, nil
}

func TestFunctionsGive(t *testing.T) {
	for _, c := range []struct {
		call string // function and JSON arguments, parted by blanks around |
		want string // JSON, "absent", or an error
	}{
		{`text | 1283299`, `"1283299"`},
		{`text | 1.10`, `"1.10"`},
		{`text | 12345678901234567890`, `"12345678901234567890"`},
		{`text | true`, `"true"`},
		{`text | "a"`, `"a"`},
		{`text | `, `absent`},
		{`text | [1]`, `text takes a text, number or boolean, not list`},
		{`trim | " \t\u00a0a b\n"`, `"a b"`},
		{`trim | null`, `absent`},
		{`trim | 5`, `failed: trim needs text and was given a number`},
		{`upper | "ação"`, `"AÇÃO"`},
		{`lower | "AÇÃO"`, `"ação"`},
		{`digits | "12.345-6"`, `"123456"`},
		{`digits | "123"`, `"123"`},
		{`digits | "٣ abc"`, `""`},
		{`filled | " \t"`, `absent`},
		{`filled | ""`, `absent`},
		{`filled | "x "`, `"x "`},
		{`filled | 0`, `0`},
		{`filled | `, `absent`},

		{`mask | "12345678900" | "###.***.###-**"`, `"123.***.789-**"`},
		{`mask | "04312341414" | "###.***.###-**"`, `"043.***.414-**"`},
		{`mask | "043.123.414-14" | "###.***.###-**"`, `"043.***.414-**"`},
		{`mask | "12345678000199" | "###.***.###-**"`, `"***.***.***-**"`},
		{`mask | "1234" | "###.***.###-**"`, `"***.***.***-**"`},
		{`mask | "" | "##*"`, `"***"`},
		{`mask | "çéà" | "#*#"`, `"ç*à"`},
		{`mask | "abc" | "###"`, `the pattern of mask hides nothing: * hides one character, # shows one`},
		{`mask | null | "##*"`, `absent`},

		{`url_escape | "123|123 & ção/é?#=+"`, `"123%7C123%20%26%20%C3%A7%C3%A3o%2F%C3%A9%3F%23%3D%2B"`},
		{`url_escape | "aZ9-._~"`, `"aZ9-._~"`},
		{`url_escape | "%20\u0000"`, `"%2520%00"`},
		{`url_escape | ""`, `""`},
		{`url_escape | null`, `absent`},
		{`url_escape | 5`, `failed: url_escape needs text and was given a number`},
		{`pad_left | "42" | 5 | "0"`, `"00042"`},
		{`pad_left | "123456" | 5 | "0"`, `"123456"`},
		{`pad_left | "é" | 3 | "ç"`, `"ççé"`},
		{`pad_left | "1" | 3 | "ab"`, `pad_left fills with exactly one character`},
		{`pad_left | "1" | -1 | "0"`, `failed: pad_left needs a length between 0 and 4096`},
		{`pad_left | "1" | 1.5 | "0"`, `failed: pad_left needs a length between 0 and 4096`},
		{`replace | "a.b.c" | "." | ""`, `"abc"`},
		{`replace | "aaa" | "aa" | "b"`, `"ba"`},
		{`replace | "abc" | "x" | "y"`, `"abc"`},
		{`replace | "abc" | "" | "y"`, `failed: replace needs something to look for`},
		{`split | "a,b,," | ","`, `["a","b","",""]`},
		{`split | "abc" | ","`, `["abc"]`},
		{`split | "" | ","`, `[]`},
		{`split | "abc" | ""`, `failed: split needs a separator`},
		{`join | ["a",null,1.50,true] | ", "`, `"a, 1.50, true"`},
		{`join | [] | ","`, `""`},
		{`join | [null,"b"] | ","`, `"b"`},
		{`join | [["b"]] | ","`, `failed: join takes texts, numbers and booleans and was given a list`},
		{`join | null | ","`, `absent`},

		{`number | "0012.50"`, `12.50`},
		{`number | "-007"`, `-7`},
		{`number | "0"`, `0`},
		{`number | "00.5"`, `0.5`},
		{`number | "12345678901234567890"`, `12345678901234567890`},
		{`number | 1.10`, `1.10`},
		{`number | "1,5"`, `failed: number needs a text of digits, with a point before decimals`},
		{`number | ""`, `failed: number needs a text of digits, with a point before decimals`},
		{`number | "1."`, `failed: number needs a text of digits, with a point before decimals`},
		{`number | ".5"`, `failed: number needs a text of digits, with a point before decimals`},
		{`number | "1e5"`, `failed: number needs a text of digits, with a point before decimals`},
		{`number | "--1"`, `failed: number needs a text of digits, with a point before decimals`},
		{`number | true`, `number takes a text or a number, not true or false`},
		{`number | `, `absent`},

		{`round | 2.5`, `2`},
		{`round | 3.5`, `4`},
		{`round | -2.5`, `-2`},
		{`round | -0.4`, `0`},
		{`round | 10.345 | 2`, `10.34`},
		{`round | 10.355 | 2`, `10.36`},
		{`round | 10.3450001 | 2`, `10.35`},
		{`round | 9.999 | 2`, `10.00`},
		{`round | 99.5`, `100`},
		{`round | -99.5`, `-100`},
		{`round | 0.5`, `0`},
		{`round | 0.51`, `1`},
		{`round | 7 | 2`, `7`},
		{`round | 1.1 | 40`, `failed: round needs between 0 and 34 places`},
		{`round | 1.1 | 0.5`, `failed: round needs between 0 and 34 places`},

		{`min | 3 | 1.5 | 2`, `1.5`},
		{`max | 3 | 1.5 | 12345678901234567890`, `12345678901234567890`},
		{`max | "a" | "b"`, `"b"`},
		{`min | [3,null,1]`, `1`},
		{`min | []`, `absent`},
		{`min | [1,"a"]`, `failed: min compares numbers with numbers or texts with texts, not both`},
		{`min | [true]`, `failed: min compares numbers or texts and was given a boolean`},
		{`min | 1 | "a"`, `min compares numbers with numbers or texts with texts, not both`},
		{`min | 1`, `min of one value needs a list, not number`},

		{`money_sum | [{"v":0.1},{"v":0.2}] | "v"`, `0.3`},
		{`money_sum | [{"v":112.40},{"v":7}] | "v"`, `119.40`},
		{`money_sum | [] | "v"`, `0`},
		{`money_sum | [{"v":1},{},{"v":null}] | "v" | 0.5`, `2.0`},
		{`money_sum | [{"v":1},{}] | "v"`, `failed: money_sum found no "v" in element 2 and has no third argument for that`},
		{`money_sum | [{"v":"1"}] | "v"`, `failed: money_sum adds numbers, but "v" of element 1 is text`},
		{`money_sum | [{"v":1e9999}] | "v"`, `failed: money_sum cannot add "v" of element 1: the number is too large or too small`},
		{`money_sum | [{"v":1}] | ""`, `money_sum needs the name of a field`},

		{`list | `, `[]`},
		{`list | null`, `[]`},
		{`list | 7`, `[7]`},
		{`list | [1,2]`, `[1,2]`},
		{`list | {"a":1}`, `[{"a":1}]`},
		{`only | [{"id":1}]`, `{"id":1}`},
		{`only | []`, `failed: only needs exactly one element and the list has none`},
		{`only | [1,2]`, `failed: only needs exactly one element and the list has several`},
		{`has | {"a":null} | "a"`, `true`},
		{`has | {"a":null} | "b"`, `false`},
		{`has |  | "b"`, `false`},
		{`keys | {"b":1,"a":2}`, `["b","a"]`},
		{`keys | {}`, `[]`},

		{`sort_by | [{"n":10,"i":1},{"n":9,"i":2},{"i":3},{"n":9.0,"i":4}] | "n"`, `[{"n":9,"i":2},{"n":9.0,"i":4},{"n":10,"i":1},{"i":3}]`},
		{`sort_by | [{"n":10,"i":1},{"n":9,"i":2},{"n":null,"i":3}] | "-n"`, `[{"n":10,"i":1},{"n":9,"i":2},{"n":null,"i":3}]`},
		{`sort_by | [{"d":"b","n":1},{"d":"a","n":1},{"d":"b","n":2}] | "-d" | "-n"`, `[{"d":"b","n":2},{"d":"b","n":1},{"d":"a","n":1}]`},
		{`sort_by | [{"d":"é"},{"d":"z"},{"d":"Z"}] | "d"`, `[{"d":"Z"},{"d":"z"},{"d":"é"}]`},
		{`sort_by | [{"n":1},{"n":"1"}] | "n"`, `failed: sort_by cannot order by "n": the elements hold different kinds, or neither numbers nor texts`},
		{`sort_by | [{"n":true}] | "n"`, `failed: sort_by cannot order by "n": the elements hold different kinds, or neither numbers nor texts`},
		{`sort_by | [] | "n"`, `[]`},
		{`sort_by | [] | "-"`, `sort_by needs the name of a field: "name", or "-name" for descending`},
		{`unique | [3,1,3.0,"3",2,1,true,null,true,null]`, `[3,1,"3",2,true,null]`},
		{`unique | [{"a":1,"b":1},{"a":2,"b":2},{"a":1.0,"b":3}] | "a"`, `[{"a":1,"b":1},{"a":2,"b":2}]`},
		{`unique | [[1]]`, `failed: unique compares texts, numbers and booleans and was given a list`},

		{`unique | 5`, `failed: unique needs a list and was given a number`},
		{`sort_by | {} | "n"`, `failed: sort_by needs a list and was given an object`},
		{`only | "a"`, `failed: only needs a list and was given text`},
		{`money_sum | true | "v"`, `failed: money_sum needs a list and was given a boolean`},
		{`join | 5 | ","`, `failed: join needs a list and was given a number`},
		{`keys | [1]`, `failed: keys needs an object and was given a list`},
		{`split | 5 | ","`, `failed: split needs text and was given a number`},
		{`split | "a" | 5`, `failed: split needs text and was given a number`},
		{`replace | "a" | 5 | "b"`, `failed: replace needs text and was given a number`},
		{`replace | "a" | "b" | 5`, `failed: replace needs text and was given a number`},
		{`round | "1"`, `failed: round needs a number and was given text`},
		{`round | 1e9999`, `failed: round cannot work with a number this large or small`},
		{`unique | [true,false,true]`, `[true,false]`},

		{`table | "plans" | 5`, `failed: table needs text and was given a number`},
		{`table | "plans" | "A"`, `{"code":1,"label":"Basic"}`},
		{`table | "plans" | "B"`, `absent`},
		{`table | "plan" | "A"`, `there is no table "plan"; did you mean plans?`},
	} {
		t.Run(c.call, func(t *testing.T) {
			s := newExampleScope(t)
			require.Equal(t, c.want, outcome(t, s, c.call))
		})
	}
}

// outcome makes one call and spells what came of it.
func outcome(t *testing.T, s *Scope, call string) string {
	f := saoPauloFrame(t, s.Layout)
	defer f.Release()
	parts := strings.Split(call, " | ")
	v, err := callIn(f, s, parts[0], parts[1:]...)
	switch {
	case err != nil:
		return err.Error()
	case v.Kind() == jsonx.Absent:
		return "absent"
	}
	return string(v.AppendJSON(nil))
}

func TestCheckTypes(t *testing.T) {
	invoice := &Type{Kind: ObjectType, Order: []string{"due", "value", "note", "paid"}, Fields: map[string]*Field{
		"due": {Type: textType}, "value": {Type: numberType}, "note": {Type: textType.Nullable()},
		"tax": {Type: numberType.Nullable()}, "paid": {Type: boolType},
	}}
	invoices := &Type{Kind: ListType, Elem: invoice}
	guessed := &Type{Kind: ListType, Elem: &Type{Kind: ObjectType, Assumed: true, Order: []string{"value"}, Fields: map[string]*Field{
		"value": {Type: numberType.Nullable(), Assumed: true},
	}}}
	for _, c := range []struct {
		name     string
		function string
		args     []*Type
		literals []string
		want     string // the type, or an error
	}{
		{"a list stays", "list", []*Type{invoices.Nullable()}, nil, "list of object"},
		{"one becomes a list of it", "list", []*Type{textType.Nullable()}, nil, "list of text"},
		{"the only element", "only", []*Type{invoices}, nil, "object"},
		{"sorting keeps the type", "sort_by", []*Type{invoices, textType}, []string{"", "-due"}, "list of object"},
		{"sorting by an unknown field", "sort_by", []*Type{invoices, textType}, []string{"", "-dua"}, `sort_by looks for the field "dua", which is not there; did you mean due?`},
		{"sorting by a boolean", "sort_by", []*Type{invoices, textType}, []string{"", "paid"}, `sort_by cannot order by "paid": it is true or false, not numbers or texts`},
		{"sorting texts by a field", "sort_by", []*Type{textsType, textType}, []string{"", "x"}, `sort_by looks for the field "x", but these are no objects: text`},
		{"sorting guessed objects", "sort_by", []*Type{guessed, textType}, []string{"", "other"}, "list of object"},
		{"summing a sure field", "money_sum", []*Type{invoices, textType}, []string{"", "value"}, "number"},
		{"summing a field that may be missing", "money_sum", []*Type{invoices, textType}, []string{"", "tax"}, `"tax" may be missing: give money_sum a third argument, what an element without it counts`},
		{"summing with a third argument", "money_sum", []*Type{invoices, textType, numberType}, []string{"", "tax", ""}, "number"},
		{"summing a guessed field", "money_sum", []*Type{guessed, textType}, []string{"", "value"}, "number"},
		{"summing texts", "money_sum", []*Type{invoices, textType}, []string{"", "due"}, `money_sum adds numbers, but "due" is text`},
		{"summing an open object", "money_sum", []*Type{{Kind: ListType, Elem: objectType}, textType}, []string{"", "x"}, `"x" may be missing: give money_sum a third argument, what an element without it counts`},
		{"a row may be missing", "table", []*Type{textType, textType}, []string{"plans", ""}, "object or no value"},
		{"filled may take the value away", "filled", []*Type{textType}, nil, "text or no value"},
		{"the least of whole numbers", "min", []*Type{integerType, integerType}, []string{"", ""}, "whole number"},
		{"the least of a list", "min", []*Type{textsType}, []string{""}, "text or no value"},
		{"rounding to whole", "round", []*Type{numberType}, []string{""}, "whole number"},
		{"rounding to places", "round", []*Type{numberType, integerType}, []string{"", ""}, "number"},
		{"a date in milliseconds", "date", []*Type{timeType, textType}, []string{"", "epoch_ms"}, "whole number"},
		{"unique objects need a field", "unique", []*Type{invoices}, []string{""}, "unique compares texts, numbers and booleans, not object; name a field as the second argument"},
		{"has finds near names", "has", []*Type{invoice, textType}, []string{"", "notes"}, `has looks for the field "notes", which is not there; did you mean note?`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newExampleScope(t)
			fn, ok := s.Functions.Find(c.function)
			require.True(t, ok)
			got, err := fn.Check(s, c.args, c.literals)
			if err != nil {
				require.Equal(t, c.want, err.Error())
				return
			}
			require.Equal(t, c.want, got.String())
		})
	}
}

func TestTableRules(t *testing.T) {
	s := newExampleScope(t)
	s.Tables["strict"] = &Table{Name: "strict", Row: objectType, Rows: map[string]jsonx.Value{}, Fails: true}
	s.Tables["rest"] = &Table{Name: "rest", Row: objectType, Rows: map[string]jsonx.Value{}, Unknown: jsonx.RawValue(`{"code":9}`)}
	require.Equal(t, `failed: table "strict" has no row for this key`, outcome(t, s, `table | "strict" | "A"`))
	require.Equal(t, `{"code":9}`, outcome(t, s, `table | "rest" | "A"`))
	fn, _ := s.Functions.Find("table")
	for _, name := range []string{"strict", "rest"} {
		typ, err := fn.Check(s, []*Type{textType, textType}, []string{name, ""})
		require.NoError(t, err)
		require.False(t, typ.Null)
	}
}

func TestGrowthIsBounded(t *testing.T) {
	s := newExampleScope(t)
	long := strings.Repeat("a", 4096)
	require.Equal(t, "failed: replace would make a text of more than 1048576 bytes",
		outcome(t, s, fmt.Sprintf(`replace | %q | "a" | %q`, long, long)))
	require.Equal(t, "failed: join would make a text of more than 1048576 bytes",
		outcome(t, s, fmt.Sprintf(`join | [%s1] | %q`, strings.Repeat("1,", 300), long)))
	require.Equal(t, "failed: the expression goes over too many list elements; narrow the lists first",
		outcome(t, s, fmt.Sprintf(`split | %q | ","`, strings.Repeat(",", DefaultFuel))))
}

func TestNewFunctionsRefuses(t *testing.T) {
	good := Function{
		Name: "twice", Help: "Two.", Result: textType, Example: Example{Expr: `twice()`, Gives: `2`},
		Eval: func(*Frame, []jsonx.Value) jsonx.Value { return jsonx.Value{} },
	}
	for _, c := range []struct {
		name   string
		change func(*Function)
		want   string
	}{
		{"a taken name", func(f *Function) { f.Name = "trim"; f.Example.Expr = "trim()" }, "function trim: the name is taken"},
		{"a built-in with predicate", func(f *Function) { f.Name = "filter"; f.Example.Expr = "filter()" }, "function filter: the name is reserved: it is a built-in of the language"},
		{"a context name", func(f *Function) { f.Name = "now"; f.Example.Expr = "now()" }, "function now: the name is reserved: it is a name every mapping has"},
		{"a bad name", func(f *Function) { f.Name = "Twice"; f.Example.Expr = "Twice()" }, "function Twice: the name must be small letters, digits and _"},
		{"no help", func(f *Function) { f.Help = "" }, "function twice: there is no help"},
		{"no example", func(f *Function) { f.Example = Example{} }, "function twice: there is no example that calls it\nfunction twice: what its example gives is not JSON"},
		{"no result", func(f *Function) { f.Result = nil }, "function twice: there is no result type"},
		{"no code", func(f *Function) { f.Eval = nil }, "function twice: there is no code"},
		{"a nameless parameter", func(f *Function) { f.Params = []Param{{}} }, "function twice: parameter 1 has no name"},
		{"the rest first", func(f *Function) { f.Params = []Param{{Name: "a", Rest: true}, {Name: "b"}} }, "function twice: parameter a takes the rest but is not the last"},
		{"a must behind a may", func(f *Function) { f.Params = []Param{{Name: "a", Optional: true}, {Name: "b"}} }, "function twice: parameter b must be optional, as the one before it is"},
		{"a literal number", func(f *Function) { f.Params = []Param{{Name: "a", Literal: true}} }, "function twice: parameter a is a literal and must be text"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := good
			c.change(&f)
			_, err := NewFunctions(&f)
			require.EqualError(t, err, c.want)
		})
	}
	fs, err := NewFunctions(&good)
	require.NoError(t, err)
	found, ok := fs.Find("twice")
	require.True(t, ok)
	require.Equal(t, "twice()", found.Signature())
	require.Len(t, fs.All(), len(fs.Names()))
	require.IsIncreasing(t, fs.Names())
	date, _ := fs.Find("date")
	require.Equal(t, "date(x, in, out?)", date.Signature())
}

// What a mask hides never shows: at the place of each * stands a *, and a text
// that does not fit shows nothing of itself.
func TestMaskHides(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringOf(rapid.RuneFrom([]rune("##**.-/ "))).Draw(t, "pattern")
		text := rapid.StringOf(rapid.RuneFrom([]rune("0123456789çé.-/ "))).Draw(t, "text")
		masked := []rune(string(AppendMask(nil, text, pattern)))
		places := []rune(pattern)
		require.Len(t, masked, len(places))
		shown := 0
		for i, p := range places {
			switch p {
			case '*':
				require.Equal(t, '*', masked[i])
			case '#':
				if masked[i] != '*' {
					shown++
				}
			default:
				require.Equal(t, p, masked[i])
			}
		}
		n := len([]rune(text))
		if bare := strings.Count(pattern, "#") + strings.Count(pattern, "*"); n != bare && n != len(places) {
			require.Zero(t, shown)
		}
	})
}

func TestRoundIsNear(t *testing.T) {
	s := newExampleScope(t)
	rapid.Check(t, func(rt *rapid.T) {
		f := saoPauloFrame(rt, s.Layout)
		defer f.Release()
		units := rapid.Int64Range(-1e12, 1e12).Draw(rt, "units")
		scale := rapid.IntRange(0, 6).Draw(rt, "scale")
		places := rapid.IntRange(0, 6).Draw(rt, "places")
		text := fmt.Sprintf("%de-%d", units, scale)
		v, err := callIn(f, s, "round", text, fmt.Sprint(places))
		require.NoError(rt, err)
		was, _ := jsonx.ParseDecimal(text)
		is, ok := jsonx.ParseDecimal(v.Text())
		require.True(rt, ok, v.Text())
		unit, _ := jsonx.ParseDecimal(fmt.Sprintf("1e-%d", places))
		off := is.Sub(was)
		if off.Cmp(jsonx.Decimal{}) < 0 {
			off = was.Sub(is)
		}
		require.LessOrEqual(rt, off.Add(off).Cmp(unit), 0)
		_, decimals, _ := strings.Cut(v.Text(), ".")
		require.LessOrEqual(rt, len(decimals), places)
	})
}

func TestExamplesHold(t *testing.T) {
	fs, err := NewFunctions()
	require.NoError(t, err)
	for _, fn := range fs.All() {
		t.Run(fn.Name, func(t *testing.T) {
			gives, err := fn.Example.Run(fs)
			require.NoError(t, err)
			require.Equal(t, fn.Example.Gives, gives)
		})
	}
}

func TestExamplesThatDoNotHold(t *testing.T) {
	fs, err := NewFunctions()
	require.NoError(t, err)
	_, err = Example{Expr: `trimm("a")`}.Run(fs)
	require.ErrorContains(t, err, `unknown function "trimm"`)
	_, err = Example{Expr: `only([1, 2])`}.Run(fs)
	require.ErrorContains(t, err, "only needs exactly one element and the list has several")
}

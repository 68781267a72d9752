package jsonx

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"
	"pgregory.net/rapid"
)

func TestSyntaxErrors(t *testing.T) {
	deep := strings.Repeat("[", 513) + strings.Repeat("]", 513)
	for name, c := range map[string]struct{ doc, want string }{
		"empty":             {"", `the document is empty (at byte 0)`},
		"spaces":            {" \n", `the document is empty (at byte 2)`},
		"comma in list":     {`[1, 2, ]`, `a comma before "]" (at byte 5)`},
		"comma in object":   {`{"a":1,}`, `a comma before "}" (at byte 6)`},
		"two commas":        {`[1,,2]`, `a comma where a value should stand (at byte 3)`},
		"list not closed":   {`[1`, `the document ends inside a list (at byte 2)`},
		"object not closed": {`{"a":1`, `the document ends inside an object (at byte 6)`},
		"text not closed":   {`"abc`, `the document ends inside a text (at byte 4)`},
		"text ends in \\":   {`"abc\`, `the document ends inside a text (at byte 5)`},
		"no value":          {`{"a":`, `the document ends where a value should stand (at byte 5)`},
		"word cut":          {`[tru`, `the document ends inside a word (at byte 4)`},
		"NaN":               {`{"a":NaN}`, `a word that is not true, false or null (at byte 5)`},
		"bare key":          {`{a:1}`, `a key must stand in double quotes (at byte 1)`},
		"single quotes":     {`{'a':1}`, `single quotes; JSON has double quotes only (at byte 1)`},
		"no colon":          {`{"a" 1}`, `a ":" is missing behind a key (at byte 5)`},
		"no comma":          {`{"a":1 "b":2}`, `a comma or "}" is missing in an object (at byte 7)`},
		"wrong bracket":     {`[1}`, `a comma or "]" is missing in a list (at byte 2)`},
		"two documents":     {`{} {}`, `something follows the end of the document (at byte 3)`},
		"comment":           {`{} // x`, `a comment, which JSON does not have (at byte 3)`},
		"leading zero":      {`[01]`, `a number must not begin with a zero (at byte 1)`},
		"plus":              {`+1`, `a number must begin with a digit or a minus (at byte 0)`},
		"point":             {`1.`, `a number without a digit behind its point (at byte 2)`},
		"exponent":          {`1e+`, `a number without a digit in its exponent (at byte 3)`},
		"minus":             {`-`, `a minus without a digit behind it (at byte 1)`},
		"line break":        {"\"a\nb\"", `a line break, tab or other control character inside a text; it must be written as an escape (at byte 2)`},
		"escape":            {`"\x"`, `an unknown escape inside a text (at byte 1)`},
		"hex":               {`"\u12g4"`, `an escape "\u" without four hexadecimal digits inside a text (at byte 1)`},
		"nul in text":       {"\"a\x00\"", `a NUL byte inside a text (at byte 2)`},
		"nul":               {"\x00", `a NUL byte (at byte 0)`},
		"nul behind":        {"{}\x00", `a NUL byte (at byte 2)`},
		"byte order mark":   {"\uFEFF{}", `the document begins with a byte order mark, which JSON does not allow (at byte 0)`},
		"UTF-16":            {"\xff\xfe{\x00}\x00", `the document is UTF-16; JSON must be UTF-8 (at byte 0)`},
		"latin 1":           {"{\"a\":\"\xe7\"}", `the text is not valid UTF-8 (at byte 6)`},
		"surrogate bytes":   {"\"\xed\xa0\x80\"", `the text is not valid UTF-8 (at byte 1)`},
		"deep":              {deep, `lists and objects are nested deeper than 512 levels (at byte 512)`},
		"deep and open":     {strings.Repeat(`{"a":`, 600), `lists and objects are nested deeper than 512 levels (at byte 2560)`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := new(Arena).Parse(c.doc, false)
			require.EqualError(t, err, c.want)
		})
	}
	v := parse(t, deep[1:len(deep)-1])
	require.Equal(t, 1, v.Len(), "512 levels are allowed")
	many := strings.Repeat("[],", 2000) + `"[[[[\"[["`
	require.Equal(t, 2001, parse(t, "["+many+"]").Len(), "brackets side by side or in text are no depth")
}

func TestErrorsNeverQuote(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc := rapid.StringMatching(`[\[{]?("Zq[a-z]*"[:,]?|Zq[0-9]*|[0-9.]+|,|\]|\}){0,6}`).Draw(t, "doc")
		if _, err := new(Arena).Parse(doc, true); err != nil {
			require.NotContains(t, err.Error(), "Zq")
		}
	})
}

func TestStrict(t *testing.T) {
	large := func(last string) string {
		var b strings.Builder
		b.WriteByte('{')
		for i := range 100_000 {
			fmt.Fprintf(&b, `"k%d":%d,`, i, i)
		}
		return b.String() + last + `:0}`
	}
	for name, c := range map[string]struct {
		doc, key string
		at       int
	}{
		"plain":           {`{"a":1,"a":2}`, "a", 7},
		"escaped":         {`{"a":1,"\u0061":2}`, "a", 7},
		"escaped first":   {`{"\u0061":1,"b":0,"a":2}`, "a", 18},
		"inside":          {`[{"x":{"b":1,"c":2,"b":3}}]`, "b", 19},
		"empty key":       {`{"":1,"":2}`, "", 6},
		"100,000 keys":    {large(`"k7"`), "k7", -1},
		"100,000 escaped": {large(`"\u006b99999"`), "k99999", -1},
		"long":            {`{"` + strings.Repeat("é", 100) + `":1,"` + strings.Repeat("é", 100) + `":1}`, strings.Repeat("é", 64), -1},
	} {
		t.Run(name, func(t *testing.T) {
			a := new(Arena)
			_, err := a.Parse(c.doc, true)
			var syntax *SyntaxError
			require.ErrorAs(t, err, &syntax)
			require.Equal(t, c.key, syntax.Key)
			require.Equal(t, "a key stands twice in the same object", syntax.Message)
			if c.at >= 0 {
				require.Equal(t, c.at, syntax.Offset)
			}
			v, err := a.Parse(c.doc, false)
			require.NoError(t, err)
			require.Equal(t, c.doc, string(v.AppendJSON(nil)))
		})
	}
	for name, doc := range map[string]string{
		"other objects": `{"a":{"a":1},"b":{"a":{"a":2}}}`,
		"other case":    `{"a":1,"A":2}`,
		"large":         large(`"last"`),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := new(Arena).Parse(doc, true)
			require.NoError(t, err)
		})
	}
}

func TestBuildsNest(t *testing.T) {
	a := new(Arena)
	doc, err := a.Parse(`{"a":[1,{"b":"x\ty"}]}`, true)
	require.NoError(t, err)
	text := a.Mark()
	a.SetBuf(append(a.Buf(), "outer "...))
	list := a.Mark()
	a.Push(doc.Get("a"))
	inner := a.Mark()
	a.Push(TextValue("q\"\x00\xff"))
	word := a.Mark()
	a.SetBuf(append(a.Buf(), "inner"...))
	a.Push(TextValue(a.Text(word)))
	a.Push(Value{})
	a.Push(a.List(inner))
	lost := a.Mark()
	a.Push(NullValue())
	a.SetBuf(append(a.Buf(), "lost"...))
	a.Drop(lost)
	built := a.List(list)
	a.SetBuf(built.AppendJSON(a.Buf()))
	want := `[[1,{"b":"x\ty"}],["q\"\u0000` + "\uFFFD" + `","inner",null]]`
	require.Equal(t, "outer "+want, a.Text(text))
	require.Equal(t, 2, built.Len())
	require.Equal(t, Absent, built.At(1).At(2).Kind())
	require.Equal(t, Absent, built.At(2).Kind())
	require.Equal(t, Absent, built.At(-3).Kind())
	require.Equal(t, "inner", built.At(-1).At(1).Text())
	clone := built.Clone()
	require.Empty(t, a.Buf())
	a.Reset()
	for range 3 { // reuse the storage the first values stood in
		_, err = a.Parse(`["other","document",{"z":[0,0,0,0,0,0]}]`, true)
		require.NoError(t, err)
		m := a.Mark()
		a.Push(TextValue("other"))
		a.List(m)
		a.SetBuf(append(a.Buf(), "XXXXXXXXXXXX"...))
		a.Text(a.Mark())
	}
	require.Equal(t, want, string(clone.AppendJSON(nil)))
	require.Equal(t, "x\ty", clone.At(0).At(1).Get("b").Text())
}

func TestValuesStayWhileStorageGrows(t *testing.T) {
	a := new(Arena)
	first, err := a.Parse(`{"a":[1,[2,3],{"b":4}]}`, true)
	require.NoError(t, err)
	it := first.Get("a").Iter()
	m := a.Mark()
	a.Push(first)
	list := a.List(m)
	m = a.Mark()
	a.SetBuf(append(a.Buf(), "first text"...))
	text := a.Text(m)
	n := 0
	for it.Next() {
		for i := range 2000 {
			_, err := a.Parse(`[[[{"x":"y"}]],1,2,3]`, true)
			require.NoError(t, err)
			m := a.Mark()
			a.Push(first)
			a.List(m)
			m = a.Mark()
			a.SetBuf(strconv.AppendInt(a.Buf(), int64(i), 10))
			a.Text(m)
		}
		require.Equal(t, it.Value(), first.Get("a").At(n))
		n++
	}
	require.Equal(t, 3, n)
	require.Equal(t, "4", list.At(0).Get("a").At(2).Get("b").Text())
	require.Equal(t, "first text", text)
}

func TestResetLetsGo(t *testing.T) {
	a := new(Arena)
	_, err := a.Parse(`[`+strings.Repeat("1,", 500_000)+`1]`, true)
	require.NoError(t, err)
	m := a.Mark()
	a.SetBuf(append(a.Buf(), strings.Repeat("x", 3<<20)...))
	a.Text(m)
	for range 100_000 {
		a.Push(NullValue())
	}
	a.List(m)
	a.Reset()
	held := cap(a.entries)*32 + cap(a.values)*40 + cap(a.lists)*40 + cap(a.bytes) + a.keys.size()
	for _, c := range a.chunks {
		held += cap(c)
	}
	require.LessOrEqual(t, held, 1<<20)
}

func TestTwoArenas(t *testing.T) {
	a, b := new(Arena), new(Arena)
	x, err := a.Parse(`{"n":[1.10,"a"],"m":null}`, true)
	require.NoError(t, err)
	y, err := b.Parse(`[0,{"m":null,"n":[11e-1,"\u0061"]}]`, true)
	require.NoError(t, err)
	require.True(t, Equal(x, y.At(1)))
	m := a.Mark()
	a.Push(y)
	a.Push(x)
	require.Equal(t, `[[0,{"m":null,"n":[11e-1,"\u0061"]}],{"n":[1.10,"a"],"m":null}]`, string(a.List(m).AppendJSON(nil)))
}

// anyJSON draws a document as written by hand: odd numbers, escapes, spaces.
func anyJSON(depth int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		space := func() string { return rapid.SampledFrom([]string{"", "", " ", "\n\t", "\r"}).Draw(t, "space") }
		kind := rapid.IntRange(0, 6).Draw(t, "kind")
		if depth == 0 {
			kind %= 5
		}
		switch kind {
		case 0, 1:
			return rapid.StringMatching(`-?(0|[1-9][0-9]{0,22})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,4})?`).Draw(t, "number")
		case 2, 3:
			return anyText().Draw(t, "text")
		case 4:
			return rapid.SampledFrom([]string{"true", "false", "null", "[]", "{ }"}).Draw(t, "word")
		}
		var parts []string
		for range rapid.IntRange(0, 20).Draw(t, "n") / (3 - depth) {
			part := space() + anyJSON(depth-1).Draw(t, "value") + space()
			if kind == 6 {
				part = space() + anyText().Draw(t, "key") + space() + ":" + part
			}
			parts = append(parts, part)
		}
		if kind == 6 {
			return "{" + space() + strings.Join(parts, ",") + "}"
		}
		return "[" + space() + strings.Join(parts, ",") + "]"
	})
}

func anyText() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		return `"` + strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{
			"a", "b", "é", "😀", " ", "\u2028", `\n`, `\"`, `\\`, `\/`, `\u0000`, `\u0061`, `\u00e9`, `\ud83d\ude00`, `\ud83d`, `\ude00`, "*", "#", ".", "{", "]", ",", ":",
		}), 0, 4).Draw(t, "text"), "") + `"`
	})
}

func TestAnyDocument(t *testing.T) {
	reused := new(Arena)
	rapid.Check(t, func(t *rapid.T) {
		doc := anyJSON(2).Draw(t, "doc")
		require.True(t, json.Valid([]byte(doc)))
		reused.Reset()
		v, err := reused.Parse(doc, false)
		require.NoError(t, err)
		require.Equal(t, doc, string(v.AppendJSON(nil)))
		raw := RawValue(doc)
		decoder := json.NewDecoder(strings.NewReader(doc))
		decoder.UseNumber()
		var std any
		require.NoError(t, decoder.Decode(&std))
		for _, v := range []Value{v, raw, v.Clone(), raw.Clone()} {
			like(t, v, std)
			require.True(t, Equal(v, raw))
			require.True(t, Equal(raw, v))
		}
		same := parse(t, shuffled(t, v))
		require.True(t, Equal(v, same), "order of members must not matter")
		require.True(t, Equal(same, v))
	})
}

// like compares v to what encoding/json gave, which keeps the last of several members.
func like(t *rapid.T, v Value, std any) {
	switch std := std.(type) {
	case nil:
		require.Equal(t, Null, v.Kind())
	case bool:
		require.Equal(t, Bool, v.Kind())
		require.Equal(t, std, v.Bool())
		require.Equal(t, strconv.FormatBool(std), v.Text())
	case json.Number:
		require.Equal(t, Number, v.Kind())
		require.Equal(t, string(std), v.Text())
	case string:
		require.Equal(t, String, v.Kind())
		require.Equal(t, std, v.Text())
		require.Equal(t, "x"+std, string(v.AppendText([]byte("x"))))
		require.Equal(t, utf8.RuneCountInString(std), v.Len())
	case []any:
		require.Equal(t, Array, v.Kind())
		require.Equal(t, len(std), v.Len())
		it := v.Iter()
		for i, e := range std {
			require.True(t, it.Next())
			require.Equal(t, Absent, it.Key().Kind())
			require.False(t, it.Is(NewKey("")))
			require.Equal(t, it.Value().Kind(), it.Kind())
			like(t, it.Value(), e)
			like(t, v.At(i), e)
			like(t, v.At(i-len(std)), e)
		}
		require.False(t, it.Next())
		require.False(t, it.Next())
		require.Equal(t, Absent, it.Value().Kind())
		require.Equal(t, Absent, it.Kind())
	case map[string]any:
		require.Equal(t, Object, v.Kind())
		last := map[string]Value{}
		seen := map[string]Value{}
		n := 0
		for it := v.Iter(); it.Next(); n++ {
			key := it.Key().Text()
			require.Equal(t, it.Value().Kind(), it.Kind())
			require.True(t, it.Is(NewKey(key)))
			require.False(t, it.Is(NewKey(key+"x")))
			if _, twice := seen[key]; !twice {
				seen[key] = it.Value()
			}
			last[key] = it.Value()
		}
		require.Equal(t, n, v.Len())
		require.Len(t, last, len(std))
		for key, e := range std {
			require.Contains(t, last, key)
			like(t, last[key], e)
			require.Equal(t, seen[key], v.Get(key))
			require.Equal(t, seen[key], v.Member(NewKey(key)))
		}
		require.Equal(t, Absent, v.Get("no such key").Kind())
	}
}

// shuffled writes v with the first of each member, in reverse order.
func shuffled(t *rapid.T, v Value) string {
	var parts []string
	switch v.Kind() {
	case Array:
		for it := v.Iter(); it.Next(); {
			parts = append(parts, shuffled(t, it.Value()))
		}
		return "[" + strings.Join(parts, ",") + "]"
	case Object:
		seen := map[string]bool{}
		for it := v.Iter(); it.Next(); {
			if key := it.Key().Text(); !seen[key] {
				seen[key] = true
				parts = append([]string{string(AppendQuoted(nil, key)) + ":" + shuffled(t, it.Value())}, parts...)
			}
		}
		return "{" + strings.Join(parts, ",") + "}"
	}
	return string(v.AppendJSON(nil))
}

// accepted tells whether gjson, UTF-8 and the bound on nesting accept a document.
func accepted(doc string) bool {
	return utf8.ValidString(doc) && tooDeep(doc, maxDepth) < 0 && gjson.Valid(doc)
}

// TestAcceptsWhatGjsonDoes holds Parse to gjson on documents that are nearly JSON.
func TestAcceptsWhatGjsonDoes(t *testing.T) {
	require.True(t, accepted(strings.Repeat("[", 512)+strings.Repeat("]", 512)))
	rapid.Check(t, func(t *rapid.T) {
		doc := []byte(anyJSON(2).Draw(t, "doc"))
		for range rapid.IntRange(0, 2).Draw(t, "changes") {
			at := rapid.IntRange(0, len(doc)).Draw(t, "at")
			with := rapid.SampledFrom([]string{"", "\"", "\\", "\\u12", "{", "}", "[", "]", ",", ":", " ", "0", "-", ".", "e", "1", "t", "null", "\x00", "\x1f", "\x7f", "\x80", "\xc3", "\xc3\xa9", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc0\x80", "\uFEFF"}).Draw(t, "with")
			skip := min(rapid.IntRange(0, 2).Draw(t, "skip"), len(doc)-at)
			doc = slices.Concat(doc[:at], []byte(with), doc[at+skip:])
		}
		_, err := new(Arena).Parse(string(doc), false)
		require.Equal(t, accepted(string(doc)), err == nil, "%q", doc)
	})
}

// TestEveryByte puts every byte at every place of texts around eight bytes long, which are read as one.
func TestEveryByte(t *testing.T) {
	for n := range 20 {
		for at := range n {
			for c := range 256 {
				content := []byte(strings.Repeat("x", n))
				content[at] = byte(c)
				for _, doc := range []string{`"` + string(content) + `"`, `{"` + string(content) + `":"` + string(content) + `"}`, `"` + string(content)} {
					_, err := new(Arena).Parse(doc, false)
					if accepted(doc) != (err == nil) {
						t.Fatalf("%q: %v", doc, err)
					}
				}
			}
		}
	}
}

// TestTwiceInWhatIsNoJSON: that a key stands twice is told only of a document that is JSON.
func TestTwiceInWhatIsNoJSON(t *testing.T) {
	for doc, want := range map[string]string{
		`[{"a":1,"a":2},}`:                           `"}" where a value should stand (at byte 15)`,
		"[{\"a\":1,\"a\":2},\xff":                    `the text is not valid UTF-8 (at byte 15)`,
		`[{"a":1,"a":2},` + strings.Repeat("[", 600): `lists and objects are nested deeper than 512 levels (at byte 526)`,
	} {
		a := new(Arena)
		_, err := a.Parse(doc, true)
		require.EqualError(t, err, want)
		require.Empty(t, a.entries)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`{"a":[1,2,{"b":"\u0061"}],"a":null}`, `[1,]`, `"\ud800"`, `-0.10e+5`, `{"":{"":[]}}`, "[1}", "\x00", `{"a":1,`, `[01]`, `tru`, "\uFEFF1", `"\u12`, ` [ [ ] , { } ] `} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, doc string) {
		a := new(Arena)
		v, err := a.Parse(doc, false)
		require.Equal(t, accepted(doc), err == nil)
		if valid := json.Valid([]byte(doc)) && utf8.ValidString(doc); err == nil {
			require.True(t, valid)
		} else if valid {
			require.ErrorContains(t, err, "deeper")
		}
		if err != nil {
			var syntax *SyntaxError
			require.ErrorAs(t, err, &syntax)
			require.LessOrEqual(t, syntax.Offset, len(doc))
			require.NotEqual(t, "the document is not valid JSON", syntax.Message)
			return
		}
		require.Equal(t, strings.Trim(doc, " \t\r\n"), string(v.AppendJSON(nil)))
		require.True(t, Equal(v, RawValue(doc)))
		require.True(t, Equal(v.Clone(), v))
		_, err = a.Parse(doc, true)
		require.Equal(t, repeats(v), err != nil)
	})
}

func repeats(v Value) bool {
	seen := map[string]bool{}
	for it := v.Iter(); it.Next(); {
		if key := it.Key(); key.Kind() == String {
			if seen[key.Text()] {
				return true
			}
			seen[key.Text()] = true
		}
		if repeats(it.Value()) {
			return true
		}
	}
	return false
}

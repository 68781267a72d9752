package jsonx

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func parse(t require.TestingT, s string) Value {
	v, err := new(Arena).Parse(s, false)
	require.NoError(t, err)
	return v
}

func TestVerbatim(t *testing.T) {
	for name, doc := range map[string]string{
		"beyond 53 bits":     `9007199254740993`,
		"twenty digits":      `12345678901234567890`,
		"zeros at the end":   `1.10`,
		"huge exponent":      `1e400`,
		"minus zero":         `-0`,
		"exponent as is":     `1E+02`,
		"escapes":            `"a\/b\u0041\n\"\\"`,
		"nul":                `"\u0000"`,
		"lone surrogate":     `"\ud800x\udc00"`,
		"raw line separator": "\"\u2028\u007f\"",
		"spaces inside":      `{ "a" : [ 1 , 2 ] }`,
		"duplicate keys":     `{"a":1,"a":2}`,
		"empty":              `[{},[],"",{"":""}]`,
		"word":               `[true,false,null]`,
	} {
		t.Run(name, func(t *testing.T) {
			v := parse(t, doc)
			require.Equal(t, doc, string(v.AppendJSON(nil)))
			require.Equal(t, doc, string(RawValue(" "+doc+"\n").AppendJSON(nil)))
			require.Equal(t, doc, string(v.Clone().AppendJSON(nil)))
			wrapped := parse(t, ` [ `+doc+` ] `)
			require.Equal(t, doc, string(wrapped.At(0).AppendJSON(nil)))
			require.Equal(t, doc, string(wrapped.At(-1).Clone().AppendJSON(nil)))
			require.Equal(t, doc, string(parse(t, `{"x":0,"k":`+doc+`,"y":0}`).Get("k").AppendJSON(nil)))
		})
	}
}

func TestKinds(t *testing.T) {
	for v, want := range map[Value]string{
		{}: "absent", NullValue(): "null", BoolValue(true): "boolean", NumberValue("1"): "number",
		TextValue(""): "text", RawValue("[]"): "list", RawValue(" {} "): "object",
	} {
		require.Equal(t, want, v.Kind().String())
		require.Equal(t, want == "absent" || want == "null", v.None())
	}
	require.Equal(t, "unknown", Kind(9).String())
	require.Equal(t, Absent, RawValue("").Kind())
	require.Equal(t, Absent, RawValue("%").Kind())
	require.True(t, BoolValue(true).Bool())
	require.False(t, BoolValue(false).Bool())
	require.False(t, TextValue("true").Bool())
}

func TestOtherKindsHaveNothing(t *testing.T) {
	for _, v := range []Value{{}, NullValue(), BoolValue(true), NumberValue("1"), TextValue("a"), RawValue(`[1]`), RawValue(`{"a":1}`)} {
		if v.Kind() != Object {
			require.Equal(t, Absent, v.Get("a").Kind())
		}
		if v.Kind() != Array {
			require.Equal(t, Absent, v.At(0).Kind())
		}
		if v.Kind() < Array {
			it := v.Iter()
			require.False(t, it.Next())
		}
	}
	require.Empty(t, RawValue(`[1]`).Text())
	require.Empty(t, NullValue().AppendText(nil))
	require.Empty(t, Value{}.AppendJSON(nil))
}

func TestKeysAreExactText(t *testing.T) {
	doc := `{"a":{"b":1},"a.b":2,"*":3,"#":4,"a\\":5,"@this":6,"\u0061b":7,"":8,"a|b":9,"ab":10}`
	for _, v := range []Value{parse(t, doc), RawValue(doc)} {
		for key, want := range map[string]string{"a.b": "2", "*": "3", "#": "4", `a\`: "5", "@this": "6", "ab": "7", "": "8", "a|b": "9", "?": "", "a*": "", "A": ""} {
			require.Equal(t, want, v.Get(key).Text(), key)
		}
	}
}

func TestEqual(t *testing.T) {
	wide := func(reverse bool, last string) string {
		s := ""
		for i := range 40 {
			m := fmt.Sprintf(`"k%d":[%d]`, i, i)
			if reverse {
				s = m + "," + s
			} else {
				s += m + ","
			}
		}
		return "{" + s + last + "}"
	}
	deep := func(leaf string) string { // exponential, if repeated members were walked again
		s := leaf
		for range 200 {
			s = `{"a":` + s + `,"a":` + `0,"a":1}`
		}
		return s
	}
	for name, c := range map[string]struct {
		a, b string
		want bool
	}{
		"numbers":           {`1.10`, `1.1`, true},
		"number exponents":  {`1e400`, `10e399`, true},
		"numbers differ":    {`9007199254740993`, `9007199254740992`, false},
		"number and text":   {`1`, `"1"`, false},
		"escapes":           {`"\u0061\/"`, `"a/"`, true},
		"texts differ":      {`"\u0061"`, `"b"`, false},
		"lone surrogate":    {`"\ud800"`, `"\ufffd"`, true},
		"order of members":  {`{"a":1,"b":2}`, `{"b":2,"a":1.0}`, true},
		"order of elements": {`[1,2]`, `[2,1]`, false},
		"more elements":     {`[1,2]`, `[1,2,3]`, false},
		"missing, null":     {`{"a":null}`, `{}`, false},
		"null, missing":     {`{}`, `{"a":null}`, false},
		"first of two":      {`{"a":1,"a":2}`, `{"a":1}`, true},
		"not the second":    {`{"a":1,"a":2}`, `{"a":2}`, false},
		"wide":              {wide(false, `"x":1`), wide(true, `"\u0078":1.0`), true},
		"wide, second":      {wide(false, `"k3":1`), wide(true, `"k3":2`), true},
		"wide and first":    {`{"k3":1,` + wide(false, `"x":1`)[1:], wide(true, `"x":1`), false},
		"wide and twice":    {wide(false, `"x":1,"x":2`), wide(false, `"x":1,"x":3`), true},
		"wide, other key":   {wide(false, `"x":1`), wide(true, `"y":1`), false},
		"wide, one more":    {wide(false, `"x":1`), wide(true, `"x":1,"y":1`), false},
		"wide and small":    {wide(false, `"x":1`), `{"x":1}`, false},
		"deep, repeated":    {deep(`1`), deep(`1.0`), true},
		"deep, differs":     {deep(`1`), deep(`2`), false},
		"booleans":          {`true`, `false`, false},
		"list and object":   {`[]`, `{}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			for _, a := range []Value{parse(t, c.a), RawValue(c.a)} {
				for _, b := range []Value{parse(t, c.b), RawValue(c.b)} {
					require.Equal(t, c.want, Equal(a, b))
					require.Equal(t, c.want, Equal(b, a))
				}
			}
		})
	}
	require.True(t, Equal(Value{}, NullValue()))
	require.False(t, Equal(Value{}, BoolValue(false)))
	a := new(Arena)
	m := a.Mark()
	a.Push(Value{})
	a.Push(TextValue("é"))
	require.True(t, Equal(a.List(m), RawValue(`[null,"\u00e9"]`)))
}

func TestCompare(t *testing.T) {
	for name, c := range map[string]struct {
		a, b string
		want int
	}{
		"texts":            {`"a"`, `"b"`, -1},
		"prefix":           {`"ab"`, `"a"`, 1},
		"escaped prefix":   {`"\u0061"`, `"ab"`, -1},
		"code points":      {`"\ud83d\ude00"`, `"\uffff"`, 1},
		"code points raw":  {`"😀"`, `"` + "\uffff" + `"`, 1},
		"same":             {`"\u0061"`, `"a"`, 0},
		"numbers":          {`2`, `10`, -1},
		"zeros":            {`-0`, `0e99`, 0},
		"signs":            {`-1`, `1`, -1},
		"both negative":    {`-2`, `-10`, 1},
		"zero, negative":   {`0`, `-1e-9`, 1},
		"small":            {`0.001`, `1e-3`, 0},
		"huge":             {`1e999999999999999999999`, `9e999999999999999999998`, 1},
		"huge negative":    {`-1e999999999999999999999`, `9e-999999999999999999998`, -1},
		"huge small":       {`1e-999999999999999999999`, `1e-999999999999999999998`, -1},
		"huge same":        {`10e999999999999999999999`, `1e1000000000000000000000`, 0},
		"huge small same":  {`1e-1000000000000000000000`, `10e-1000000000000000000001`, 0},
		"huge and usual":   {`1e100000000000000000`, `10e99999999999999999`, 0},
		"borrow":           {`0.1e1000000000000000000000`, `1e999999999999999999999`, 0},
		"exponent of zero": {`1e00000000000000000000001`, `10`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := Compare(RawValue(c.a), RawValue(c.b))
			require.True(t, ok)
			require.Equal(t, c.want, got)
			got, _ = Compare(RawValue(c.b), RawValue(c.a))
			require.Equal(t, -c.want, got)
		})
	}
	_, ok := Compare(NumberValue("1"), TextValue("1"))
	require.False(t, ok)
	_, ok = Compare(Value{}, Value{})
	require.False(t, ok)
	long := "1e" + strings.Repeat("9", 1<<20) // linear, or this takes minutes
	require.Equal(t, -1, CompareNumbers(long, "1"+long))
}

func TestAppendQuoted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(t, "s")
		quoted := AppendQuoted(nil, s)
		var std string
		require.NoError(t, json.Unmarshal(quoted, &std))
		b, err := json.Marshal(s)
		require.NoError(t, err)
		var back string
		require.NoError(t, json.Unmarshal(b, &back))
		require.Equal(t, back, std)
		require.Equal(t, back, RawValue(string(b)).Text())
		require.Equal(t, back, RawValue(string(quoted)).Text())
	})
	require.Equal(t, `"\"\\/\b\f\n\r\t\u0000\u001f<>&`+"\u2028\x7fé😀\"", string(AppendQuoted(nil, "\"\\/\b\f\n\r\t\x00\x1f<>&\u2028\x7fé😀")))
}

const sample = `{"client":{"name":"Jo\u00e3o","ids":[1,2,3.10,9007199254740993]},"list":[{"a":1,"b":"x"},{"a":2,"b":"y\n"},{"a":3,"b":null}],"k1":0,"k2":0,"k3":0,"k4":0,"k5":0,"k6":0,"k7":0,"k8":0,"k9":0,"k10":0,"k11":0,"k12":0,"k13":0,"k14":0,"k15":0,"k16":0,"last":true}`

func TestNoAllocations(t *testing.T) {
	a := new(Arena)
	doc, err := a.Parse(sample, true)
	require.NoError(t, err)
	other := parse(t, " "+strings.ReplaceAll(sample, ":", " : "))
	buf := make([]byte, 0, 4096)
	reused := new(Arena)
	var sum int
	for name, f := range map[string]func(){
		"Get": func() { sum += len(doc.Get("client").Get("name").text) + len(doc.Get("last").text) },
		"At": func() {
			sum += len(doc.Get("list").At(-1).Get("a").text) + len(doc.Get("client").Get("ids").At(3).text)
		},
		"AppendJSON": func() { buf = doc.Get("list").AppendJSON(doc.AppendJSON(buf[:0])) },
		"AppendText": func() { buf = doc.Get("client").Get("name").AppendText(buf[:0]) },
		"Equal": func() {
			if Equal(doc, other) {
				sum++
			}
		},
		"Compare": func() {
			c, _ := Compare(doc.Get("client").Get("ids").At(2), doc.Get("client").Get("ids").At(3))
			sum += c
		},
		"Len": func() { sum += doc.Len() + doc.Get("client").Get("name").Len() },
		"Iter": func() {
			for it := doc.Iter(); it.Next(); {
				sum += len(it.Key().text)
				for in := it.Value().Iter(); in.Next(); {
					sum += len(in.Value().text)
				}
			}
		},
		"Parse": func() {
			reused.Reset()
			v, err := reused.Parse(sample, true)
			if err != nil {
				panic(err)
			}
			sum += v.Len()
		},
		"builds": func() {
			reused.Reset()
			m := reused.Mark()
			for range 20 {
				t := reused.Mark()
				reused.SetBuf(append(reused.Buf(), "some text"...))
				reused.Push(TextValue(reused.Text(t)))
			}
			sum += reused.List(m).Len()
		},
		"decimals": func() {
			x, _ := ParseDecimal("1.10")
			y, _ := ParseDecimal("-22.5")
			buf = x.Add(y).Mul(x).Sub(y).Append(buf[:0])
		},
	} {
		t.Run(name, func(t *testing.T) { require.Zero(t, testing.AllocsPerRun(200, f)) })
	}
	require.NotZero(t, sum)
	require.True(t, Equal(doc, other))
}

func BenchmarkParse(b *testing.B) {
	for name, doc := range map[string]string{"small": sample, "large": "[" + strings.Repeat(sample+",", 150) + "0]"} {
		for _, strict := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/strict=%t", name, strict), func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(len(doc)))
				a := new(Arena)
				for b.Loop() {
					a.Reset()
					if _, err := a.Parse(doc, strict); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkRead(b *testing.B) {
	doc := parse(b, sample)
	other := parse(b, " "+strings.ReplaceAll(sample, ":", " : "))
	buf := make([]byte, 0, 4096)
	for name, f := range map[string]func(){
		"Get":        func() { buf = append(buf[:0], doc.Get("last").text...) },
		"AppendText": func() { buf = doc.Get("client").Get("name").AppendText(buf[:0]) },
		"Equal":      func() { Equal(doc, other) },
		"Iter": func() {
			for it := doc.Iter(); it.Next(); {
				buf = append(buf[:0], it.Key().text...)
			}
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
		})
	}
}

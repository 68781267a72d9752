package expr

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/jsonx"
)

// valuesOf hands JSON texts to Append by name.
func valuesOf(p *Placeholders, values map[string]string) func(int) jsonx.Value {
	return func(i int) jsonx.Value {
		if text, ok := values[p.Names[i]]; ok {
			return jsonx.RawValue(text)
		}
		return jsonx.Value{}
	}
}

func TestPlaceholders(t *testing.T) {
	for _, c := range []struct {
		name, text string
		vars, fill []string
		values     map[string]string
		want       string
	}{
		{
			"quoted, bare and inside text", `{"a": "_A_", "b": _B_, "c": "no _A_/_B_!"}`, []string{"_A_", "_B_"}, nil,
			map[string]string{"_A_": `"x\"\\\u00e9\n"`, "_B_": `5`},
			`{"a": "x\"\\\u00e9\n", "b": 5, "c": "no x\"\\\u00e9\n/5!"}`,
		},
		{
			"bare values of every kind", `[_A_, _B_, _C_, _D_, _E_]`, []string{"_A_", "_B_", "_C_", "_D_", "_E_"}, nil,
			map[string]string{"_A_": `{"k": [1]}`, "_B_": `null`, "_C_": `"t"`, "_D_": `1.10`, "_E_": `true`},
			`[{"k": [1]}, null, "t", 1.10, true]`,
		},
		{
			"numbers and booleans in quotes", `["_A_", "_B_"]`, []string{"_A_", "_B_"}, nil,
			map[string]string{"_A_": `12345678901234567890`, "_B_": `true`}, `["12345678901234567890", "true"]`,
		},
		{
			"a value is never searched", `["_A_", "_B_"]`, []string{"_A_", "_B_"}, nil,
			map[string]string{"_A_": `"_B_"`, "_B_": `"_A_"`}, `["_B_", "_A_"]`,
		},
		{
			"what is set when sending is an empty text, and comes last", `["_TOKEN_", "_A_", _TOKEN_]`, []string{"_A_"}, []string{"_TOKEN_", "_OTHER_"},
			map[string]string{"_A_": `"a"`, "_TOKEN_": `"t"`}, `["", "a", ""]`,
		},
		{
			"names that touch, and names within names", `["_A__B_", "_A_B_"]`, []string{"_A_", "_B_", "_A_B_"}, nil,
			map[string]string{"_A_": `"1"`, "_B_": `"2"`, "_A_B_": `"3"`}, `["12", "3"]`,
		},
		{
			"text that only looks alike", `{"_a_": "_", "b": "a_b _1_ _AB", "c": "\u005fX_", "d\\": "\""}`, nil, nil,
			nil, `{"_a_": "_", "b": "a_b _1_ _AB", "c": "\u005fX_", "d\\": "\""}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, faults := CompilePlaceholders(diag.NewFile("t.json", c.text), c.vars, c.fill)
			require.Empty(t, faults)
			f := NewFrame(new(Layout), time.Time{}, nil)
			defer f.Release()
			got := p.Append([]byte("> "), f, valuesOf(p, c.values))
			require.Nil(t, f.Err())
			require.Equal(t, "> "+c.want, string(got))
			require.True(t, gjson.Valid(string(got[2:])))
		})
	}
}

func TestPlaceholderNames(t *testing.T) {
	p, faults := CompilePlaceholders(diag.NewFile("t.json", `["_T_", "_B_", "_A_", "_B_"]`), []string{"_A_", "_B_"}, []string{"_U_", "_T_"})
	require.Empty(t, faults)
	require.Equal(t, []string{"_B_", "_A_", "_T_"}, p.Names)
	require.Equal(t, 2, p.Vars)
}

func TestPlaceholderFaults(t *testing.T) {
	for _, c := range []struct {
		name, text string
		vars, fill []string
		want       string
	}{
		{
			"unknown and unused, with the near name", "{\n  \"c\": \"_CUSTOMRE_\"\n}", []string{"_CUSTOMER_"}, nil,
			`t.json:1:1: the text has no placeholder _CUSTOMER_
    1 | {
      | ^
      = it has _CUSTOMRE_
t.json:2:9: unknown placeholder _CUSTOMRE_
    2 |   "c": "_CUSTOMRE_"
      |         ^^^^^^^^^^
      = did you mean _CUSTOMER_?
`,
		},
		{
			"text that looks like one", `["MY_KEY_NAME"]`, nil, nil,
			`t.json:1:5: unknown placeholder _KEY_
    1 | ["MY_KEY_NAME"]
      |     ^^^^^
      = declare it; where it is only text, write its first _ as \u005f
`,
		},
		{
			"a name that is none", `[]`, []string{"_a_"}, nil,
			`t.json:1:1: _a_ cannot be a placeholder
    1 | []
      | ^
      = write it _NAME_: capital letters, digits and _
t.json:1:1: the text has no placeholder _a_
    1 | []
      | ^
`,
		},
		{
			"set and signed in", `["_T_"]`, []string{"_T_"}, []string{"_T_"},
			`t.json:1:1: _T_ is filled by the contract's sign-in and cannot be set
    1 | ["_T_"]
      | ^
`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, faults := CompilePlaceholders(diag.NewFile("t.json", c.text), c.vars, c.fill)
			require.Nil(t, p)
			faults.Sort()
			require.Equal(t, c.want, faults.Text())
		})
	}
}

// What is inserted must be a whole value or whole characters of a text: nothing
// that only becomes JSON, or another JSON, by what stands beside it.
func TestPlaceholdersAreWholeValues(t *testing.T) {
	vars := []string{"_A_"}
	for _, text := range []string{
		`[1_A_]`, `[-_A_]`, `[_A_1]`, `[_A__A_]`, `[_A_"x"]`, `{_A_: 1}`, `[tru_A_]`, `["\_A_"]`, `["\u_A_"]`, `["\u00_A_12"]`, `["\u_A_AB_12"]`,
		`["_A_]`, `["_A_",]`, `_A_ _A_`, `{"a": "_A_", "a": 1}`,
	} {
		t.Run(text, func(t *testing.T) {
			p, faults := CompilePlaceholders(diag.NewFile("t.json", text), vars, nil)
			require.Nil(t, p)
			require.Len(t, faults, 1)
			require.Equal(t, "template-json", faults[0].Rule)
			require.LessOrEqual(t, faults[0].Span.Start, len(text))
		})
	}
}

func TestPlaceholderSyntaxPosition(t *testing.T) {
	text := "{\n  \"a\": \"_LONG_NAME_\", \"b\": _B_,\n  \"c\" 5\n}"
	_, faults := CompilePlaceholders(diag.NewFile("t.json", text), []string{"_LONG_NAME_", "_B_"}, nil)
	require.Len(t, faults, 1)
	line, _ := faults[0].Span.File.Position(faults[0].Span.Start)
	require.Equal(t, 3, line)
}

func TestPlaceholderFailures(t *testing.T) {
	for _, c := range []struct{ name, text, value, want string }{
		{"absent", `["_A_"]`, ``, `t.json:1:3: the placeholder _A_ has no value`},
		{"absent and bare", `[_A_]`, ``, `t.json:1:2: the placeholder _A_ has no value`},
		{"null in quotes", `["_A_"]`, `null`, `t.json:1:3: the placeholder _A_ has no value`},
		{"a list in quotes", `["_A_"]`, `["secret"]`, `t.json:1:3: the placeholder _A_ stands in quotes and cannot be a list`},
		{"an object in quotes", `["_A_"]`, `{"secret":1}`, `t.json:1:3: the placeholder _A_ stands in quotes and cannot be an object`},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, faults := CompilePlaceholders(diag.NewFile("t.json", c.text), []string{"_A_"}, nil)
			require.Empty(t, faults)
			f := NewFrame(new(Layout), time.Time{}, nil)
			defer f.Release()
			values := map[string]string{}
			if c.value != "" {
				values["_A_"] = c.value
			}
			p.Append(nil, f, valuesOf(p, values))
			require.NotNil(t, f.Err())
			require.Equal(t, c.want, f.Err().Error())
		})
	}
}

// Whatever a caller sends as a value, a template that compiled stays JSON of the same shape.
func FuzzPlaceholders(f *testing.F) {
	for _, seed := range [][2]string{
		{`{"a": "_A_", "b": _B_}`, `x`},
		{`{"m": "buy", "t": "_T_", "n": ["_A_ _B_", _A_]}`, `"},{"`},
		{`["\\_A_", "\"_B_"]`, `\`},
		{`["_A__B_"]`, "\xff_B_\u2028"},
		{`[1_A_]`, ``},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		var known []string
		for _, name := range []string{"_A_", "_B_", "_T_"} {
			if strings.Contains(text, name) {
				known = append(known, name)
			}
		}
		p, faults := CompilePlaceholders(diag.NewFile("f.json", text), known, nil)
		if p == nil {
			require.True(t, faults.HasErrors())
			for _, fault := range faults {
				require.True(t, 0 <= fault.Span.Start && fault.Span.Start <= fault.Span.End && fault.Span.End <= len(text))
			}
			return
		}
		frame := NewFrame(new(Layout), time.Time{}, nil)
		defer frame.Release()
		got := p.Append(nil, frame, func(int) jsonx.Value { return jsonx.TextValue(value) })
		require.Nil(t, frame.Err())
		require.True(t, json.Valid(got), "%q with %q gives %q", text, value, got)
		plain := p.Append(nil, frame, func(int) jsonx.Value { return jsonx.TextValue("x") })
		require.Equal(t, shapeOf(gjson.ParseBytes(plain)), shapeOf(gjson.ParseBytes(got)))
	})
}

// shapeOf spells the kinds of a document's values.
func shapeOf(v gjson.Result) string {
	if !v.IsArray() && !v.IsObject() {
		return v.Type.String()
	}
	var b strings.Builder
	b.WriteByte('(')
	v.ForEach(func(_, e gjson.Result) bool {
		b.WriteString(shapeOf(e))
		return true
	})
	b.WriteByte(')')
	return b.String()
}

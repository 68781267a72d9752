package expr

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

func TestFailuresAtRunTime(t *testing.T) {
	tests := []struct{ name, yaml, want string }{
		{"assumed field missing", "x: ${client.guess}", "m.yaml:1:6: no value: client.guess"},
		{"assumed field missing under ==", `x: '${client.guess == "a"}'`, "m.yaml:1:7: no value: client.guess"},
		{"missing inside text", "x: 'a ${client.guess}'", "m.yaml:1:9: no value: client.guess"},
		{"element that was promised", "x: ${input.pair[1]}", "m.yaml:1:6: no value: input.pair[1]"},
		{"division by zero", "x: ${1 / 0}", "m.yaml:1:6: division by zero"},
		{"text compared with a number", `x: '${(input.any?.x ?? 0) == (input.free["K"] ?? 0)}'`, "m.yaml:1:7: text is compared with a number"},
		{"text counted with", `x: '${1 + (input.free["K"] ?? 0)}'`, "m.yaml:1:7: a number is needed, and there is text"},
		{"neither true nor false", `x: '${(input.any?.x ?? 0) ? 1 : 2}'`, "m.yaml:1:8: input.any?.x ?? 0 is neither true nor false"},
		{"no list", `x: '${len(filter(input.any?.x ?? 1, true))}'`, "m.yaml:1:11: filter needs a list, and there is a number"},
		{"an object in text", `x: 'a ${input.any ?? 1}'`, "m.yaml:1:9: inside text only text, numbers and true or false may stand"},
		{"function", `x: '${only(input.nums)}'`, "m.yaml:1:7: only needs exactly one element and the list has several"},
		{"index no whole number", `x: '${input.nums[input.amount] ?? 0}'`, "m.yaml:1:18: an element is named by a whole number"},
	}
	w := newWorld(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := w.render(t, test.yaml, Target{})
			require.Equal(t, test.want, err)
		})
	}
}

func TestConversionToTheTarget(t *testing.T) {
	target := Target{What: "body of b", Type: object("n", numberType, "i", integerType, "t", textType, "b", boolType,
		"l", &Type{Kind: ListType, Elem: numberType})}
	tests := []struct{ name, yaml, want, err string }{
		{"number to text", "x: { t: '${input.amount}' }", `{"t":"10.50"}`, ""},
		{"plain digits to text", "x: { t: 40 }", `{"t":"40"}`, ""},
		{"text to number", `x: { n: '${"1.10"}' }`, `{"n":1.10}`, ""},
		{"quoted digits to number", `x: { i: "5" }`, `{"i":5}`, ""},
		{"text that is no number", `x: { n: '${input.name}' }`, "", "m.yaml:1:12: n in body of b is a number, and something else was given"},
		{"not whole", `x: { i: '${input.amount}' }`, "", "m.yaml:1:12: i in body of b is a whole number, and something else was given"},
		{"unknown that is a number", `x: { t: '${input.any?.x ?? 2}' }`, `{"t":"1"}`, ""},
		{"unknown that is no list", `x: { l: '${input.any?.x ?? 2}' }`, "", "m.yaml:1:12: l in body of b is a list of number, and something else was given"},
		{"time to text", `x: { t: '${now}' }`, `{"t":"2026-03-05T18:16:01-03:00"}`, ""},
	}
	w := newWorld(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := w.render(t, test.yaml, target)
			require.Equal(t, test.err, err)
			require.Equal(t, test.want, got)
		})
	}
}

func TestFuelRunsOut(t *testing.T) {
	w := newWorld(t)
	for _, source := range []string{
		`x: '${count(input.nums, any(input.nums, # > 5))}'`,
		`x: { $each: '${input.nums}', $as: a, $item: { $each: '${input.nums}', $as: b, $item: '${a + b}' } }`,
		`x: '${[1, input.id, 3, 4, 5]}'`,
	} {
		tpl, diags := CompileTemplate(yaml(t, source), w.scope, Target{})
		require.Empty(t, diags.Text())
		f := w.frame(t)
		f.SetFuel(4)
		tpl.Value(f)
		require.NotNil(t, f.Err(), source)
		require.Equal(t, "the expression goes over too many list elements; narrow the lists first", f.Err().Message)
		require.NotNil(t, f.Err().At.File)
		f.Release()
	}
}

// let defines a let in the world as the mapping builder does.
func (w *world) let(t testing.TB, name, source string) *Template {
	s := w.scope.Child()
	s.InStep = true
	tpl, diags := CompileTemplate(yaml(t, "x: "+source), s, Target{Optional: true})
	require.Empty(t, diags.Text())
	n := &Name{Name: name, Kind: LetName, Type: tpl.Type, Slot: w.layout.NewSlot(), Needs: tpl.Needs(), True: tpl.True, False: tpl.False, Uses: tpl.Uses}
	w.layout.SetLet(n.Slot, tpl)
	require.NoError(t, w.scope.Define(n))
	return tpl
}

func TestLets(t *testing.T) {
	w := newWorld(t)
	w.let(t, "head", "{ id: '${input.id}', mail: '${?input.email}', who: '${?extra?.name}' }")
	w.let(t, "there", "${input.box != nil}")
	needs := w.let(t, "needy", "${extra.name}")
	require.Equal(t, []string{"extra"}, needs.Needs())
	w.let(t, "found", "${steps.extra.state == \"ok\"}")

	got, err := w.render(t, "x: { $merge: ['${head}', { ok: true }] }", Target{})
	require.Empty(t, err)
	require.Equal(t, `{"id":7,"ok":true}`, got)

	check := func(source, want string) {
		_, diags := CompileCondition(yaml(t, "x: "+source), w.scope)
		require.Equal(t, want, pinned(diags))
	}
	check(`there and input.box.a == 1`, "")
	check(`not there or input.box.a == 1`, "")
	check(`found and extra.found`, "")
	check(`found and needy == "a"`, "")
	check(`needy == "a"`, `
m.yaml:1:4: let needy needs step extra, which may have no body here (it may be skipped); use ?. or name steps.extra.state in when
    1 | x: needy == "a"
      |    ^^^^^
`)

	// In a step's scope the same reading is a need.
	s := w.scope.Child()
	s.InStep = true
	c, diags := CompileCondition(yaml(t, `x: needy == "a" and extra.found and extra?.found == true and steps.client.ok == 1`), s)
	require.Empty(t, diags.Text())
	require.Equal(t, []string{"extra"}, c.Needs())
	var uses []string
	for _, u := range c.Uses {
		uses = append(uses, u.Step+map[bool]string{true: " meta"}[u.Meta]+map[bool]string{true: " need"}[u.Need])
	}
	require.Equal(t, []string{"extra need", "extra need", "extra need", "extra", "client meta"}, uses)

	// Facts of a when hold in what stands under it.
	when, diags := CompileCondition(yaml(t, `x: input.box != nil and steps.extra.state == "ok"`), w.scope)
	require.Empty(t, diags.Text())
	tpl, diags := CompileTemplate(yaml(t, `x: ['${input.box.a}', '${extra.name}']`), w.scope.Assume(when.True), Target{})
	require.Empty(t, diags.Text())
	require.False(t, tpl.Constant())
}

func TestLetIsComputedOnceAndFindsCircles(t *testing.T) {
	w := newWorld(t)
	a := &Name{Name: "a", Kind: LetName, Type: numberType, Slot: w.layout.NewSlot()}
	require.NoError(t, w.scope.Define(a))
	tpl, diags := CompileTemplate(yaml(t, "x: ${a + 1}"), w.scope, Target{})
	require.Empty(t, diags.Text())
	w.layout.SetLet(a.Slot, tpl)
	f := w.frame(t)
	defer f.Release()
	f.Get(a.Slot)
	require.Equal(t, "a let needs its own value", f.Err().Message)
	f.Clear()
	f.Set(a.Slot, jsonx.NumberValue("1"))
	require.Equal(t, "1", f.Get(a.Slot).Text())
}

func TestFreeNames(t *testing.T) {
	tests := []struct {
		yaml string
		bare bool
		want []string
	}{
		{`x: 'input.a == trim(b) and steps.c.state == "ok"'`, true, []string{"input", "b", "steps.c"}},
		{`x: "any(list, .a == # and other)"`, true, []string{"list", "other"}},
		{`x: { a: '${input.x} and ${b}', c: ['${d?.e ?? null}'] }`, false, []string{"input", "b", "d"}},
		{`x: { $each: '${xs}', $as: p, $item: '${p.a + q}' }`, false, []string{"xs", "q"}},
		{`x: '${a +'`, false, nil},
		{`x: ((((`, true, nil},
	}
	for _, test := range tests {
		require.Equal(t, test.want, FreeNames(Source{Node: yaml(t, test.yaml), Bare: test.bare}), test.yaml)
	}
}

func TestScopeRefusesTakenNames(t *testing.T) {
	w := newWorld(t)
	for name, want := range map[string]string{
		"input": "the name input is already taken by a name of the language", "client": "the name client is already taken by a step",
		"trim": "the name trim is already taken by a function", "filter": "the name filter is already taken by a function",
		"nil": "the name nil is a word of the language", "a-b": `the name "a-b" cannot stand in an expression: use letters, digits and _, beginning with a letter`,
	} {
		require.EqualError(t, w.scope.Child().Define(&Name{Name: name}), want)
	}
}

const typicalReply = `x:
  status: 1
  msg: "Found ${len(input.lines)} of ${input.name}"
  id: ${input.id}
  mail: ${?input.email}
  who: ${client.name}
  end: ${first(filter(input.lines, .end != nil))?.end ?? "open"}
  lines:
    $each: ${input.lines}
    $as: l
    $if: ${l.id > 0}
    $item: { id: "${l.id}", value: "${l.value}", end: "${?l.end}", main: "${l.type == 'main'}" }
`

func TestRenderingDoesNotAllocate(t *testing.T) {
	w := newWorld(t)
	tpl, diags := CompileTemplate(yaml(t, typicalReply), w.scope, Target{})
	require.Empty(t, diags.Text())
	f := w.frame(t)
	defer f.Release()
	dst := tpl.AppendJSON(make([]byte, 0, 4096), f)
	require.Nil(t, f.Err())
	require.Equal(t, `{"status":1,"msg":"Found 2 of Ana \"A\"","id":7,"who":"Bia","end":"x","lines":[`+
		`{"id":1,"value":0.1,"main":true},{"id":2,"value":0.2,"end":"x","main":false}]}`, string(dst))
	require.Zero(t, testing.AllocsPerRun(100, func() { dst = tpl.AppendJSON(dst[:0], f) }))
}

func TestLetsAndMergesDoNotAllocate(t *testing.T) {
	w := newWorld(t)
	w.let(t, "head", "{ id: '${input.id}', mail: '${?input.email}', sum: '${sum(input.lines, .value)}' }")
	for _, source := range []string{
		"x: { $merge: ['${head}', { ok: true, msg: 'for ${input.name}' }] }",
		"x: { $merge: ['${head}', { id: 2, msg: 'for ${input.name}' }] }",
	} {
		tpl, diags := CompileTemplate(yaml(t, source), w.scope, Target{})
		require.Empty(t, diags.Text())
		f := w.frame(t)
		n, _ := w.scope.Lookup("head")
		dst := tpl.AppendJSON(make([]byte, 0, 4096), f)
		require.Nil(t, f.Err())
		// The arena grows by what lets and sums build, a few times in so many runs.
		require.Less(t, testing.AllocsPerRun(500, func() {
			f.Forget(n.Slot)
			f.SetFuel(DefaultFuel)
			dst = tpl.AppendJSON(dst[:0], f)
		}), 1.0, source)
		require.Nil(t, f.Err())
		f.Release()
	}
}

func BenchmarkTypicalReply(b *testing.B) {
	w := newWorld(b)
	tpl, _ := CompileTemplate(yaml(b, typicalReply), w.scope, Target{})
	f := w.frame(b)
	defer f.Release()
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = tpl.AppendJSON(dst[:0], f)
		f.SetFuel(DefaultFuel)
	}
}

// Whatever texts the values hold, what a template writes is JSON and holds them unchanged.
func TestRenderingIsAlwaysJSON(t *testing.T) {
	fns, err := NewFunctions()
	require.NoError(t, err)
	l := &Layout{}
	s := NewScope(l, fns, nil)
	in := &Name{Name: "input", Type: object("a", textType, "b", textType.Nullable(), "l", &Type{Kind: ListType, Elem: textType}), Slot: l.NewSlot()}
	require.NoError(t, s.Define(in))
	tpl, diags := CompileTemplate(yaml(t, `x: { k: '${input.a}', m: 'x"${input.a}\${input.b ?? ""}y', b: '${?input.b}', l: '${input.l}',
    e: { $each: '${input.l}', $as: i, $if: '${len(i) > 1}', $item: '${i + input.a}' }, o: '${map(input.l, ({"v": #}))}',
    g: { $merge: [ { a: 1, '2': '${?input.b}' }, { a: '${input.a}' } ] } }`), s, Target{})
	require.Empty(t, diags.Text())
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.SampledFrom([]rune{'"', '\\', '{', '}', '$', '\n', 0, 0x1f, 'é', 0x2028, '😀'})))
		a, items := text.Draw(t, "a"), rapid.SliceOfN(text, 0, 5).Draw(t, "l")
		if items == nil {
			items = []string{}
		}
		doc := map[string]any{"a": a, "l": items}
		b := ""
		if rapid.Bool().Draw(t, "hasB") {
			b = text.Draw(t, "b")
			doc["b"] = b
		}
		raw, err := json.Marshal(doc)
		require.NoError(t, err)
		f := NewFrame(l, exampleNow, nil)
		defer f.Release()
		v, err := f.Arena.Parse(string(raw), true)
		require.NoError(t, err)
		f.Set(in.Slot, v)
		out := tpl.AppendJSON(nil, f)
		require.Nil(t, f.Err())
		var got map[string]any
		require.NoError(t, json.Unmarshal(out, &got), string(out))
		require.Equal(t, a, got["k"])
		require.Equal(t, `x"`+a+`\`+b+`y`, got["m"])
		for i, item := range items {
			require.Equal(t, item, got["l"].([]any)[i])
			require.Equal(t, item, got["o"].([]any)[i].(map[string]any)["v"])
		}
		require.Equal(t, a, got["g"].(map[string]any)["a"])
	})
}

// inFile fails when a diagnostic points outside its file.
func inFile(t *testing.T, diags diag.List) {
	for _, d := range diags {
		if d.Span.File == nil || d.Span.Start < 0 || d.Span.End < d.Span.Start || d.Span.End > len(d.Span.File.Text) {
			t.Fatalf("span %d..%d outside the file: %s", d.Span.Start, d.Span.End, d.Message)
		}
	}
	diags.Text()
}

func FuzzCompileCondition(f *testing.F) {
	for _, s := range []string{`input.a == 1`, `any(input.lines, .id > 1) and not (input.box == nil)`, `a ?? b == c`, `"é" + 'x' == ` + "`b`",
		`input.d.born-on`, `map(xs, {"k": #})`, `((((`, `1..2`, `x ? y : z`, `steps.extra.state in ["ok"]`, `input?.box?.["a"]`, `a[1:2][3]`, `not not -1 == 2`} {
		f.Add(s)
	}
	w := newWorld(f)
	f.Fuzz(func(t *testing.T, s string) {
		n, _ := yamldoc.Parse(diag.NewFile("m.yaml", "x: |-\n  "+strings.ReplaceAll(s, "\n", " ")))
		if n == nil || n.Get("x") == nil {
			return
		}
		c, diags := CompileCondition(n.Get("x"), w.scope)
		inFile(t, diags)
		FreeNames(Source{Node: n.Get("x"), Bare: true})
		if !diags.HasErrors() {
			frame := w.frame(t)
			c.Holds(frame)
			frame.Release()
		}
	})
}

func FuzzCompileTemplate(f *testing.F) {
	for _, s := range []string{typicalReply, `x: '${input.id} a $${b} ${?c}'`, `x: { $merge: [{a: 1}, '${input.free}'] }`, `x: { $concat: [[1], '${input.nums}'] }`,
		`x: { a: { $if: '${input.on}', $then: 1, $else: '${client}' } }`, `x: "\u00e9${input.nome}"`, "x: >\n  a ${input.name +\n  'b'}\n", `x: ${input.password}`} {
		f.Add(s)
	}
	w := newWorld(f)
	targets := testTargets()
	f.Fuzz(func(t *testing.T, s string) {
		n, diags := yamldoc.Parse(diag.NewFile("m.yaml", s))
		if n == nil || diags.HasErrors() || n.Get("x") == nil {
			return
		}
		n = n.Get("x")
		FreeNames(Source{Node: n})
		for _, target := range targets {
			tpl, diags := CompileTemplate(n, w.scope, target)
			inFile(t, diags)
			if diags.HasErrors() {
				continue
			}
			frame := w.frame(t)
			out := tpl.AppendJSON(nil, frame)
			if frame.Err() == nil && len(out) > 0 && !json.Valid(out) {
				t.Fatalf("not JSON: %s", out)
			}
			frame.Release()
		}
	})
}

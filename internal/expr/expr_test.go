package expr

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// world is a scope for tests and the values its names have.
type world struct {
	layout *Layout
	scope  *Scope
	values map[int]string // JSON by slot
}

func object(fields ...any) *Type {
	t := &Type{Kind: ObjectType, Fields: map[string]*Field{}}
	for i := 0; i < len(fields); i += 2 {
		name := fields[i].(string)
		t.Order = append(t.Order, name)
		switch f := fields[i+1].(type) {
		case *Type:
			t.Fields[name] = &Field{Type: f}
		case *Field:
			t.Fields[name] = f
		}
	}
	return t
}

func newWorld(t testing.TB) *world {
	fns, err := NewFunctions()
	require.NoError(t, err)
	w := &world{layout: &Layout{}, values: map[int]string{}}
	w.scope = NewScope(w.layout, fns, nil)
	line := object("id", integerType, "value", numberType, "type", textType, "end", textType.Nullable())
	open := object()
	open.Open = true
	w.name(t, "input", PlainName, object(
		"id", integerType, "email", textType.Nullable(), "name", textType, "on", boolType,
		"lines", &Type{Kind: ListType, Elem: line}, "nums", &Type{Kind: ListType, Elem: numberType}, "any", anyMissing,
		"free", open, "box", object("a", numberType, "born-on", textType).Nullable(), "d", object("born-on", textType),
		"password", &Type{Kind: TextType, Secret: true}, "flag", boolType.Nullable(), "amount", numberType, "maybe", numberType.Nullable(),
		"pair", &Type{Kind: ListType, Elem: numberType, Min: 2}),
		`{"id":7,"email":null,"name":"Ana \"A\"","on":true,"lines":[{"id":1,"value":0.1,"type":"main"},{"id":2,"value":0.2,"type":"extra","end":"x"}],
		"nums":[1,2,3],"pair":[1],"any":{"x":1},"free":{"K":"v"},"d":{"born-on":"2000-01-01"},"password":"p","amount":10.50}`)
	answer := object("name", textType, "status", textType.Nullable(), "found", boolType,
		"guess", &Field{Type: textType, Assumed: true}, "rows", &Field{Type: &Type{Kind: ListType, Elem: line}, Assumed: true})
	answer.Label = "erp.client.data"
	w.step(t, "client", answer, false, `{"name":"Bia","found":true}`)
	w.step(t, "extra", answer, true, ``)
	state := object("state", &Type{Kind: TextType, Enum: []string{"ok", "refused", "failed", "unknown", "skipped"}}, "ok", integerType)
	members := map[string]*Name{}
	for _, n := range []string{"client", "extra"} {
		slot := w.layout.NewSlot()
		members[n] = &Name{Name: n, Type: state, Slot: slot}
		w.values[slot] = `{"state":"ok","ok":1}`
	}
	require.NoError(t, w.scope.Define(&Name{Name: "steps", Kind: Namespace, Members: members}))
	require.NoError(t, w.scope.Define(&Name{Name: "now", Type: timeType, Slot: w.layout.NewSlot()}))
	require.NoError(t, w.scope.Define(&Name{Name: "order", Barred: "order is there only in durable mappings"}))
	return w
}

func (w *world) name(t testing.TB, name string, kind NameKind, typ *Type, json string) {
	n := &Name{Name: name, Kind: kind, Type: typ, Slot: w.layout.NewSlot()}
	require.NoError(t, w.scope.Define(n))
	if json != "" {
		w.values[n.Slot] = json
	}
}

func (w *world) step(t testing.TB, name string, typ *Type, mayMiss bool, json string) {
	w.name(t, name, StepName, typ, json)
	n, _ := w.scope.Lookup(name)
	n.MayMiss = mayMiss
}

func (w *world) frame(t testing.TB) *Frame {
	zone := time.FixedZone("", -3*3600)
	f := NewFrame(w.layout, time.Date(2026, 3, 5, 18, 16, 1, 0, zone), zone)
	for slot, text := range w.values {
		v, err := f.Arena.Parse(text, true)
		require.NoError(t, err)
		f.Set(slot, v)
	}
	return f
}

// yaml gives the value under the key x of a YAML text.
func yaml(t testing.TB, text string) *yamldoc.Node {
	n, diags := yamldoc.Parse(diag.NewFile("m.yaml", text))
	require.Empty(t, diags.Text())
	return n.Get("x")
}

func (w *world) render(t testing.TB, text string, target Target) (string, string) {
	tpl, diags := CompileTemplate(yaml(t, text), w.scope, target)
	require.Empty(t, diags.Text())
	f := w.frame(t)
	defer f.Release()
	out := string(tpl.AppendJSON(nil, f))
	if err := f.Err(); err != nil {
		return "", err.Error()
	}
	v := tpl.Value(f)
	require.Nil(t, f.Err())
	require.Equal(t, out, string(v.AppendJSON(nil)), "AppendJSON and Value differ")
	return out, ""
}

func TestValues(t *testing.T) {
	tests := []struct{ name, yaml, want string }{
		{"number keeps its digits", "x: ${9007199254740993}", "9007199254740993"},
		{"twenty digits", "x: ${12345678901234567890}", "12345678901234567890"},
		{"plain twenty digits", "x: 12345678901234567890", "12345678901234567890"},
		{"trailing zero", "x: ${1.10}", "1.10"},
		{"huge exponent passes", "x: 1e400", "1e400"},
		{"exact sum", "x: ${0.1 + 0.2}", "0.3"},
		{"equal decimals", "x: ${0.1 + 0.2 == 0.3}", "true"},
		{"field", "x: ${input.id}", "7"},
		{"text in text", "x: 'a ${input.name} b ${input.id}'", `"a Ana \"A\" b 7"`},
		{"literal dollar", "x: 'a $${input.name}'", `"a ${input.name}"`},
		{"dropped key", "x: { a: '${?input.email}', b: 1 }", `{"b":1}`},
		{"dropped keys", "x: { a: '${?input.email}', b: '${?input.id}', c: '${?input.email}' }", `{"b":7}`},
		{"send null", "x: { a: '${input.email ?? null}' }", `{"a":null}`},
		{"sum", "x: ${sum(input.lines, .value)}", "0.3"},
		{"count", `x: '${count(input.lines, .type == "main")}'`, "1"},
		{"map filter", `x: '${map(filter(input.lines, .end != nil), .id)}'`, "[2]"},
		{"len of filter", `x: '${len(filter(input.lines, .id > 0))}'`, "2"},
		{"first", `x: '${first(input.nums) ?? 0}'`, "1"},
		{"index out of range", `x: '${input.nums[9] ?? 0}'`, "0"},
		{"slice", `x: '${input.nums[1:]}'`, "[2,3]"},
		{"coalesce", `x: '${input.email ?? "none"}'`, `"none"`},
		{"conditional", `x: '${input.on ? 1 : 2}'`, "1"},
		{"in", `x: '${2 in input.nums}'`, "true"},
		{"not in", `x: '${2 not in input.nums}'`, "false"},
		{"matches", `x: '${input.name matches "^Ana"}'`, "true"},
		{"negative", `x: '${-input.id}'`, "-7"},
		{"each", "x: { $each: '${input.lines}', $as: l, $if: '${l.id > 1}', $item: { k: '${l.id}', e: '${?l.end}' } }", `[{"k":2,"e":"x"}]`},
		{"if", "x: { a: { $if: '${input.on}', $then: 1, $else: 2 } }", `{"a":1}`},
		{"if without else", "x: { a: { $if: '${not input.on}', $then: 1 } }", `{}`},
		{"concat", "x: { $concat: [ '${input.nums}', [], [4, '${?input.email}'] ] }", `[1,2,3,4]`},
		{"merge disjoint", "x: { $merge: [ { a: 1 }, {}, { b: '${input.id}' } ] }", `{"a":1,"b":7}`},
		{"merge later wins", "x: { $merge: [ { a: 1, b: 2 }, { c: 4, a: '${input.id}' } ] }", `{"a":7,"b":2,"c":4}`},
		{"map literal", `x: '${map(input.nums, ({"k": #}))}'`, `[{"k":1},{"k":2},{"k":3}]`},
		{"now", "x: ${now}", `"2026-03-05T18:16:01-03:00"`},
		{"text key", `x: '${input.free["K"] ?? ""}'`, `"v"`},
		{"missing assumed with default", `x: '${client.guess ?? "g"}'`, `"g"`},
		{"step skipped", `x: '${extra?.name ?? "n"}'`, `"n"`},
		{"non-ascii", `x: '${"é" == "é" ? "ã" : input.name}'`, `"ã"`},
	}
	w := newWorld(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := w.render(t, test.yaml, Target{})
			require.Empty(t, err)
			require.Equal(t, test.want, got)
		})
	}
}

package contract

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
)

const ruled = `
openapi: 3.1.0
x-emenda: 1
info: { title: t, version: "1" }
x-emenda-outcomes:
  - { when: answer == "NO" and status < 400, is: refused, message: "${answer}" }
  - { when: answer?.a == "NO" and status < 400, is: refused, message: "${answer?.b ?? answer?.a}" }
  - { when: 'answer?.["a.b"] == 1', is: failed, class: dotted }
  - { when: answer?.b == false and status < 400, is: refused, class: no }
  - { when: filled(answer?.c) != nil and status < 500, is: refused, message: "${answer?.c}" }
  - { when: 'answer?.d?.a == 1 or answer?.d == nil and answer?.a == 2', is: failed, class: deep }
  - { when: not (answer?.e == nil), is: failed, class: e }
paths:
  /x:
    get:
      operationId: x
      x-emenda-changes: false
      x-emenda-outcomes:
        - { when: answer?.a == nil and answer?.b == nil and status == 300, is: refused, class: none }
        - { when: answer != nil and status == 404, is: refused, class: gone }
      responses:
        "200": { description: ok, content: { application/json: { schema: { type: object, properties: {
          a: { type: string }, b: { type: boolean }, n: { type: integer }, of: { type: array, items: { type: object, properties: { n: { type: number } } } } } } } } }
`

func ruledOperation(t require.TestingT) *Operation {
	fns, err := expr.NewFunctions()
	require.NoError(t, err)
	c, list := Load("x", diag.NewFile("x.yaml", ruled), fns)
	require.False(t, list.HasErrors(), list.Text())
	return c.Operations["x"]
}

// TestRulesPassedOver holds rules that are passed over for the lack of a member to their conditions.
func TestRulesPassedOver(t *testing.T) {
	op := ruledOperation(t)
	whole := *op
	whole.rules = nil
	lacking := 0
	for _, r := range op.rules {
		c := *r
		if c.needs != nil {
			lacking++
		}
		c.needs = nil
		whole.rules = append(whole.rules, &c)
	}
	require.Equal(t, 4, lacking, "rules that need a member")
	require.Len(t, op.rules, 9)
	values := []string{`"NO"`, `""`, `"x"`, `null`, `true`, `false`, `1`, `2`, `[]`, `{}`, `{"a":1}`}
	docs := slices.Clone(values)
	var members []string
	for _, name := range []string{"a", "b", "c", "d", "e", "a.b", `\u0061`, "z"} {
		for _, v := range values {
			members = append(members, `"`+name+`":`+v)
		}
	}
	for _, one := range members {
		docs = append(docs, "{"+one+"}")
		for _, two := range members {
			docs = append(docs, "{"+one+","+two+"}")
		}
	}
	held := map[string]int{}
	var a jsonx.Arena
	for _, doc := range docs {
		for _, status := range []int{200, 300, 404} {
			a.Reset()
			v, err := a.Parse(doc, false)
			require.NoError(t, err)
			got, ok := op.byRules(&a, status, v, true)
			want, holds := whole.byRules(&a, status, v, true)
			if ok != holds || got.State != want.State || got.Class != want.Class || got.Message != want.Message {
				t.Fatalf("%d %s: %t %q, want %t %q", status, doc, ok, got.Class, holds, want.Class)
			}
			if holds {
				held[want.Class]++
			}
		}
	}
	for _, r := range op.rules {
		require.NotZero(t, held[r.class], r.class)
	}
}

// TestSuitingAnswersStay: what the shape lets through is what would not be converted.
func TestSuitingAnswersStay(t *testing.T) {
	op := ruledOperation(t)
	for doc, want := range map[string]bool{`{"a":"x","of":[{"n":1}]}`: true, `{"a":1}`: false, `{"of":[{"n":"1"}]}`: false, `{"n":"x"}`: false} {
		v, err := new(jsonx.Arena).Parse(doc, false)
		require.NoError(t, err)
		require.Equal(t, want, op.fitting.shape.Suits(v), doc)
	}
	rapid.Check(t, func(t *rapid.T) {
		var a jsonx.Arena
		v, err := a.Parse(answerJSON(3).Draw(t, "answer"), false)
		require.NoError(t, err)
		if op.fitting.shape.Suits(v) {
			require.True(t, op.fitting.fits(v))
		}
		require.Equal(t, op.fitting.fits(v), string(op.fitting.append(nil, v)) == string(v.AppendJSON(nil)))
	})
}

// answerJSON draws answers without blanks, with the members that rules and schema read.
func answerJSON(depth int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		kinds := []string{`"NO"`, `""`, `"1"`, `"x"`, `null`, `true`, `false`, `1`, `2`, `[]`, `{}`}
		if depth > 0 {
			kinds = append(kinds, "{", "{", "{", "{", "{", "{", "[")
		}
		switch kind := rapid.SampledFrom(kinds).Draw(t, "kind"); kind {
		case "{":
			b := []byte("{")
			names := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "n", "of", "a.b", `\u0061`, "z"})
			for i, name := range rapid.SliceOfN(names, 0, 5).Draw(t, "names") {
				if i > 0 {
					b = append(b, ',')
				}
				b = append(append(append(b, '"'), name...), `":`...)
				b = append(b, answerJSON(depth-1).Draw(t, "value")...)
			}
			return string(append(b, '}'))
		case "[":
			b := []byte("[")
			for i := range rapid.IntRange(0, 3).Draw(t, "n") {
				if i > 0 {
					b = append(b, ',')
				}
				b = append(b, answerJSON(depth-1).Draw(t, "element")...)
			}
			return string(append(b, ']'))
		default:
			return kind
		}
	})
}

func TestMembersOf(t *testing.T) {
	keys := membersOf("answer", []expr.Fact{{Path: "answer"}, {Path: "answer.a"}, {Path: "answer.a.b"}, {Path: "answer[0]"}, {Path: "answer.x[-1]"}, {Path: "*"}, {Path: "status"}, {Path: "answers.c"}})
	var names []string
	for _, k := range keys {
		names = append(names, k.Text())
	}
	require.Equal(t, []string{"a"}, slices.Compact(names))
}

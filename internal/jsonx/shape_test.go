package jsonx

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestSuits(t *testing.T) {
	number := &Shape{Wrong: KindsOf(String)}
	text := &Shape{Wrong: KindsOf(Number)}
	line := new(Shape)
	line.SetMembers([]Member{{NewKey("id"), number}, {NewKey("name"), text}, {NewKey(""), number}})
	order := &Shape{Wrong: KindsOf(Bool)}
	order.SetMembers([]Member{{NewKey("id"), number}, {NewKey("lines"), &Shape{Element: line}}, {NewKey("of"), order}})
	for doc, want := range map[string]bool{
		`{}`:                          true,
		`null`:                        true,
		`true`:                        false,
		`"x"`:                         true,
		`[1,"2"]`:                     true,
		`{"id":1}`:                    true,
		`{"id":"1"}`:                  false,
		`{"\u0069d":"1"}`:             false,
		`{"\u0069d":1,"\u0069e":"1"}`: true,
		`{"id":1,"id":"1"}`:           false,
		`{"ie":"1","di":"1"}`:         true,
		`{"id":{"id":"1"}}`:           true,
		`{"lines":[{"name":"a","id":2},{"id":null,"other":"x"},3,"4",[]]}`: true,
		`{"lines":[{"name":"a","id":2},{"name":5}]}`:                       false,
		`{"lines":[{"":"a"}]}`:                                             false,
		`{"lines":{"id":"1"}}`:                                             true,
		`{"of":{"of":{"id":1},"lines":[]}}`:                                true,
		`{"of":{"of":{"id":"1"}}}`:                                         false,
		`{"of":{"of":{"of":true}}}`:                                        false,
	} {
		require.Equal(t, want, order.Suits(parse(t, doc)), doc)
		require.Equal(t, want, order.Suits(parse(t, "[0,"+doc+"]").At(1)), doc)
		require.Equal(t, want, order.Suits(parse(t, "[0,"+doc+"]").Clone().At(1)), doc)
	}
	require.False(t, order.Suits(RawValue(`{}`)), "it has no index")
	require.True(t, order.Suits(RawValue(`1`)))
	require.True(t, order.Suits(Value{}))
}

// TestSuitsAny holds Suits to a walk by Iter, for any document and shape.
func TestSuitsAny(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyShape(3).Draw(t, "shape")
		v, err := new(Arena).Parse(anyJSON(2).Draw(t, "doc"), false)
		require.NoError(t, err)
		require.Equal(t, walks(s, v), s.Suits(v))
	})
}

func anyShape(depth int) *rapid.Generator[*Shape] {
	return rapid.Custom(func(t *rapid.T) *Shape {
		s := &Shape{Wrong: Kinds(rapid.SampledFrom([]int{0, 0, 1, 8, 16, 32, 64}).Draw(t, "wrong"))}
		if depth == 0 {
			return s
		}
		if rapid.Bool().Draw(t, "list") {
			s.Element = anyShape(depth-1).Draw(t, "element")
		}
		var members []Member
		for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"", "a", "b", "é", "aa", "ab", "ba", ".", "#", "a{", "😀"}), 0, 6, rapid.ID).Draw(t, "names") {
			members = append(members, Member{NewKey(name), anyShape(depth-1).Draw(t, "member")})
		}
		if members != nil {
			s.SetMembers(members)
		}
		return s
	})
}

func walks(s *Shape, v Value) bool {
	if s == nil {
		return true
	}
	if s.Wrong.Has(v.Kind()) {
		return false
	}
	for it := v.Iter(); it.Next(); {
		within := s.Element
		if v.Kind() == Object {
			within = nil
			for _, m := range s.members {
				if it.Is(m.Key) {
					within = m.Shape
				}
			}
		}
		if !walks(within, it.Value()) {
			return false
		}
	}
	return true
}

package expr

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWhatIsKnown pins what the checker concludes: which elements a length
// shows, which states are left, and where a value may be text or a number.
func TestWhatIsKnown(t *testing.T) {
	shorter := func(path string) string { return path + " may have no value; supply one with ??, or test it first" }
	const body = "step extra may have no body here (it may be skipped); use ?. or name steps.extra.state in when"
	tests := []struct {
		source string
		want   []string
	}{
		{`input.nums[0] == 1`, nil}, // no value is no 1
		{`input.nums[0] > 1`, []string{shorter("input.nums[0]")}},
		{`(input.nums[9] ?? 0) > 1`, nil},
		{`[1, 2][-2] > 1`, nil},
		{`[1, 2][2] > 1`, []string{shorter("[1, 2][2]")}},
		{`len(input.nums) > 1 and input.nums[1] > 1`, nil},
		{`len(input.nums) > 1 and input.nums[2] > 1`, []string{shorter("input.nums[2]")}},
		{`len(input.nums) >= 1 and input.nums[-1] > 1`, nil},
		{`len(input.nums) >= 0 and input.nums[-1] > 1`, []string{shorter("input.nums[-1]")}},
		{`len(input.nums) >= 1 and input.nums[-2] > 1`, []string{shorter("input.nums[-2]")}},
		{`len(input.nums) == 0 or input.nums[0] > 1`, nil},
		{`len(input.nums) != 0 and input.nums[0] > 1`, nil},
		{`len(input.nums) != 1 and input.nums[0] > 1`, []string{shorter("input.nums[0]")}},
		{`len(input.nums) < 2 or input.nums[1] > 1`, nil},
		{`len(input.nums) <= 1 or input.nums[1] > 1`, nil},
		{`0 < len(input.nums) and input.nums[0] > 1`, nil},
		{`2 > len(input.nums) or input.nums[1] > 1`, nil},
		{`2 > len(input.nums) and input.nums[1] > 1`, []string{shorter("input.nums[1]")}},

		{`steps.extra.state not in ["refused", "failed", "unknown", "skipped"] and extra.found`, nil},
		{`steps.extra.state in ["refused", "failed"] or steps.extra.state == "unknown" or steps.extra.state == "skipped" or extra.found`, nil},
		{`steps.extra.state != "refused" and steps.extra.state != "failed" and steps.extra.state != "unknown" and extra.found`, []string{body}},
		{`steps.extra.state == "skipped" or extra.found`, []string{body}},

		{`(input.maybe ?? "none") == 1`, []string{"a number or text is compared with a whole number"}},
		{`(input.maybe ?? "none") == "none"`, []string{"a number or text is compared with text"}},
		{`(input.maybe ?? "none") in [1]`, []string{"a number or text is compared with a whole number"}},
		{`"a" in [1, "a"]`, []string{"text is compared with a whole number"}},
		{`(input.maybe ?? "none") < 1`, []string{"a number or text is compared with a whole number"}},
		{`(input.maybe ?? "none") + 1 == 2`, []string{"a whole number is added to a number or text"}},
		{`(input.maybe ?? "none") * 2 == 2`, []string{`* needs numbers, and input.maybe ?? "none" is a number or text`}},
		{`(input.maybe ?? "none") contains "n"`, []string{`contains needs text, and input.maybe ?? "none" is a number or text`}},
		{`(input.maybe ?? "none") matches "n"`, []string{`matches needs text, and input.maybe ?? "none" is a number or text`}},
		{`upper(input.maybe ?? "none") == "A"`, []string{`upper needs text, and input.maybe ?? "none" is a number or text`}},
		{`(input.flag ?? "none")`, []string{"a condition is true or false, and this is true or false or text"}},
		{`(input.flag ?? "none") < 1`, []string{`< orders numbers or texts, and input.flag ?? "none" is true or false or text`}},
		{`text(input.maybe ?? "none") == "none"`, nil},
		{`(input.flag ?? "none") == "none"`, nil}, // true or false is simply another value
		{`(input.any?.x ?? "none") == "none"`, nil},
	}
	w := newWorld(t)
	for _, test := range tests {
		t.Run(test.source, func(t *testing.T) {
			_, diags := CompileCondition(yaml(t, "x: '"+test.source+"'"), w.scope)
			var got []string
			for _, d := range diags {
				got = append(got, d.Message)
			}
			require.Equal(t, test.want, got)
		})
	}
}

// TestBelowGuessedFields: what is read off examples may be reached into, one
// warning a field, and is missed by name when it runs.
func TestBelowGuessedFields(t *testing.T) {
	w := newWorld(t)
	guessed := object("name", textType)
	guessed.Assumed, guessed.Label = true, "erp.guessed"
	w.step(t, "guessed", guessed, false, `{"name":"Bia"}`)
	tpl, diags := CompileTemplate(yaml(t, "x: ${guessed.place.streets[0].name}"), w.scope, Target{})
	require.Equal(t, `
m.yaml:1:14: warning: erp.guessed answers with no field "place"
    1 | x: ${guessed.place.streets[0].name}
      |              ^^^^^
`, pinned(diags))
	f := w.frame(t)
	defer f.Release()
	require.True(t, tpl.Value(f).None())
	require.EqualError(t, f.Err(), "m.yaml:1:6: no value: guessed.place")
}

package yamldoc_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

var step = &yamldoc.Shape{Name: "step", Form: yamldoc.ObjectForm, Keys: []yamldoc.Key{
	{Name: "call", Shape: &yamldoc.Shape{Form: yamldoc.NameForm}, Required: true, Doc: "What to call."},
	{Name: "timeout", Shape: &yamldoc.Shape{Form: yamldoc.DurationForm}},
	{Name: "max", Shape: &yamldoc.Shape{Form: yamldoc.SizeForm}},
	{Name: "when", Shape: &yamldoc.Shape{Form: yamldoc.ConditionForm}},
	{Name: "level", Shape: &yamldoc.Shape{Form: yamldoc.EnumForm, Enum: []string{"error", "warn"}}},
	{Name: "on", Shape: &yamldoc.Shape{Form: yamldoc.BoolForm}},
	{Name: "n", Shape: &yamldoc.Shape{Form: yamldoc.IntForm}},
	{Name: "text", Shape: &yamldoc.Shape{Form: yamldoc.TextForm}},
	{Name: "names", Shape: &yamldoc.Shape{Form: yamldoc.AltForm, Alts: []*yamldoc.Shape{
		{Form: yamldoc.NameForm}, {Form: yamldoc.ListForm, Elem: &yamldoc.Shape{Form: yamldoc.NameForm}, Min: 1},
	}}},
	{Name: "free", Shape: &yamldoc.Shape{Form: yamldoc.MapForm, Pattern: "[a-z]+", KeyDoc: "small letters", Elem: &yamldoc.Shape{Form: yamldoc.ScalarForm}}},
	{Name: "undo", Later: "not supported yet"},
}}

func TestCheckTells(t *testing.T) {
	for name, c := range map[string]struct{ text, at, message, help string }{
		"unknown key":        {"{ call: a, timout: 1s }", "timout", `unknown key "timout"`, "did you mean timeout? allowed: call, timeout, max, when, level, on, n, text, names, free"},
		"later":              {"{ call: a, undo: b }", "undo", `"undo": not supported yet`, ""},
		"missing":            {"{ n: 1 }", "{ n: 1 }", `"call" is missing`, "What to call."},
		"number for text":    {"{ call: a, text: 12 }", "12", "expected text, this is a number", "write it in quotes"},
		"number for a name":  {"{ call: a, names: 12 }", "12", "expected a name or a list, this is a number", "write it in quotes"},
		"text for a number":  {"{ call: a, n: '12' }", "'12'", "expected a whole number, this is text", "write it without quotes"},
		"fraction":           {"{ call: a, n: 1.5 }", "1.5", "expected a whole number, this is 1.5", ""},
		"yes is no bool":     {"{ call: a, on: yes }", "yes", "expected true or false, this is text", ""},
		"nothing":            {"{ call: }", "call", "expected a name, nothing is here", ""},
		"map for text":       {"{ call: a, text: { b: 1 } }", "{ b: 1 }", "expected text, this is a map", ""},
		"duration":           {"{ call: a, timeout: 3 s }", "3 s", `"3 s" is no duration`, "write a duration such as 200ms, 4s, 2m, 1h or 7d"},
		"duration of nought": {"{ call: a, timeout: 0s }", "0s", "a duration must be above zero", "write a duration such as 200ms, 4s, 2m, 1h or 7d"},
		"size":               {"{ call: a, max: 1XB }", "1XB", `"1XB" is no size`, "write a size such as 512, 64KB or 30MB"},
		"enum":               {"{ call: a, level: wran }", "wran", `unknown value "wran"`, "did you mean warn? allowed: error, warn"},
		"braces":             {`{ call: a, when: "b == ${c}" }`, "${c}", "a condition is an expression already", "write the bare expression, without ${}"},
		"cut condition":      {"call: a\nwhen: any(b, # > 1)", "any(b,", "YAML ends this value at the comment", "quote the whole value"},
		"empty list":         {"{ call: a, names: [] }", "names", "at least one element is needed", ""},
		"empty name":         {"{ call: '' }", "''", "a name is missing", ""},
		"misspelt, needed":   {"{ cal: a }", "cal", `unknown key "cal"`, "did you mean call? allowed: call, timeout, max, when, level, on, n, text, names, free"},
		"bad map key":        {"{ call: a, free: { B: 1 } }", "B", `"B" cannot be used as a name here`, "small letters"},
	} {
		t.Run(name, func(t *testing.T) {
			root, list := yamldoc.Parse(diag.NewFile("f.yaml", c.text))
			require.Empty(t, list.Text())
			list = yamldoc.Check(root, step)
			require.Len(t, list, 1, list.Text())
			d := list[0]
			require.Equal(t, []string{c.at, c.message, c.help}, []string{c.text[d.Span.Start:d.Span.End], d.Message, d.Help})
		})
	}
	root, _ := yamldoc.Parse(diag.NewFile("f.yaml", "{ cal: a, timout: soon, call: b, calll: 1 }"))
	require.Equal(t, []string{`unknown key "cal"`, `unknown key "timout"`, `"soon" is no duration`, `unknown key "calll"`}, messages(yamldoc.Check(root, step)), "what a misspelt key holds is checked")
	require.Equal(t, "soon", root.Get("timeout").Text, "and read as what it is taken for")
	require.Equal(t, "b", root.Get("call").Text)
	root, _ = yamldoc.Parse(diag.NewFile("f.yaml", "{ call: a, timeout: 7d, max: 512, when: true, level: warn, on: false, n: -3, names: [b], free: { c: 1.5 } }"))
	require.Empty(t, yamldoc.Check(root, step))
}

func TestUnits(t *testing.T) {
	d, err := yamldoc.ParseDuration("7d")
	require.NoError(t, err)
	require.Equal(t, 7*24*time.Hour, d)
	n, err := yamldoc.ParseSize("30MB")
	require.NoError(t, err)
	require.Equal(t, int64(30<<20), n)
	for _, bad := range []string{"", "s", "-1s", "1.5s", "1h30m", "99999999999999999999s", "9999999999d"} {
		_, err := yamldoc.ParseDuration(bad)
		require.Error(t, err, bad)
	}
	for _, bad := range []string{"", "KB", "-1", "0", "9999999999999GB"} {
		_, err := yamldoc.ParseSize(bad)
		require.Error(t, err, bad)
	}
}

func messages(list diag.List) (all []string) {
	for _, d := range list {
		all = append(all, d.Message)
	}
	return all
}

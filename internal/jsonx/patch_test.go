package jsonx

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestSet(t *testing.T) {
	for name, c := range map[string]struct{ doc, path, raw, want string }{
		"replace":             {`{"a": 1.10 ,"b":2}`, "b", `"x"`, `{"a": 1.10 ,"b":"x"}`},
		"add":                 {`{"a":1e400}`, "b", `[1]`, `{"a":1e400,"b":[1]}`},
		"add to empty":        {`{}`, "a.b", `1`, `{"a":{"b":1}}`},
		"no document":         {``, "a", `1`, `{"a":1}`},
		"element":             {`{"a":[1,2,3]}`, "a.1", `null`, `{"a":[1,null,3]}`},
		"element behind":      {`{"a":[1]}`, "a.2", `3`, `{"a":[1,null,3]}`},
		"key of digits":       {`{}`, "a.:1", `3`, `{"a":{"1":3}}`},
		"digits, an object":   {`{"a":{"1":2}}`, "a.1", `3`, `{"a":{"1":3}}`},
		"escaped point":       {`{"a.b":1,"a":{"b":2}}`, `a\.b`, `3`, `{"a.b":3,"a":{"b":2}}`},
		"escaped star":        {`{"ab":1,"a*":2}`, `a\*`, `3`, `{"ab":1,"a*":3}`},
		"key written escaped": {`{"\u0061":1}`, `a`, `3`, `{"\u0061":3}`},
		"text on the way":     {`{"a":"[S^^^^SSSS SSSf^^f^^^","c":1}`, "a.0", `1`, `{"a":[1],"c":1}`},
		"text, every element": {`{"l":["{\"a\":[1]}",7]}`, "l.#.a", `1`, `{"l":[{"a":1},{"a":1}]}`},
		"text for a list":     {`{"l":"[1,2]"}`, "l.#.a", `1`, `{"l":"[1,2]"}`},
		"a text":              {`"{\"a\":[1]}"`, "a.b", `1`, `{"a":{"b":1}}`},
		"null on the way":     {`{"a":null}`, "a.b", `1`, `{"a":{"b":1}}`},
		"repeated key":        {`{"a":1,"b":2,"\u0061":3}`, "a", `9`, `{"a":9,"b":2}`},
		"repeated above":      {`{"a":{"x":1},"a":{"x":2},"c":0}`, "a.x", `9`, `{"a":{"x":9},"c":0}`},
		"every element":       {`{"l":[{"a":1}, {"b":2}]}`, "l.#.a", `9`, `{"l":[{"a":9}, {"b":2,"a":9}]}`},
		"every element whole": {`[1, 2 ,3]`, "#", `0`, `[0, 0 ,0]`},
		"every in every":      {`{"l":[{"m":[1,2]},{"m":[]},{"n":1}]}`, "l.#.m.#", `0`, `{"l":[{"m":[0,0]},{"m":[]},{"n":1}]}`},
		"every, no list":      {`{"l":{"a":1}}`, "l.#.a", `9`, `{"l":{"a":1}}`},
		"every, missing":      {`{"k":1}`, "l.#.a", `9`, `{"k":1}`},
		"repeated in every":   {`[{"a":1,"a":2}]`, "#.a", `9`, `[{"a":9}]`},
		"in element":          {`[[{"a":1}],[{"a":1}]]`, "1.#.a", `9`, `[[{"a":1}],[{"a":9}]]`},
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, CheckPath(c.path))
			doc := []byte(c.doc)
			got, err := Set(doc, c.path, []byte(c.raw))
			require.NoError(t, err)
			require.Equal(t, c.want, string(got))
			require.Equal(t, c.doc, string(doc), "the document itself must not change")
		})
	}
	_, err := Set([]byte(`{"a":[1]}`), "a.b", []byte(`1`))
	require.ErrorContains(t, err, `path "a.b": `)
	_, err = Set([]byte(`{}`), "a.", []byte(`1`))
	require.Error(t, err)
}

func TestDelete(t *testing.T) {
	for name, c := range map[string]struct{ doc, path, want string }{
		"only":             {`{"a":1}`, "a", `{}`},
		"first":            {`{ "a" : 1 , "b":2}`, "a", `{ "b":2}`},
		"middle":           {`{"a":1 , "b":2 ,"c":1.10}`, "b", `{"a":1 ,"c":1.10}`},
		"last":             {`{"a":1,"b": 2 }`, "b", `{"a":1 }`},
		"missing":          {`{"a":1}`, "b.c", `{"a":1}`},
		"through scalar":   {`{"a":1}`, "a.c", `{"a":1}`},
		"element":          {`[1,2,3]`, "1", `[1,3]`},
		"last element":     {`[1,2,3]`, "2", `[1,2]`},
		"first element":    {`[1, 2,3]`, "0", `[2,3]`},
		"every element":    {`[1, 2,3]`, "#", `[]`},
		"in every element": {`{"l":[{"a":1,"s":2},{"s":3},{"b":4},7]}`, "l.#.s", `{"l":[{"a":1},{},{"b":4},7]}`},
		"in every list":    {`[[{"s":1}],[{"s":2},{}],{}]`, "#.#.s", `[[{}],[{},{}],{}]`},
		"not every member": {`{"a":{"s":1}}`, "#.s", `{"a":{"s":1}}`},
		"repeated":         {`{"s":1,"a":2,"s":3,"\u0073":4}`, "s", `{"a":2}`},
		"all repeated":     {`{"s":1,"s":3 , "\u0073":4}`, "s", `{}`},
		"repeated above":   {`{"a":{"s":1},"a":{"s":2,"t":3}}`, "a.s", `{"a":{},"a":{"t":3}}`},
		"quote in key":     {`{"z":1,"\"x":2,"y":3}`, "y", `{"z":1,"\"x":2}`},
		"escaped key":      {`{"a.b":1,"a":{"b":2}}`, `a\.b`, `{"a":{"b":2}}`},
		"sharp as a key":   {`{"#":1,"b":2}`, `\#`, `{"b":2}`},
		"key of digits":    {`{"1":1,"b":[5,6]}`, `:1`, `{"b":[5,6]}`},
		"no element":       {`[5,6]`, `:1`, `[5,6]`},
		"text with braces": {`{"a":"}],{\"s\":1","s":1}`, `s`, `{"a":"}],{\"s\":1"}`},
		"scalar document":  {`5`, `a`, `5`},
		"empty document":   {``, `a`, ``},
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, CheckPath(c.path))
			got, err := Delete([]byte(c.doc), c.path)
			require.NoError(t, err)
			require.Equal(t, c.want, string(got))
		})
	}
	_, err := Delete([]byte(`{}`), "a..b")
	require.Error(t, err)
	many := `{` + strings.Repeat(`"s":1,`, 100_000) + `"l":[` + strings.Repeat(`{"s":1},`, 100_000) + `0]}`
	got, err := Delete([]byte(many), "s") // linear, or this takes minutes
	require.NoError(t, err)
	got, err = Delete(got, "l.#.s")
	require.NoError(t, err)
	require.NotContains(t, string(got), "s")
}

func TestCheckPath(t *testing.T) {
	for path, want := range map[string]string{
		"":         `the path is empty`,
		"a..b":     `the path "a..b" has an empty step; two points follow each other, or one stands at its begin or end`,
		"a.":       `the path "a." has an empty step; two points follow each other, or one stands at its begin or end`,
		"/a/b":     `the path "/a/b" begins with a slash; steps are parted by points, as in user.name`,
		"$.a":      `the path "$.a" begins with "$."; leave that out, a path begins at the document`,
		"a[0]":     `the path "a[0]" has brackets; an element is written behind a point, as in items.0`,
		"a.*.b":    `the path "a.*.b" has "*"; every element is "#", and a key that holds a star is written with "\*"`,
		"a.-1":     `the path "a.-1" has the step "-1", which would append when setting and take the last when deleting; write the element's number`,
		"a.#(b=1)": `the path "a.#(b=1)" has a query or count behind "#"; only "#" alone can be followed, which is every element`,
		"a|b":      `the path "a|b" has "|", which cannot be followed here; write "\|" if the key holds it`,
		"@this":    `the path "@this" has "@", which cannot be followed here; write "\@" if the key holds it`,
		"!true":    `the path "!true" has "!", which cannot be followed here; write "\!" if the key holds it`,
		"a.{b,c}":  `the path "a.{b,c}" has "{", which cannot stand in a path`,
		`a."b"`:    `the path "a.\"b\"" has "\"", which cannot stand in a path`,
		`a\`:       `the path "a\\" has a backslash with nothing behind it`,
		`a\n`:      `the path "a\\n" has a backslash before "n", which needs none or cannot stand in a path`,
		"a.10000":  `the path "a.10000" has the step "10000", which is no element's number up to 9999; write ":10000" if it is a key`,
		"a.01":     `the path "a.01" has the step "01", which is no element's number up to 9999; write ":01" if it is a key`,
		":x":       `the path ":x" has a step that begins with ":", which makes a key of a number only; write "\:" if the key begins so`,
	} {
		require.EqualError(t, CheckPath(path), want, path)
	}
	for _, path := range []string{"a", "a.b-c.d_e", "items.0.id", "items.#.id", "#", `a\.b`, ":007", "a:b", "d.$ref", "não", "a b", `\#`, `x\@y`, "application/json"} {
		require.NoError(t, CheckPath(path), path)
	}
}

// Whatever a key is, Set and Delete take it as exact text: what was set is
// read back, nothing else changes, and deleting gives the document again.
func TestPatchProperty(t *testing.T) {
	keys := []string{"a", "b", "a.b", "*", "a*", "?", "#", "@this", "!true", "|", `\`, `a\`, ":1", "1", "é", "<", "a:b", "%", "$", "~x", "=", "a>b"}
	spell := func(key string) string {
		if allDigits(key) {
			return ":" + key
		}
		var b strings.Builder
		for _, c := range []byte(key) {
			if strings.IndexByte(escapable, c) >= 0 {
				b.WriteByte('\\')
			}
			b.WriteByte(c)
		}
		return b.String()
	}
	rapid.Check(t, func(t *rapid.T) {
		inner := map[string]any{}
		outer := map[string]any{}
		for _, k := range rapid.SliceOfDistinct(rapid.SampledFrom(keys), rapid.ID[string]).Draw(t, "outer") {
			outer[k] = "old"
		}
		for _, k := range rapid.SliceOfDistinct(rapid.SampledFrom(keys), rapid.ID[string]).Draw(t, "inner") {
			inner[k] = "old"
		}
		up, key := rapid.SampledFrom(keys).Draw(t, "up"), rapid.SampledFrom(keys).Draw(t, "key")
		outer[up] = inner
		doc, err := json.Marshal(outer)
		require.NoError(t, err)
		path := spell(up) + "." + spell(key)
		require.NoError(t, CheckPath(path))

		set, err := Set(doc, path, []byte(`"new"`))
		require.NoError(t, err)
		_, err = new(Arena).Parse(string(set), true)
		require.NoError(t, err, "%s", set)
		inner[key] = "new"
		want, _ := json.Marshal(outer)
		require.JSONEq(t, string(want), string(set), path)

		gone, err := Delete(set, path)
		require.NoError(t, err)
		delete(inner, key)
		want, _ = json.Marshal(outer)
		require.JSONEq(t, string(want), string(gone), path)
	})
}

func FuzzPatch(f *testing.F) {
	f.Add(`{"a":[{"b":1},2],"a":3}`, "a.#.b")
	f.Add(`[1,[2,{"x":null}]]`, "1.1.x")
	f.Add(`{"\"x":1,"y":{"":0}}`, "y")
	f.Add(`[]`, "3.a")
	f.Add(`"[S^^^^SSSS SSSf^^f^^^"`, "0")
	f.Add(`{"a":"[S^^^^SSSS SSSf^^f^^^"}`, "a.0")
	f.Fuzz(func(t *testing.T, doc, path string) {
		if _, err := new(Arena).Parse(doc, false); err != nil || CheckPath(path) != nil {
			return
		}
		gone, err := Delete([]byte(doc), path)
		require.NoError(t, err)
		_, err = new(Arena).Parse(string(gone), false)
		require.NoError(t, err)
		if set, err := Set([]byte(doc), path, []byte(`"new"`)); err == nil {
			_, err = new(Arena).Parse(string(set), false)
			require.NoError(t, err)
		}
	})
}

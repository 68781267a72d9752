package expr

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// told spells what is known of a value: "=" what it comes from, "?" what
// decides, each part under its name.
func told(f *Flow) string {
	var lines []string
	var tell func(at string, f *Flow)
	tell = func(at string, f *Flow) {
		var all []string
		for _, o := range f.From {
			all = append(all, o.Root+o.Path)
		}
		for _, o := range f.Decided {
			all = append(all, "?"+o.Root+o.Path)
		}
		if len(all) > 0 {
			lines = append(lines, strings.TrimSpace(at+" "+strings.Join(all, " ")))
		}
		for _, name := range f.Order {
			tell(at+"/"+name, f.Fields[name])
		}
		if f.Elem != nil {
			tell(at+"/*", f.Elem)
		}
	}
	tell("", f)
	return strings.Join(lines, "; ")
}

func TestTracer(t *testing.T) {
	functions, err := NewFunctions()
	require.NoError(t, err)
	lists := &Type{Kind: ObjectType, Fields: map[string]*Field{"many": {Type: &Type{Kind: ListType}}, "one": {Type: textType}}}
	tracer := &Tracer{Functions: functions, Names: func(name string) *Flow {
		switch name {
		case "known":
			f := &Flow{Present: []Origin{{Root: "there"}}}
			f.Set("a", OriginFlow("p", nil).Member("x"))
			f.Set("b", OriginFlow("q", nil))
			return f
		case "typed":
			return OriginFlow("typed", lists)
		case "nothing":
			return nil
		}
		return OriginFlow(name, nil)
	}}
	for name, c := range map[string]struct{ yaml, want string }{
		"a path":                        {`${client.contracts[0].id}`, "client.contracts[0].id"},
		"a path with ?.":                {`${a?.b?.c}`, "a.b.c"},
		"a name that is no identifier":  {`${a["b c"]}`, `a["b c"]`},
		"the last element":              {`${a[-1].b}`, "a[-1].b"},
		"an element somebody chooses":   {`${a[b.n].c}`, "a[].c ?b.n"},
		"steps":                         {`${steps.x.state}`, "steps.x.state"},
		"a text of pieces":              {`of ${a.b} and ${c}`, "a.b c"},
		"a constant":                    {`nothing`, ""},
		"a name that is nothing":        {`${nothing}`, ""},
		"two that may be":               {`${a ?? b.c}`, "a b.c"},
		"a choice":                      {`${a.ok ? b : c}`, "b c ?a.ok"},
		"a comparison":                  {`${a == b.c}`, "?a ?b.c"},
		"and, or, not":                  {`${not a and (b or c in d)}`, "?a ?b ?c ?d"},
		"arithmetic":                    {`${-a + b * 2}`, "a b"},
		"a function":                    {`${trim(a.b)}`, "a.b"},
		"nothing of a function's below": {`${table("plans", a.b)?.label}`, "a.b"},
		"a test by a function":          {`${has(a, "b")}`, "?a"},
		"filter":                        {`${filter(a, .b == c)}`, "a ?a[].b ?c"},
		"first of filtered":             {`${first(filter(a, .b == c)).d}`, "a[].d ?a[].b ?c"},
		"find":                          {`${find(a, # == c)}`, "a[] ?a[] ?c"},
		"map":                           {`${map(a, .b)}`, "?a; /* a[].b"},
		"any":                           {`${any(a, .b == c)}`, "?a ?a[].b ?c"},
		"length":                        {`${len(a)}`, "a"},
		"length of a made list":         {`${len(map(a, .b))}`, "?a"},
		"count":                         {`${count(a, .b > 1)}`, "a ?a[].b"},
		"sum":                           {`${sum(a, .b)}`, "a[].b"},
		"sum of a field":                {`${money_sum(a, "b")}`, "a[].b"},
		"sorted":                        {`${sort_by(a, "-b")[0].c}`, "a[0].c ?a[].b"},
		"a list of what is one":         {`${list(typed.one)}`, "/* typed.one"},
		"a list of what is a list":      {`${list(typed.many)[0]}`, "typed.many[0]"},
		"only":                          {`${only(a).b}`, "a[].b"},
		"an element and where it was":   {`${pointed(a.b, "/b")[0].value.c}`, "a.b[].c a.b.c"},
		"where an element was":          {`${pointed(a.b, "/b")[0].pointer}`, ""},
		"whether there is an element":   {`${any(pointed(typed.many, "/b"), .value.c == 1)}`, "?typed.many ?typed.many[].c"},
		"a slice":                       {`${a[:n]}`, "a ?n"},
		"an object":                     {`{ x: "${a}", y: { z: "${?b.c}" } }`, "/x a; /y/z b.c"},
		"a list":                        {`["${a}", "${b}"]`, "/* a b"},
		"members of a known object":     {`${known.a.y}`, "p.x.y"},
		"a known object":                {`${known}`, "/a p.x; /b q"},
		"whether a known object is":     {`${known != nil}`, "?there"},
		"an object in an expression":    {`${map(a, ({"k": .b, "l": c}))}`, "?a; /*/k a[].b; /*/l c"},
		"$each":                         {`{ $each: "${a.l}", $as: e, $if: "${e.ok}", $item: { v: "${e.v}", w: "${b}" } }`, "?a.l ?a.l[].ok; /*/v a.l[].v; /*/w b"},
		"$if":                           {`{ $if: "${c}", $then: "${a}", $else: "${b}" }`, "a b ?c"},
		"$concat":                       {`{ $concat: ["${a}", ["${b}"]] }`, "a; /* b"},
		"$merge replaces":               {`{ $merge: ["${known}", { a: "${c}" }] }`, "/b q; /a c"},
		"$merge perhaps replaces":       {`{ $merge: ["${known}", { a: "${?c}" }] }`, "/a p.x c; /b q"},
		"$merge with what is not known": {`{ $merge: ["${d}", { a: "${c}" }] }`, "d; /a c"},
		"what cannot be read":           {`${a +`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			source := "x: " + c.yaml
			if c.yaml[0] != '{' && c.yaml[0] != '[' {
				source = "x: '" + c.yaml + "'"
			}
			require.Equal(t, c.want, told(tracer.Template(yaml(t, source))))
		})
	}
	require.Equal(t, []Origin{{Root: "a", Path: ".b"}, {Root: "c", shallow: true}}, tracer.Condition(yaml(t, "x: a.b == 1 and c != nil")))
	require.Empty(t, tracer.Condition(yaml(t, "x: true")))
	require.Empty(t, tracer.Condition(nil))
}

package diag_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/diag"
)

func at(f *diag.File, part string) diag.Span {
	i := strings.Index(f.Text, part)
	return diag.Span{File: f, Start: i, End: i + len(part)}
}

func TestRendering(t *testing.T) {
	f := diag.NewFile("mappings/x.yaml", strings.Repeat("\n", 30)+"         razaoSocial: ${cliente.NomeClient}\n\té\tbad # \x1b[31m\n"+strings.Repeat("a", 150)+"HERE"+strings.Repeat("b", 150)+"\r\nlast")
	for name, c := range map[string]struct {
		d    diag.Diagnostic
		want string
	}{
		"error with help": {
			diag.Diagnostic{Span: at(f, "NomeClient"), Message: `x answers with no field "NomeClient"`, Help: "did you mean NomeCliente?"},
			"mappings/x.yaml:31:33: x answers with no field \"NomeClient\"\n" +
				"   31 |          razaoSocial: ${cliente.NomeClient}\n" +
				"      |                                 ^^^^^^^^^^\n" +
				"      = did you mean NomeCliente?",
		},
		"warning, tabs, control characters": {
			diag.Diagnostic{Severity: diag.Warning, Span: at(f, "bad"), Message: "m"},
			"mappings/x.yaml:32:4: warning: m\n   32 | \té\tbad # \uFFFD[31m\n      | \t \t^^^",
		},
		"nothing but a tab": {
			diag.Diagnostic{Span: diag.Span{File: f, Start: at(f, "\té").Start, End: at(f, "\té").Start + 1}, Message: "m"},
			"mappings/x.yaml:32:1: m\n   32 | \té\tbad # \uFFFD[31m\n      | ^",
		},
		"long line": {
			diag.Diagnostic{Span: at(f, "HERE"), Message: "m"},
			"mappings/x.yaml:33:151: m\n   33 | …" + strings.Repeat("a", 47) + "HERE" + strings.Repeat("b", 47) + "…\n      | " + strings.Repeat(" ", 48) + "^^^^",
		},
		"several lines": {
			diag.Diagnostic{Span: diag.Span{File: f, Start: at(f, "Client}").Start, End: len(f.Text)}, Message: "m"},
			"mappings/x.yaml:31:37: m\n   31 |          razaoSocial: ${cliente.NomeClient}\n      |                                     ^^^^^^^",
		},
		"the end":    {diag.Diagnostic{Span: diag.Span{File: f, Start: len(f.Text), End: 1 << 30}, Message: "m"}, "mappings/x.yaml:34:5: m\n   34 | last\n      |     ^"},
		"no place":   {diag.Diagnostic{Severity: diag.Warning, Message: "m"}, "warning: m"},
		"empty file": {diag.Diagnostic{Span: diag.Span{File: diag.NewFile("e", "")}, Message: "m"}, "e:1:1: m\n    1 | \n      | ^"},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, c.d.String()) })
	}
}

func TestSort(t *testing.T) {
	a, b := diag.NewFile("a", "xyz"), diag.NewFile("b", "xyz")
	var l diag.List
	l.Errorf(at(b, "x"), "r", "4")
	l.Warnf(at(a, "z"), "r", "3")
	l.Errorf(at(a, "z"), "r", "2")
	l.Errorf(at(a, "x"), "r", "1")
	l.Errorf(at(b, "x"), "r", "4")
	require.True(t, l.HasErrors())
	l.Sort()
	require.Equal(t, "1234", l[0].Message+l[1].Message+l[2].Message+l[3].Message)
	require.Len(t, l, 4)
}

func TestMachineForms(t *testing.T) {
	f := diag.NewFile("a b/x.yaml", "é: <1>\n")
	var l diag.List
	l.Errorf(at(f, "<1>"), "r", "m").Help = "h"
	l.Warnf(diag.Span{}, "s", "n")
	require.JSONEq(t, `[
		{"severity":"error","rule":"r","file":"a b/x.yaml","line":1,"column":4,"end_line":1,"end_column":7,"message":"m","help":"h"},
		{"severity":"warning","rule":"s","file":"","line":0,"column":0,"end_line":0,"end_column":0,"message":"n","help":""}]`, string(l.JSON()))
	require.JSONEq(t, `[]`, string(diag.List(nil).JSON()))
	require.JSONEq(t, `{"$schema":"https://json.schemastore.org/sarif-2.1.0.json","version":"2.1.0","runs":[{
		"tool":{"driver":{"name":"emenda","rules":[{"id":"r"},{"id":"s"}]}},"columnKind":"unicodeCodePoints","results":[
		{"ruleId":"r","ruleIndex":0,"level":"error","message":{"text":"m (h)"},"locations":[{"physicalLocation":{
			"artifactLocation":{"uri":"a%20b/x.yaml"},"region":{"startLine":1,"startColumn":4,"endLine":1,"endColumn":7}}}]},
		{"ruleId":"s","ruleIndex":1,"level":"warning","message":{"text":"n"}}]}]}`, string(l.SARIF()))
	require.True(t, json.Valid(diag.List(nil).SARIF()))
}

func TestSuggest(t *testing.T) {
	for name, c := range map[string]struct {
		name, want string
		among      []string
	}{
		"one letter":           {"NomeClient", "NomeCliente", []string{"Nome", "NomeCliente"}},
		"swap":                 {"timoeut", "timeout", []string{"times", "timeout"}},
		"case":                 {"ID", "id", []string{"at", "id"}},
		"closest, not first":   {"each", "each_", []string{"cache", "each_"}},
		"short names are far":  {"at", "", []string{"as", "by"}},
		"nothing near":         {"foo", "", []string{"quux"}},
		"longer, more letters": {"cliente_por_docmento", "cliente_por_documento", []string{"cliente_por_documento"}},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, diag.Suggest(c.name, c.among)) })
	}
}

func TestTextTellsOnce(t *testing.T) {
	f, g := diag.NewFile("a", "x y\nx\n  x x\n"), diag.NewFile("b", "x")
	var l diag.List
	for _, place := range []int{0, 4, 8, 10} {
		l.Errorf(diag.Span{File: f, Start: place, End: place + 1}, "r", "unknown name %q", "x").Help = "known: z"
	}
	l.Errorf(diag.Span{File: f, Start: 2, End: 3}, "r", "unknown name %q", "x").Help = "known: z"
	l.Errorf(at(g, "x"), "r", "unknown name %q", "x").Help = "known: z"
	l.Errorf(diag.Span{}, "r", "m")
	l.Errorf(diag.Span{}, "r", "m")
	require.Equal(t, `a:1:1: unknown name "x"
    1 | x y
      | ^
      = known: z
      = also at 2:1, 3:3, 3:5
a:1:3: unknown name "x"
    1 | x y
      |   ^
      = known: z
b:1:1: unknown name "x"
    1 | x
      | ^
      = known: z
m
m
`, l.Text())
	many := diag.NewFile("c", strings.Repeat("x", 20))
	l = nil
	for i := range 20 {
		l.Warnf(diag.Span{File: many, Start: i, End: i + 1}, "r", "m")
	}
	require.True(t, strings.HasSuffix(l.Text(), "\n      = also at 1:2, 1:3, 1:4, 1:5, 1:6, 1:7, 1:8, 1:9, 1:10, 1:11, 1:12, 1:13 and 7 more places\n"), l.Text())
}

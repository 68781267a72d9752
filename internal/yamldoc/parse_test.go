package yamldoc_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// Every scalar of these holds ${x.y}, whose place must be found exactly.
func TestSpanOf(t *testing.T) {
	for name, text := range map[string]string{
		"plain":             "a: b ${x.y} c # z\n",
		"plain lines":       "a: one\n  two ${x.y}\n\n  three\n",
		"single":            "a: 'it''s ${x.y}'\n",
		"double":            "a: \"\\t\\u00e9 é ${x.y}\\n\"\n",
		"double lines":      "a: \"one \\\n   two\n\n  ${x.y}\"\n",
		"literal":           "a: |\n    one\n\n      two ${x.y}\nb: 1\n",
		"folded":            "- >-\n   one\n   two ${x.y}\n\n   three\n",
		"in a flow map":     "a: { b: [\"é ${x.y}\"] }\n",
		"at the begin":      "a: ${x.y}\n",
		"literal, indented": "a:\n  - |2+\n     ${x.y}\n\n",
	} {
		for _, crlf := range []bool{false, true} {
			if crlf {
				name += " crlf"
				text = strings.ReplaceAll(text, "\n", "\r\n")
			}
			t.Run(name, func(t *testing.T) {
				root, list := yamldoc.Parse(diag.NewFile("f.yaml", text))
				require.Empty(t, list.Text())
				found := false
				walk(root, func(n *yamldoc.Node) {
					if i := strings.Index(n.Text, "${x.y}"); i >= 0 {
						found = true
						s := n.SpanOf(i, i+6)
						require.Equal(t, "${x.y}", text[s.Start:s.End])
						s = n.WithText(i+2, i+5).SpanOf(0, 3)
						require.Equal(t, "x.y", text[s.Start:s.End])
					}
				})
				require.True(t, found)
			})
		}
	}
}

func TestSpanOfEscape(t *testing.T) {
	text := `"a\u00e9b''"`
	n, _ := yamldoc.Parse(diag.NewFile("f.yaml", text))
	s := n.SpanOf(1, 3)
	require.Equal(t, `\u00e9`, text[s.Start:s.End])
	n, _ = yamldoc.Parse(diag.NewFile("f.yaml", `'a''b'`))
	s = n.SpanOf(1, 2)
	require.Equal(t, `''`, s.File.Text[s.Start:s.End])
}

func walk(n *yamldoc.Node, do func(*yamldoc.Node)) {
	do(n)
	for _, it := range n.Items {
		walk(it, do)
	}
	for _, e := range n.Entries {
		walk(e.Key, do)
		walk(e.Value, do)
	}
}

func TestParseTells(t *testing.T) {
	for name, c := range map[string]struct{ text, rule, at, message, help string }{
		"cut by a comment":      {"a: ${b #c}\n", "yaml-cut-short", "${b", "YAML ends this value at the comment, before ${ is closed", "quote the whole value"},
		"cut by a colon":        {"a: ${b ? c : d}\n", "yaml-cut-short", "${b ? c :", "YAML ends this value at the colon, before ${ is closed", "quote the whole value"},
		"cut by a brace":        {"a: { b: ${c} }\n", "yaml-cut-short", "${", "YAML ends this value at the {", "quote the whole value"},
		"cut by a comma":        {"a: { b: f(c, d), e: 1 }\n", "yaml-cut-short", "f(c, d)", "YAML ends this value at the comma", "quote the whole value"},
		"cut by a quote":        {"a: \"b\" == c\n", "yaml-cut-short", "== c", "YAML ends this value at its closing quote", "quote the whole value with '…'"},
		"duplicate key":         {"a: 1\nb: 2\na: 3\n", "duplicate-key", "a", `key "a" is already given in line 1`, ""},
		"tag":                   {"a: !done\n", "yaml-tag", "!done", "tags are not read", "quote the whole value when the ! belongs to it"},
		"anchor":                {"a: &b c\n", "yaml-anchor", "&b", "anchors are not read", "quote the whole value when the & belongs to it"},
		"alias":                 {"a: *b\n", "yaml-alias", "*b", "aliases are not read", "write the value out, or quote the whole value when the * belongs to it"},
		"merge":                 {"<<: { a: 1 }\n", "yaml-merge", "<<", "merge keys are not read", "write the keys out"},
		"documents":             {"a: 1\n---\nb: 2\n", "yaml-documents", "---", "a file holds one document", "put the second one into its own file"},
		"map as a key":          {"{ a: 1 }: b\n", "yaml-key", "{ a: 1 }", "keys that are lists or maps are not read", "quote the whole value"},
		"tab":                   {"a:\n\tb: 1\n", "yaml-tab", "\t", "a tab cannot separate or indent", "use spaces"},
		"not UTF-8":             {"a: \xff\n", "yaml-utf8", "\xff", "this byte is not UTF-8", "save the file as UTF-8"},
		"octal":                 {"a: 0123\n", "yaml-number", "0123", "YAML reads 0123 as a number that is written otherwise in JSON", "write it as a plain decimal number, or in quotes when it is text"},
		"no key":                {"a: 1\nb:2\n", "yaml-syntax", "b:2", "this line has no key", "a blank must follow the colon"},
		"indentation":           {"a: 1\n  b: 2\n", "yaml-syntax", "b: 2", "a key cannot follow text", "quote the whole value"},
		"quote never closed":    {"a: 'b\n", "yaml-quote", "'", "the quote opened here is never closed", ""},
		"bracket never closed":  {"a: [b\n", "yaml-bracket", "[", "the [ opened here is never closed", ""},
		"brace not closed":      {"a:\n  b: { c: 1, d: 2s\n  e: 3\n", "yaml-bracket", "{", "the { opened here is not closed before the next key", "is a } missing at the end of the line?"},
		"comma forgotten":       {"a: {\n  b: x\n  c: y }\n", "yaml-cut-short", "x\n  c:", "YAML ends this value at the :", "is a comma missing at the end of the line?"},
		"no-break space":        {"a:\n  b: c\n\u00a0 d: e\n", "yaml-indent", "\u00a0", "a no-break space (U+00A0) cannot indent", "use spaces"},
		"no-break space, lower": {"a: b\nc:\u00a0d\n", "yaml-syntax", "c:\u00a0d", "this line has no key", "a plain space must follow the colon, not U+00A0"},
		"curly quotes":          {"a: { b: \u201c${c}\u201d }\n", "yaml-cut-short", "\u201c${", "YAML ends this value at the {", "\u201c is no quote of YAML: write \" or '"},
		"double braces":         {"a: {{b}}\n", "yaml-key", "{", "keys that are lists or maps are not read", "in place of {{…}} write ${…}, in quotes"},
		"directive":             {"%YAML 1.2\n---\na: 1\n", "yaml-directive", "%YAML 1.2", "directives are not read", "leave the line out"},
	} {
		t.Run(name, func(t *testing.T) {
			_, list := yamldoc.Parse(diag.NewFile("f.yaml", c.text))
			require.Len(t, list, 1, list.Text())
			d := list[0]
			require.Equal(t, []string{c.rule, c.at, c.message, c.help},
				[]string{d.Rule, c.text[d.Span.Start:d.Span.End], d.Message, d.Help})
		})
	}
}

func TestBounds(t *testing.T) {
	_, list := yamldoc.Parse(diag.NewFile("f", strings.Repeat("[", 101)+strings.Repeat("]", 101)))
	require.Equal(t, "nested deeper than 100 levels", list[0].Message)
	_, list = yamldoc.Parse(diag.NewFile("f", strings.Repeat("#", 4<<20+1)))
	require.Equal(t, "the file is larger than 4 MB", list[0].Message)
	root, list := yamldoc.Parse(diag.NewFile("f", "- 1\n-\n"))
	require.Empty(t, list)
	require.Len(t, root.Items, 2)
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"a: ${b #c}", "- a\n- {b: [c, 'd']}\n", "a: |2-\n   x\n\nb: >\n c\n  d\n", "\"\\u00e9\\\n x\": y", "a: &b !c *d\r\n", "? x\n: y", "---\n...", "{a", "\t", "- - - a: b\n      c:\n      - d", "[a: b]", "a: 'b\n\n c'", "!x\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		file := diag.NewFile("f.yaml", text)
		root, list := yamldoc.Parse(file)
		inside := func(s diag.Span) {
			require.Truef(t, 0 <= s.Start && s.Start <= s.End && s.End <= len(text), "%d:%d", s.Start, s.End)
		}
		for _, d := range list {
			inside(d.Span)
			require.NotEqual(t, "yaml-reader", d.Rule, "a fault of the reader")
		}
		_ = list.Text()
		if root == nil {
			require.True(t, list.HasErrors())
			return
		}
		walk(root, func(n *yamldoc.Node) {
			inside(n.Span)
			for i := range n.Text {
				inside(n.SpanOf(i, i+1))
			}
			inside(n.SpanOf(0, len(n.Text)))
		})
	})
}

package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestOperationsPage: every log message and every metric in the sources stands
// on docs/operations.md.
func TestOperationsPage(t *testing.T) {
	text, err := os.ReadFile("../../docs/operations.md")
	require.NoError(t, err)
	page := string(text)
	messages, metrics := 0, 0
	for _, root := range []string{"../../internal", "../../routes", "."} {
		require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CallExpr:
					if message, ok := logged(n); ok {
						messages++
						if !strings.Contains(page, "`"+message+"`") {
							t.Errorf("%s: %q is not on the page", path, message)
						}
					}
				case *ast.KeyValueExpr:
					key, ok := n.Key.(*ast.Ident)
					name, isText := literal(n.Value)
					if ok && key.Name == "Name" && isText && strings.HasPrefix(name, "emenda_") {
						metrics++
						if !strings.Contains(page, "`"+name+"`") && !strings.Contains(page, "`"+name+"{") {
							t.Errorf("%s: metric %s is not on the page", path, name)
						}
					}
				}
				return true
			})
			return nil
		}))
	}
	require.Greater(t, messages, 15)
	require.Greater(t, metrics, 10)
}

// logged gives the message of a call of a logger.
func logged(c *ast.CallExpr) (string, bool) {
	f, ok := c.Fun.(*ast.SelectorExpr)
	if !ok {
		return "", false
	}
	on := f.X
	if s, ok := on.(*ast.SelectorExpr); ok {
		on = s.Sel
	}
	if id, ok := on.(*ast.Ident); !ok || id.Name != "log" {
		return "", false
	}
	at := map[string]int{"Debug": 0, "Info": 0, "Warn": 0, "Error": 0, "LogAttrs": 2}
	i, ok := at[f.Sel.Name]
	if !ok || len(c.Args) <= i {
		return "", false
	}
	return literal(c.Args[i])
}

func literal(e ast.Expr) (string, bool) {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(l.Value)
	return text, err == nil
}

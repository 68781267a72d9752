package main

import (
	"os"
	"path/filepath"
	"strings"
)

// explainPage is what people read of `emenda explain`.
const explainPage = "docs/explain.md"

// showExplain runs every command of docs/explain.md that the page shows the
// output of, in a folder of its own, and holds what it prints against the page.
func showExplain(o options, r *report) error {
	text, err := os.ReadFile(filepath.Join(o.root, filepath.FromSlash(explainPage)))
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "emenda-explain-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.CopyFS(filepath.Join(dir, "mappings"), os.DirFS(filepath.Join(o.root, "mappings"))); err != nil {
		return err
	}
	config, err := os.ReadFile(filepath.Join(o.root, "gateway.yaml"))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "gateway.yaml"), config, 0o600); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(dir, "bin"), 0o700); err != nil {
		return err
	}
	if err := os.Symlink(o.bin, filepath.Join(dir, "bin", "emenda")); err != nil {
		return err
	}

	invoices := 0
	for _, e := range readExamples(string(text)) {
		r.begin("%s:%d: %s", explainPage, e.line, e.command)
		if !r.check(strings.HasPrefix(e.command, "bin/emenda explain "), "the page shows the output of something else") {
			continue
		}
		if strings.Contains(e.command, "/enviafatura ") {
			invoices++
		}
		got, err := runExample(dir, e.command)
		if r.check(err == nil, "%v", err) {
			same := trimLines(e.want) == trimLines(got)
			r.check(same, "the page says something else\n--- page\n%s\n--- program\n%s", e.want, got)
			if same {
				r.printf("%s", got)
				r.notef("%d lines of the program are the page's, byte for byte", strings.Count(trimLines(got), "\n")+1)
			}
		}
	}
	r.begin("%s shows enviafatura", explainPage)
	r.check(invoices > 0, "no command of the page explains it")
	return nil
}

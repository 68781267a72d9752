// Docs writes docs/mapping.md from the tables the loader reads by and the
// executed cases; with -check it fails when the page is not what it would be.
// It runs in the repository's root.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/emenda-gateway/emenda/internal/reference"
)

func main() {
	check := flag.Bool("check", false, "write nothing; fail when the page is stale")
	flag.Parse()
	if err := run(*check); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(check bool) error {
	cases, err := reference.Open(".")
	if err != nil {
		return err
	}
	page, err := cases.Page()
	if err != nil {
		return err
	}
	old, err := os.ReadFile(reference.PageFile)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	switch {
	case string(old) == page:
		return nil
	case check:
		return fmt.Errorf("%s is not what it would be now: make docs writes it", reference.PageFile)
	}
	return os.WriteFile(reference.PageFile, []byte(page), 0o644) //nolint:gosec // a page for everybody
}

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/emenda-gateway/emenda/internal/foreign"
)

type contractCommand struct {
	Import contractImportCommand `cmd:"" help:"Make a contract of an OpenAPI document."`
	Diff   contractDiffCommand   `cmd:"" help:"Tell what differs between two versions of a contract, and what that breaks."`
}

// Help shows examples.
func (contractCommand) Help() string {
	return `Works on the contracts of backends.

Examples:

  emenda contract import petstore.yaml -o mappings/contracts/petstore.yaml
  emenda contract diff mappings/contracts/petstore.yaml petstore-2.yaml`
}

type contractImportCommand struct {
	File      string `arg:"" help:"The OpenAPI document, 3.0 or 3.1, in YAML or JSON."`
	Out       string `short:"o" help:"Where to write the contract; without it, to the standard output." placeholder:"FILE"`
	Overwrite bool   `help:"Replace the file when it is there already."`
}

// Help shows examples.
func (contractImportCommand) Help() string {
	return `Reads an OpenAPI document that others wrote and writes a contract that "emenda check" takes. What a contract cannot say is left out; a comment there tells so, and a line on the standard error with the document's line. Whether an operation changes anything is guessed from its method, which must be checked.

Examples:

  emenda contract import petstore.yaml
  emenda contract import petstore.json -o mappings/contracts/petstore.yaml`
}

// Run imports.
func (c *contractImportCommand) Run(s *streams) error {
	data, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	made, err := foreign.Import(c.File, data)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	for _, n := range made.Notes {
		if n.Line > 0 {
			fmt.Fprintf(s.err, "%s:%d: %s\n", c.File, n.Line, n.Message)
		} else {
			fmt.Fprintf(s.err, "%s: %s\n", c.File, n.Message)
		}
	}
	if c.Out == "" {
		_, err := fmt.Fprint(s.out, made.Contract)
		return err
	}
	if err := write(c.Out, made.Contract, c.Overwrite); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%s: %d operations; check what x-emenda-changes says of each\n", c.Out, made.Operations)
	return err
}

// write makes a file and the folder it is in, and replaces none unless told to.
func write(name, text string, overwrite bool) error {
	flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if overwrite {
		flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(name, flags, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already: give --overwrite to replace it", name)
	}
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

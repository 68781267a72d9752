package main

import "github.com/emenda-gateway/emenda/internal/schema"

type schemaCommand struct {
	Kind string `arg:"" optional:"" help:"mapping, flow, dialect, table, contract or gateway; without it, one schema that tells the kind by a file's keys."`
}

// Help shows examples.
func (schemaCommand) Help() string {
	return `Prints the JSON Schema (2020-12) of a kind of file, made of the tables of keys by which the files are read. An editor with it completes keys, shows what they mean, and marks what is wrong; "emenda check" says more. docs/editor.md shows how.

Examples:

  emenda schema > emenda.schema.json
  emenda schema mapping`
}

// Run prints a schema.
func (c *schemaCommand) Run(s *streams) error {
	text, err := schema.All()
	if c.Kind != "" {
		text, err = schema.Of(c.Kind)
	}
	if err != nil {
		return err
	}
	_, err = s.out.Write(text)
	return err
}

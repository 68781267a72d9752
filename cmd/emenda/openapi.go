package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/config"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/snapshot"
)

type openapiCommand struct {
	configFlag
	Dialect string `help:"Only what is offered in this dialect." placeholder:"NAME"`
	Caller  string `help:"Only what this caller may call." placeholder:"NAME"`
	Format  string `enum:"json,yaml" default:"json" help:"How to print it: json or yaml."`
}

// Help shows examples.
func (openapiCommand) Help() string {
	return `Prints an OpenAPI 3.1 document of everything the gateway offers, mappings and exposed operations, as gateway.yaml and the mappings say it: for client generators, testing tools, and people who call. A running gateway with gateway.docs: true shows the same at /docs.

Examples:

  emenda openapi > openapi.json
  emenda openapi --caller app --format yaml
  emenda openapi --dialect ura`
}

// Run prints the document.
func (c *openapiCommand) Run(s *streams) error {
	loaded, _, err := loadGood(c.Config, s)
	if err != nil {
		return err
	}
	caller, err := c.caller(loaded)
	if err != nil {
		return err
	}
	doc := loaded.OpenAPI(c.Dialect, caller)
	text := doc.Indented()
	if c.Format == "yaml" {
		text = doc.YAML()
	}
	_, err = s.out.Write(text)
	return err
}

// caller gives the caller that is named, and refuses names that nothing has.
func (c *openapiCommand) caller(loaded *snapshot.Loaded) (*config.Caller, error) {
	if c.Dialect != "" && loaded.Set.Dialects[c.Dialect] == nil {
		return nil, unknownName("dialect", c.Dialect, slices.Sorted(maps.Keys(loaded.Set.Dialects)))
	}
	caller := loaded.Config.Callers[c.Caller]
	if c.Caller != "" && caller == nil {
		return nil, unknownName("caller", c.Caller, slices.Sorted(maps.Keys(loaded.Config.Callers)))
	}
	return caller, nil
}

func unknownName(kind, name string, known []string) error {
	hint := "known: " + strings.Join(known, ", ")
	if near := diag.Suggest(name, known); near != "" {
		hint = "did you mean " + near + "?"
	}
	return fmt.Errorf("there is no %s %q: %s", kind, name, hint)
}

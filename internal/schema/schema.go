// Package schema gives the JSON Schema of every kind of file, for editors: made
// of the tables of keys by which the files are read.
package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/emenda-gateway/emenda/internal/config"
	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// kind is a kind of file: its name, the key that tells it, its table of keys.
type kind struct {
	name, key, title string
	shape            *yamldoc.Shape
}

// kinds are the kinds of files; the last is what has none of the others' keys.
var kinds = []kind{
	{"mapping", "route", "A mapping of Emenda", mapping.MappingShape},
	{"flow", "flow", "A flow of Emenda", mapping.FlowShape},
	{"form", "form", "A form of Emenda", mapping.FormShape},
	{"dialect", "dialect", "A dialect of Emenda", mapping.DialectShape},
	{"table", "table", "A table of Emenda", mapping.TableShape},
	{"expose", "expose", "What Emenda offers of a backend as it is", mapping.ExposeShape},
	{"contract", "openapi", "A backend's contract", contract.Shape},
	{"section", "x-emenda-section", "A section of a backend's contract", contract.SectionShape},
	{"gateway", "gateway", "Emenda's gateway.yaml", config.Shape},
}

// Kinds are the names of the kinds of files.
func Kinds() []string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.name
	}
	return names
}

// draft is the JSON Schema that the schemas are written in.
const draft = "https://json-schema.org/draft/2020-12/schema"

// Of gives the schema of one kind of file.
func Of(name string) ([]byte, error) {
	for _, k := range kinds {
		if k.name == name {
			defs := map[string]any{}
			out := k.shape.JSONSchema(defs)
			out["$schema"], out["title"], out["$defs"] = draft, k.title, defs
			return text(out)
		}
	}
	hint := "known: " + strings.Join(Kinds(), ", ")
	if near := diag.Suggest(name, Kinds()); near != "" {
		hint = "did you mean " + near + "?"
	}
	return nil, fmt.Errorf("there is no kind of file %q: %s", name, hint)
}

// All gives one schema for every kind of file: a file's keys tell which it is.
func All() ([]byte, error) {
	defs := map[string]any{}
	last := len(kinds) - 1
	out := kinds[last].shape.JSONSchema(defs)
	for i := last - 1; i >= 0; i-- {
		out = map[string]any{
			"if":   map[string]any{"required": []string{kinds[i].key}},
			"then": kinds[i].shape.JSONSchema(defs),
			"else": out,
		}
	}
	out["$schema"], out["title"], out["$defs"] = draft, "A file of Emenda", defs
	return text(out)
}

func text(schema map[string]any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(schema)
	return b.Bytes(), err
}

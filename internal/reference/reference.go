// Package reference knows every word of the language: the keys of each kind of
// file, operators, predicates, directives, functions, formats. It finds, for
// each, an executed case under mappings/testdata/language, tells which have
// none, and writes docs/mapping.md from the same tables the loader reads by.
// Nothing is only parsed: a word without a case that ran fails the tests.
package reference

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/config"
	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/snapshot"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
	"github.com/emenda-gateway/emenda/plugins"
)

// CasesFolder is where the executed cases stand, below the repository's root.
const CasesFolder = "mappings/testdata/language"

// FileKind is a kind of file of the language.
type FileKind struct {
	Name  string // "mapping", as the root key that tells it, or what the docs call it
	Shape *yamldoc.Shape
	Whole string // the case file the docs show whole
}

// FileKinds gives every kind, in the order of the docs.
func FileKinds() []FileKind {
	return []FileKind{
		{"mapping", mapping.MappingShape, "catch.yaml"},
		{"flow", mapping.FlowShape, "flows/order_of.yaml"},
		{"form", mapping.FormShape, "forms/order.yaml"},
		{"dialect", mapping.DialectShape, "dialects/forms.yaml"},
		{"table", mapping.TableShape, "tables/states.yaml"},
		{"expose", mapping.ExposeShape, "club_offered.yaml"},
		{"contract", contract.Shape, "contracts/demo.yaml"},
		{"section", contract.SectionShape, "contracts/club/members.yaml"},
		{"gateway.yaml", config.Shape, "gateway.yaml"},
	}
}

// Cases are the executed cases, loaded: what the loader made of them, and
// their files as nodes.
type Cases struct {
	Root      string // the repository
	Loaded    *snapshot.Loaded
	Functions *expr.Functions
	Formats   map[string]*expr.Format
	Files     []*CaseFile // by name
}

// CaseFile is one file of the cases.
type CaseFile struct {
	Name string // below CasesFolder
	Kind string // FileKind.Name
	File *diag.File
	Node *yamldoc.Node
}

// Open loads the cases of the repository at root. Anything the checker has to
// say about them, warnings too, is an error.
func Open(root string) (*Cases, error) {
	folder := filepath.Join(root, filepath.FromSlash(CasesFolder))
	loaded, list := snapshot.Load(filepath.Join(folder, "gateway.yaml"))
	if len(list) > 0 {
		return nil, errors.New(list.Text())
	}
	c := &Cases{Root: root, Loaded: loaded, Formats: plugins.Formats()}
	var err error
	if c.Functions, err = expr.NewFunctions(plugins.Functions()...); err != nil {
		return nil, err
	}
	return c, c.read(folder)
}

// read parses every YAML file of the folder once more, as nodes.
func (c *Cases) read(folder string) error {
	return filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".yaml" {
			return err
		}
		text, err := os.ReadFile(path) //nolint:gosec // a file of the repository
		if err != nil {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		f := &CaseFile{Name: filepath.ToSlash(name), File: diag.NewFile(filepath.ToSlash(path), string(text))}
		root, list := yamldoc.Parse(f.File)
		if list.HasErrors() {
			return errors.New(list.Text())
		}
		f.Node = root
		if f.Kind = kindOf(root); f.Kind == "" {
			return fmt.Errorf("%s is of no known kind", f.Name)
		}
		c.Files = append(c.Files, f)
		return nil
	})
}

// kindOf tells a file's kind by its keys.
func kindOf(root *yamldoc.Node) string {
	for _, k := range []struct{ key, kind string }{
		{"route", "mapping"}, {"flow", "flow"}, {"form", "form"}, {"dialect", "dialect"}, {"table", "table"}, {"expose", "expose"}, {"openapi", "contract"}, {"x-emenda-section", "section"}, {"backends", "gateway.yaml"},
	} {
		if root.Get(k.key) != nil {
			return k.kind
		}
	}
	return ""
}

// Plain gives name without the folder the cases stand in.
func (c *Cases) plain(f *diag.File) string {
	_, name, _ := strings.Cut(f.Name, CasesFolder+"/")
	return name
}

// KeyID names a key: the shape it belongs to, and its own name. Shapes that
// several kinds of file share have their keys once.
type KeyID struct{ Shape, Key string }

// String gives "step.call".
func (k KeyID) String() string { return k.Shape + "." + k.Key }

// ShapeOf is one shape with keys and the kinds of file it occurs in.
type ShapeOf struct {
	Shape *yamldoc.Shape
	Kinds []string
}

// Shapes gives every shape with keys, those of the first kind first, in the order they occur.
func Shapes() []*ShapeOf {
	var all []*ShapeOf
	byName := map[string]*ShapeOf{}
	for _, kind := range FileKinds() {
		eachShape(kind.Shape, func(s *yamldoc.Shape) {
			known := byName[s.Name]
			if known == nil {
				known = &ShapeOf{Shape: &yamldoc.Shape{Name: s.Name, Form: s.Form, Doc: s.Doc}}
				byName[s.Name] = known
				all = append(all, known)
			}
			if !slices.Contains(known.Kinds, kind.Name) {
				known.Kinds = append(known.Kinds, kind.Name)
			}
			for _, k := range s.Keys { // tests of mappings and of flows have some keys of their own
				if known.Shape.Key(k.Name) == nil {
					known.Shape.Keys = append(known.Shape.Keys, k)
				}
			}
		})
	}
	return all
}

// eachShape calls do for every shape with keys below s, each once.
func eachShape(s *yamldoc.Shape, do func(*yamldoc.Shape)) {
	seen := map[*yamldoc.Shape]bool{}
	var walk func(s *yamldoc.Shape)
	walk = func(s *yamldoc.Shape) {
		if s == nil || seen[s] {
			return
		}
		seen[s] = true
		if s.Form == yamldoc.ObjectForm {
			do(s)
		}
		for i := range s.Keys {
			if s.Keys[i].Later == "" {
				walk(s.Keys[i].Shape)
			}
		}
		walk(s.Elem)
		for _, a := range s.Alts {
			walk(a)
		}
	}
	walk(s)
}

// Keys gives every key that has a meaning.
func Keys() []KeyID {
	var all []KeyID
	for _, s := range Shapes() {
		for _, k := range s.Shape.Keys {
			if k.Later == "" {
				all = append(all, KeyID{s.Shape.Name, k.Name})
			}
		}
	}
	return all
}

// sortedKeys gives the keys of m in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

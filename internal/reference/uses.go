package reference

import (
	"slices"
	"strconv"
	"strings"

	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// Use is one place where a case file uses a key.
type Use struct {
	Key   KeyID
	File  *CaseFile
	Path  []string       // the keys and numbers that lead to the object: steps, found, catch
	Owner *yamldoc.Node  // the object that has the key
	Name  *yamldoc.Node  // the key the object stands under, nil for elements of lists
	Entry *yamldoc.Entry // the key and its value
}

// WordUse is one place where a case file uses a word of expressions, or a format.
type WordUse struct {
	expr.Word
	File *CaseFile
	Path []string
	Node *yamldoc.Node // the scalar, map or list it stands in
}

// uses is everything a file is made of.
type uses struct {
	keys    []Use
	words   []WordUse
	formats []WordUse
	file    *CaseFile
	root    *yamldoc.Node
}

// usesOf walks a file along the shape of its kind.
func usesOf(f *CaseFile) *uses {
	u := &uses{file: f, root: f.Node}
	for _, k := range FileKinds() {
		if k.Name == f.Kind {
			u.walk(f.Node, k.Shape, nil, nil)
		}
	}
	return u
}

func (u *uses) walk(n *yamldoc.Node, s *yamldoc.Shape, path []string, name *yamldoc.Node) {
	if n == nil || s == nil {
		return
	}
	switch s.Form {
	case yamldoc.AltForm:
		for _, a := range s.Alts {
			if a.Accepts(n.Kind) {
				u.walk(n, a, path, name)
				return
			}
		}
	case yamldoc.ListForm:
		for i, item := range n.Items {
			u.walk(item, s.Elem, down(path, strconv.Itoa(i)), nil)
		}
	case yamldoc.MapForm:
		for i := range n.Entries {
			e := &n.Entries[i]
			u.walk(e.Value, s.Elem, down(path, e.Key.Text), e.Key)
		}
	case yamldoc.ObjectForm:
		for i := range n.Entries {
			e := &n.Entries[i]
			k := s.Key(e.Key.Text)
			if k == nil {
				continue
			}
			u.keys = append(u.keys, Use{Key: KeyID{s.Name, k.Name}, File: u.file, Path: path, Owner: n, Name: name, Entry: e})
			if s.Name == "input field" && k.Name == "format" {
				u.formats = append(u.formats, WordUse{Word: expr.Word{Name: e.Value.Text, At: e.Value.Span}, File: u.file, Path: path, Node: e.Value})
			}
			u.walk(e.Value, k.Shape, down(path, e.Key.Text), e.Key)
			if k.Name == "$ref" {
				u.follow(e.Value, s, path)
			}
		}
	case yamldoc.ConditionForm:
		u.expressions(n, expr.Source{Node: n, Bare: true}, path)
	case yamldoc.ValueForm:
		u.expressions(n, expr.Source{Node: n}, path)
	}
}

// follow walks what a contract's $ref names as if it stood in its place.
func (u *uses) follow(ref *yamldoc.Node, s *yamldoc.Shape, path []string) {
	if path[0] != "paths" {
		return
	}
	n := u.root
	for _, part := range strings.Split(strings.TrimPrefix(ref.Text, "#/"), "/") {
		if n = n.Get(part); n == nil {
			return
		}
	}
	u.walk(n, s, path, nil)
}

func (u *uses) expressions(n *yamldoc.Node, source expr.Source, path []string) {
	for _, w := range expr.Words(source) {
		u.words = append(u.words, WordUse{Word: w, File: u.file, Path: path, Node: n})
	}
}

func down(path []string, name string) []string { return append(slices.Clip(path), name) }

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/jsonx"
)

// A tree is a JSON body taken apart: maps, lists, texts, json.Number, truths and nil.

func parse(body []byte) (tree any, err error) {
	if len(body) == 0 {
		return nil, fmt.Errorf("no body")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	err = d.Decode(&tree)
	return tree, err
}

func written(tree any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(tree); err != nil {
		panic(err) // trees are made of what JSON has
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// removed in place of a value takes a member away.
type removed struct{}

// with gives a copy of a tree with another value at a place.
func with(tree any, path []string, v any) any {
	if len(path) == 0 {
		return v
	}
	switch t := tree.(type) {
	case map[string]any:
		t = maps.Clone(t)
		inner := with(t[path[0]], path[1:], v)
		if _, gone := inner.(removed); gone {
			delete(t, path[0])
		} else {
			t[path[0]] = inner
		}
		return t
	case []any:
		t = slices.Clone(t)
		if i, err := strconv.Atoi(path[0]); err == nil && i < len(t) {
			t[i] = with(t[i], path[1:], v)
		}
		return t
	}
	return tree
}

// pointerOf spells a place as RFC 6901 does.
func pointerOf(path []string) string {
	var b strings.Builder
	for _, p := range path {
		b.WriteString("/" + jsonx.PointerToken(p))
	}
	return b.String()
}

// samples are texts that fit the patterns and formats there are.
var samples = []string{"5", "31-12-2026", "31/12/2026 10:20", "31122026", "2026-12-31", "SP", "aGk=", "texto", "texto de exemplo"}

// sample makes a value that fits a schema, with what it must have and no more; ok is false when none was found.
func sample(s *contract.Schema) (v any, ok bool) {
	has := func(t contract.Types) bool { return s.Types&t != 0 }
	for _, e := range s.Enum {
		if !e.None() {
			v, err := parse(e.AppendJSON(nil))
			return v, err == nil
		}
	}
	switch {
	case s.Types == 0 || has(contract.IsString):
		for _, text := range samples {
			n := len(text)
			if n >= s.Lengths.Fewest && (s.Lengths.Most < 0 || n <= s.Lengths.Most) && (s.Pattern == nil || s.Pattern.MatchString(text)) {
				return text, true
			}
		}
		text := strings.Repeat("5", max(s.Lengths.Fewest, 1))
		return text, s.Pattern == nil || s.Pattern.MatchString(text)
	case has(contract.IsInteger | contract.IsNumber):
		for _, text := range []string{"1", "0", "5", "10", "100"} {
			d, _ := jsonx.ParseDecimal(text)
			if (s.Least == nil || d.Cmp(*s.Least) >= 0) && (s.Most == nil || d.Cmp(*s.Most) <= 0) &&
				(s.Above == nil || d.Cmp(*s.Above) > 0) && (s.Below == nil || d.Cmp(*s.Below) < 0) {
				return json.Number(text), true
			}
		}
		return nil, false
	case has(contract.IsBoolean):
		return true, true
	case has(contract.IsArray):
		list := []any{}
		for range max(s.Elements.Fewest, 1) {
			e := any("texto")
			if s.Items != nil {
				if e, ok = sample(s.Items); !ok {
					return nil, false
				}
			}
			list = append(list, e)
		}
		return list, true
	case has(contract.IsObject):
		return mended(s, map[string]any{}), true
	}
	return nil, has(contract.IsNull)
}

// mended is a value with what it lacks.
func mended(s *contract.Schema, tree any) any {
	switch t := tree.(type) {
	case map[string]any:
		t = maps.Clone(t)
		for i := range s.Fields {
			f := &s.Fields[i]
			if have, ok := t[f.Name]; ok && have != nil {
				t[f.Name] = mended(f.Schema, have)
			} else if f.Required {
				if v, ok := sample(f.Schema); ok {
					t[f.Name] = v
				}
			}
		}
		return t
	case []any:
		t = slices.Clone(t)
		for i := range t {
			if s.Items != nil {
				t[i] = mended(s.Items, t[i])
			}
		}
		return t
	}
	return tree
}

package expr

import "slices"

// Origin is where a value comes from: a name, and the members on the way from
// it (".items[].id"; "" for the whole).
type Origin struct {
	Root, Path string
	made       bool // it was made of that, and has no members in common with it
	shallow    bool // only whether it is there, or how many parts it has
}

// Shallow tells whether only that there is something counts, or how many parts
// it has: what stands in it has no say.
func (o Origin) Shallow() bool { return o.shallow }

// Flow is what is known of a value before there is one: of what it is made,
// and what decides about it. A value may be known in parts (Fields, Elem), as a
// whole (From), or both.
type Flow struct {
	From    []Origin         // the value comes from these
	Decided []Origin         // these decide which value it is, or whether there is one
	Fields  map[string]*Flow // members that are known one by one
	Order   []string         // names of Fields
	Elem    *Flow            // the elements of a list
	Type    *Type            // of From, where it is known
	Present []Origin         // what tells whether there is a value and how many parts it has, beside From and Decided
	maybe   bool             // there may be no value
}

// OriginFlow is a value that comes as it is from one place.
func OriginFlow(root string, t *Type) *Flow {
	return &Flow{From: []Origin{{Root: root}}, Type: t}
}

// Set adds a member, or replaces one.
func (f *Flow) Set(name string, of *Flow) {
	if f.Fields == nil {
		f.Fields = map[string]*Flow{}
	}
	if f.Fields[name] == nil {
		f.Order = append(f.Order, name)
	}
	f.Fields[name] = of
}

// Delete takes a known member away.
func (f *Flow) Delete(name string) {
	delete(f.Fields, name)
	f.Order = slices.DeleteFunc(f.Order, func(n string) bool { return n == name })
}

// Copy gives a copy whose members can be set without changing f's.
func (f *Flow) Copy() *Flow {
	out := *f
	out.Fields, out.Order = nil, nil
	for _, name := range f.Order {
		out.Set(name, f.Fields[name])
	}
	return &out
}

// Origins gives all that a value, whole or in parts, comes from or is decided by, each once.
func (f *Flow) Origins() []Origin {
	var out []Origin
	f.gather(&out, true)
	return out
}

// Whole gives what a value as one comes from and is decided by, without its parts.
func (f *Flow) Whole() *Flow { return computed(f) }

// gather collects what f and its parts come from, and with all what decides about them.
func (f *Flow) gather(into *[]Origin, all bool) {
	if f == nil {
		return
	}
	*into = add(*into, f.From...)
	if all {
		*into = add(*into, f.Decided...)
	}
	for _, name := range f.Order {
		f.Fields[name].gather(into, all)
	}
	f.Elem.gather(into, all)
}

// add gives into with more, each once, in memory of its own where something is added.
func add(into []Origin, more ...Origin) []Origin {
	own := false
	for _, o := range more {
		if slices.Contains(into, o) {
			continue
		}
		if !own {
			into, own = append(make([]Origin, 0, len(into)+len(more)), into...), true
		}
		into = append(into, o)
	}
	return into
}

// decidedBy gives f, decided by more.
func (f *Flow) decidedBy(more []Origin) *Flow {
	if len(more) == 0 {
		return f
	}
	out := *f
	out.Decided = add(out.Decided, more...)
	return &out
}

// JoinFlows gives what is known of a value that is one of several.
func JoinFlows(all ...*Flow) *Flow {
	out := &Flow{}
	first := true
	for _, f := range all {
		if f == nil {
			continue
		}
		if len(f.From) > 0 {
			if first {
				out.Type = f.Type
			} else if out.Type != f.Type {
				out.Type = nil
			}
			first = false
		}
		out.From, out.Decided = add(out.From, f.From...), add(out.Decided, f.Decided...)
		out.Present = add(out.Present, f.Present...)
		out.maybe = out.maybe || f.maybe
		for _, name := range f.Order {
			member := f.Fields[name]
			if have := out.Fields[name]; have != nil {
				member = JoinFlows(have, member)
			}
			out.Set(name, member)
		}
		if f.Elem != nil && out.Elem != nil {
			out.Elem = JoinFlows(out.Elem, f.Elem)
		} else if f.Elem != nil {
			out.Elem = f.Elem
		}
	}
	return out
}

// computed gives what is known of a value that is reckoned from others.
func computed(all ...*Flow) *Flow {
	out := &Flow{}
	for _, f := range all {
		var from []Origin
		f.gather(&from, false)
		for _, o := range from {
			o.made = true
			out.From = add(out.From, o)
		}
		var every []Origin
		f.gather(&every, true)
		for _, o := range every {
			if !slices.Contains(from, o) {
				out.Decided = add(out.Decided, o)
			}
		}
	}
	return out
}

// tested gives what is known of the outcome of a test: it is decided, and holds nothing.
func tested(all ...*Flow) *Flow {
	out := &Flow{}
	for _, f := range all {
		f.gather(&out.Decided, true)
	}
	return out
}

// present gives what is known of the test whether there is a value: its parts have no say.
func present(f *Flow) *Flow {
	return &Flow{Decided: add(add(shallow(f.From), f.Decided...), f.Present...)}
}

// shallow gives the origins as what is there, whatever stands in it.
func shallow(all []Origin) []Origin {
	var out []Origin
	for _, o := range all {
		o.shallow = true
		out = add(out, o)
	}
	return out
}

// counted gives what is known of a length: the elements themselves have no part in it.
func counted(f *Flow) *Flow {
	out := &Flow{Decided: f.Decided}
	if f.Elem == nil && f.Fields == nil {
		out = computed(f)
	}
	out.From = nil
	for _, o := range add(f.From, f.Present...) {
		o.made, o.shallow = true, true
		out.From = add(out.From, o)
	}
	return out
}

// Extent gives all that decides whether there is a value, and how many parts it has.
func (f *Flow) Extent() []Origin { return present(f).Decided }

// from gives what is below each of f's places, and its type.
func (f *Flow) from(below string, t *Type) *Flow {
	out := &Flow{Decided: f.Decided, Type: t}
	for _, o := range f.From {
		if !o.made {
			o.Path += below
		}
		out.From = add(out.From, o)
	}
	return out
}

// Member gives what is known of a member.
func (f *Flow) Member(name string) *Flow {
	var t *Type
	if f.Type != nil {
		if of, ok := f.Type.field(name); ok {
			t = of.Type
		}
	}
	below := "." + name
	if !identifier(name) {
		below = `["` + name + `"]`
	}
	out := f.from(below, t)
	if known := f.Fields[name]; known != nil {
		return JoinFlows(known, out)
	}
	return out
}

// Element gives what is known of an element: the one that index names, or any ("").
func (f *Flow) Element(index string) *Flow {
	var t *Type
	if f.Type != nil && f.Type.Kind == ListType {
		t = f.Type.Elem
	}
	out := f.from("["+index+"]", t)
	if f.Elem != nil {
		return JoinFlows(f.Elem, out)
	}
	return out
}

// listed gives what is known of list(x): a list stays, else it is a list of one.
func listed(f *Flow) *Flow {
	if f.Elem != nil || f.Fields == nil && (f.Type == nil || f.Type.Kind == AnyType || f.Type.Kind == ListType) {
		return f
	}
	return &Flow{Elem: f}
}

// pointedFlow gives what is known of pointed(x, at): x itself is the value of
// the only element, or its elements are.
func pointedFlow(f *Flow) *Flow {
	value := f
	switch {
	case f.Elem != nil || f.Type != nil && f.Type.Kind == ListType:
		value = f.Element("")
	case f.Fields == nil && (f.Type == nil || f.Type.Kind == AnyType):
		value = JoinFlows(f.Element(""), f)
	}
	elem := &Flow{}
	elem.Set("pointer", &Flow{})
	elem.Set("value", value)
	return &Flow{Elem: elem, Present: shallow(f.From), Decided: f.Decided}
}

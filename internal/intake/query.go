package intake

import (
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

// Pairs are the fields of a query, as they came. They can be read into again.
type Pairs struct{ all []pair }

// Read reads a request's query alone, on memory of a.
func (p *Pairs) Read(a *jsonx.Arena, r *Request, d *mapping.Dialect) *Problem {
	p.Reset()
	if r.Query == "" {
		return nil
	}
	all, why := readForm(a, p.all, r.Query, d.Charsets, "")
	if p.all = all; why != "" {
		return &Problem{Kind: mapping.Unreadable, Message: string(why)}
	}
	return nil
}

// Reset forgets them, and keeps the memory.
func (p *Pairs) Reset() {
	clear(p.all)
	p.all = p.all[:0]
}

// Get gives the value of a field: a text, a list of texts when it comes more than once, Absent when it does not.
func (p *Pairs) Get(name string) jsonx.Value {
	var v jsonx.Value
	for i := range p.all {
		if p.all[i].name != name {
			continue
		}
		if v.Kind() != jsonx.Absent {
			return p.list(name)
		}
		v = jsonx.TextValue(p.all[i].value)
	}
	return v
}

func (p *Pairs) list(name string) jsonx.Value {
	text := []byte{'['}
	for i := range p.all {
		if p.all[i].name != name {
			continue
		}
		if len(text) > 1 {
			text = append(text, ',')
		}
		text = jsonx.AppendQuoted(text, p.all[i].value)
	}
	return jsonx.RawValue(string(append(text, ']')))
}

// Object gives all fields as an object of texts; of one that comes more than once, the first.
func (p *Pairs) Object(a *jsonx.Arena) jsonx.Value {
	m := a.Mark()
	b := append(a.Buf(), '{')
	for i := range p.all {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(jsonx.AppendQuoted(b, p.all[i].name), ':')
		b = jsonx.AppendQuoted(b, p.all[i].value)
	}
	a.SetBuf(append(b, '}'))
	return a.Index(a.Text(m))
}

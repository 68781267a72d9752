package contract

import (
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
)

// Shown gives an answer of the operation as JSON, without the fields that the
// contract calls secret; "" when there is none, or when secrets may lie deeper.
func (o *Operation) Shown(v jsonx.Value) string {
	if v.None() {
		return ""
	}
	doc := v.AppendJSON(nil)
	if o.Answer == nil {
		return string(doc)
	}
	for name, f := range o.Answer.Fields {
		switch {
		case f.Type == nil:
		case f.Type.Secret:
			less, err := jsonx.Delete(doc, name)
			if err != nil {
				return ""
			}
			doc = less
		case secretWithin(f.Type, 0):
			return ""
		}
	}
	if o.Answer.Secret || secretWithin(o.Answer.Elem, 0) {
		return ""
	}
	return string(doc)
}

// secretWithin tells whether something in a type is secret, as deep as types of answers go.
func secretWithin(t *expr.Type, depth int) bool {
	if t == nil || depth > 32 {
		return depth > 32
	}
	if t.Secret || secretWithin(t.Elem, depth+1) {
		return true
	}
	for _, f := range t.Fields {
		if secretWithin(f.Type, depth+1) {
			return true
		}
	}
	return false
}

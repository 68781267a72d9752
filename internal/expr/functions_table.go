package expr

import (
	"fmt"
	"maps"
	"slices"

	"github.com/emenda-gateway/emenda/internal/jsonx"
)

func tableFunctions() []*Function {
	return []*Function{{
		Name: "table",
		Params: []Param{
			{Name: "table", Type: textType, Literal: true},
			{Name: "key", Type: textType},
		},
		Help:    "The row of the table for the key; for an unknown key what the table says: its row for that, no value, or an error.",
		Example: Example{Expr: `table("plans", "A")?.label`, Gives: `"Basic"`},
		Check: func(s *Scope, _ []*Type, literals []string) (*Type, error) {
			t := s.Tables[literals[0]]
			if t == nil {
				names := slices.Sorted(maps.Keys(s.Tables))
				return toldType, fmt.Errorf("there is no table %q%s", literals[0], didYouMean(literals[0], names))
			}
			row := t.Row
			if row == nil {
				row = anyType
			}
			if !t.Fails && t.Unknown.None() {
				row = row.Nullable()
			}
			return row, nil
		},
		Bind: func(s *Scope, _ []*Type, literals []string) EvalFunc {
			t := s.Tables[literals[0]]
			return func(f *Frame, args []jsonx.Value) jsonx.Value {
				key, ok := textArg(f, "table", args[1])
				if !ok {
					return jsonx.Value{}
				}
				row, ok := t.Rows[key]
				if t.Asked != nil {
					t.Asked(key, ok)
				}
				switch {
				case ok:
					return row
				case t.Fails:
					return f.Fail("table %q has no row for this key", t.Name)
				}
				return t.Unknown
			}
		},
	}}
}

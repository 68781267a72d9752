package expr

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// exampleZone and exampleNow are what `now` is in examples.
var (
	exampleZone = time.FixedZone("", -3*3600)
	exampleNow  = time.Date(2026, 3, 5, 18, 16, 1, 0, exampleZone)
)

// exampleScope is what examples may name, as Example promises.
func exampleScope(fs *Functions) (*Scope, error) {
	layout := new(Layout)
	s := NewScope(layout, fs, map[string]*Table{"plans": {
		Name: "plans",
		Row: &Type{Kind: ObjectType, Order: []string{"code", "label"}, Fields: map[string]*Field{
			"code": {Type: integerType}, "label": {Type: textType},
		}},
		Rows: map[string]jsonx.Value{"A": jsonx.RawValue(`{"code":1,"label":"Basic"}`)},
	}})
	return s, s.Define(&Name{Name: "now", Type: timeType, Slot: layout.NewSlot()})
}

// Run compiles the example with the functions fs, evaluates it and gives the
// JSON that came out, "" for no value. It is the one place that knows what
// examples may name; tests and docs go through it.
func (e Example) Run(fs *Functions) (string, error) {
	scope, err := exampleScope(fs)
	if err != nil {
		return "", err
	}
	// Single quotes keep everything but themselves.
	text := "'${" + strings.ReplaceAll(e.Expr, "'", "''") + "}'"
	node, faults := yamldoc.Parse(diag.NewFile("example", text))
	if faults.HasErrors() {
		return "", errors.New(faults.Text())
	}
	template, faults := CompileTemplate(node, scope, Target{What: "the example", Optional: true})
	if faults.HasErrors() {
		return "", errors.New(faults.Text())
	}
	frame := NewFrame(scope.Layout, exampleNow, exampleZone)
	defer frame.Release()
	gives := string(template.AppendJSON(nil, frame))
	if err := frame.Err(); err != nil {
		return "", fmt.Errorf("%s: %w", e.Expr, err)
	}
	return gives, nil
}

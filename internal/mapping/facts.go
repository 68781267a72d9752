package mapping

import (
	"time"

	"github.com/emenda-gateway/emenda/internal/config"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// facts are what mappings may know of gateway.yaml.
type facts struct {
	consts    jsonx.Value
	constType *expr.Type
	memories  map[string]*Memory
	callers   map[string]string // name → dialect
	bare      map[string]bool   // backends without a contract
}

// readFacts reads a configuration; nil is one that says nothing.
func readFacts(c *config.Config) facts {
	f := facts{
		consts: jsonx.RawValue("{}"), constType: record("const"),
		memories: map[string]*Memory{}, callers: map[string]string{}, bare: map[string]bool{},
	}
	if c == nil {
		return f
	}
	if c.Const != nil && c.Const.Kind == yamldoc.Map {
		var told diag.List // what is wrong with gateway.yaml is told where it is read
		f.consts = constantValue(c.Const, &told)
		f.constType = typeOfValue(f.consts)
		f.constType.Label = "const"
	}
	for name, m := range c.Memory {
		f.memories[name] = memoryOf(m)
	}
	for name, b := range c.Backends {
		if b.Bare {
			f.bare[name] = true
		}
	}
	for name, caller := range c.Callers {
		f.callers[name] = caller.Dialect
	}
	return f
}

func memoryOf(m *config.Memory) *Memory {
	out := &Memory{
		Name: m.Name, Key: scalarType(m.Key), Count: m.Count, Per: m.Per,
		Durable: m.Durable, Refuse: !m.Allow, Personal: m.Personal, For: parsed(m.For),
	}
	if m.Count {
		return out
	}
	v := record("memory " + m.Name)
	for _, f := range m.Value {
		v.Order = append(v.Order, f.Name)
		v.Fields[f.Name] = &expr.Field{Type: scalarType(f.Type), Required: true}
	}
	out.Value = v
	return out
}

func parsed(s string) time.Duration {
	d, err := yamldoc.ParseDuration(s)
	if err != nil {
		return 0
	}
	return d
}

// scalarType gives the type JSON Schema's word means.
func scalarType(word string) *expr.Type {
	switch word {
	case "integer":
		return integerType
	case "number":
		return &expr.Type{Kind: expr.NumberType}
	case "boolean":
		return boolType
	default:
		return textType
	}
}

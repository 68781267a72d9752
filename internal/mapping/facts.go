package mapping

import (
	"github.com/emenda-gateway/emenda/internal/config"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
)

// facts are what mappings may know of gateway.yaml.
type facts struct {
	consts    jsonx.Value
	constType *expr.Type
	memories  map[string]*Memory
	callers   map[string]string // name → dialect
}

func readFacts(*config.Config) facts {
	return facts{consts: jsonx.RawValue("{}"), constType: record("const"), memories: map[string]*Memory{}, callers: map[string]string{}}
}

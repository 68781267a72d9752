package mapping

import (
	"github.com/emenda-gateway/emenda/internal/config"
	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
)

// World is what mappings are checked against.
type World struct {
	Config    *config.Config
	Contracts map[string]*contract.Contract
	Functions *expr.Functions
	Formats   map[string]*expr.Format
}

// Load checks and compiles the files of a mappings folder (contracts apart):
// mappings, flows, dialects, tables and the text templates they name.
// texts holds every other file of the folder by its path, for `template:` and `$file`.
func Load(files []*diag.File, texts map[string]*diag.File, w World) (*Set, diag.List) {
	panic("not built")
}

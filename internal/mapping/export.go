package mapping

import (
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// ConstantJSON gives a checked constant of a test as JSON.
func ConstantJSON(n *yamldoc.Node) []byte {
	var already diag.List // Load has reported what is wrong with it
	return constantJSON(nil, n, &already)
}

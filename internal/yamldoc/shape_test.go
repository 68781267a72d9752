package yamldoc_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// Text that stands for a variable passes every scalar shape that says so; other text does not.
func TestEnvPasses(t *testing.T) {
	s := &yamldoc.Shape{Form: yamldoc.IntForm, Env: true}
	root, _ := yamldoc.Parse(diag.NewFile("f.yaml", "${env:N:-5}"))
	require.Empty(t, yamldoc.Check(root, s))
	root, _ = yamldoc.Parse(diag.NewFile("f.yaml", "five"))
	require.Equal(t, "expected a whole number, this is text", yamldoc.Check(root, s)[0].Message)
}

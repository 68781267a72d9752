package contract_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
)

// load reads text as a contract that must be good.
func load(t testing.TB, name, text string) *contract.Contract {
	t.Helper()
	fns, err := expr.NewFunctions()
	require.NoError(t, err)
	c, list := contract.Load(name, diag.NewFile(name+".yaml", text), fns)
	require.Empty(t, list.Text())
	require.NotNil(t, c)
	return c
}

func erp(t testing.TB) *contract.Contract {
	t.Helper()
	text, err := os.ReadFile("../../mappings/contracts/erp.yaml")
	require.NoError(t, err)
	return load(t, "erp", string(text))
}

func TestERP(t *testing.T) {
	c := erp(t)
	require.Len(t, c.Operations, 6)
}

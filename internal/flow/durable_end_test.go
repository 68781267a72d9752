package flow

import (
	"encoding/json"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

// What is recorded of an answer is read when its memory is another answer's already.
func TestEndLivesOnWithoutItsAnswer(t *testing.T) {
	memory := []byte(`"SIMCARD NAO DISPONIVEL"`)
	text := unsafe.String(&memory[0], len(memory))
	res := result{
		state: contract.Refused, class: contract.ClassBusiness, message: text[1 : len(text)-1], answer: text,
		header: []contract.Header{{Name: text, Value: text}}, body: jsonx.RawValue(text),
	}
	e := endOf(&res, 0, &mapping.Step{Meta: 1})
	before, err := json.Marshal(e)
	require.NoError(t, err)
	require.Equal(t, 5, strings.Count(string(before), "SIMCARD NAO DISPONIVEL"), "%s", before)
	copy(memory, `"OF SOMEBODY ELSE      "`)
	after, err := json.Marshal(e)
	require.NoError(t, err)
	require.Equal(t, string(before), string(after))
}

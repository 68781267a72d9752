package rehearse_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/backend"
	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/rehearse"
)

// TestBook: entries answer in their order and as often as they say; what none
// answers is answered otherwise, or a problem.
func TestBook(t *testing.T) {
	item := &contract.Operation{Backend: "shop", ID: "item", AnswerKind: contract.TextAnswer}
	other := &contract.Operation{Backend: "shop", ID: "other", AnswerKind: contract.TextAnswer}
	text := func(op *contract.Operation, s string, times int) *mapping.TestCall {
		return &mapping.TestCall{Operation: op, Text: &s, Times: times}
	}
	twice, never := text(item, "twice", 2), text(other, "never", 1)
	for name, c := range map[string]struct {
		otherwise func(op *contract.Operation) *mapping.TestCall
		third     string
	}{
		"otherwise": {func(op *contract.Operation) *mapping.TestCall { return text(op, "otherwise", 1) }, "ok otherwise"},
		"a problem": {nil, "failed "},
	} {
		t.Run(name, func(t *testing.T) {
			b := rehearse.NewBook([]*mapping.TestCall{twice, never}, c.otherwise)
			var told []*mapping.TestCall
			b.Told = func(_ *backend.Call, by *mapping.TestCall, _ *backend.Answer) { told = append(told, by) }
			var said []string
			for range 3 {
				a := b.Call(context.Background(), &backend.Call{Operation: item})
				said = append(said, a.State.String()+" "+a.Body.Text())
				a.Release()
			}
			require.Equal(t, []string{"ok twice", "ok twice", c.third}, said)
			require.Len(t, told, 3)
			require.Same(t, twice, told[0])
			require.Equal(t, c.otherwise == nil, told[2] == nil)
			require.Equal(t, []*mapping.TestCall{never}, b.Left())
		})
	}
}

// A reading call with retry is made again when its answer was lost, and each attempt is told.
func TestBookRetries(t *testing.T) {
	op := &contract.Operation{Backend: "shop", ID: "item", AnswerKind: contract.TextAnswer}
	good := "good"
	b := rehearse.NewBook([]*mapping.TestCall{{Operation: op, Fail: "timeout"}, {Operation: op, Text: &good}}, nil)
	attempts := 0
	b.Told = func(*backend.Call, *mapping.TestCall, *backend.Answer) { attempts++ }
	a := b.Call(context.Background(), &backend.Call{Operation: op, Retries: 2})
	defer a.Release()
	require.Equal(t, "good", a.Body.Text())
	require.Equal(t, 2, a.Attempts)
	require.Equal(t, 2, attempts)
	require.Empty(t, b.Rest())
}

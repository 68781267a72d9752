//go:build !race

package expr

// With the race detector sync.Pool forgets on purpose, so that nothing can be said of allocations.

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/jsonx"
)

func TestFunctionsDoNotAllocate(t *testing.T) {
	s := newExampleScope(t)
	f := saoPauloFrame(t, s.Layout)
	defer f.Release()
	for _, call := range []string{
		`mask | "12345678900" | "###.***.###-**"`,
		`digits | "12.345-6"`,
		`pad_left | "42" | 5 | "0"`,
		`replace | "a.b" | "." | ","`,
		`split | "a,b" | ","`,
		`join | ["a","b"] | ","`,
		`round | 10.345 | 2`,
		`money_sum | [{"v":112.40},{"v":7}] | "v"`,
		`sort_by | [{"n":2},{"n":1},{"n":3}] | "-n"`,
		`unique | [1,2,1]`,
		`table | "plans" | "A"`,
		`date | "31-01-2026" | "dd-MM-yyyy" | "yyyy-MM-dd"`,
		`date | now | "yyyyMMddHHmmss"`,
		`minutes_since | 1772745361000 | "epoch_ms"`,
	} {
		t.Run(call, func(t *testing.T) {
			parts := strings.Split(call, " | ")
			fn, _ := s.Functions.Find(parts[0])
			var args []jsonx.Value
			var types []*Type
			var literals []string
			for _, part := range parts[1:] {
				v := jsonx.RawValue(part)
				if part == "now" {
					v = jsonx.TextValue("2026-03-05T18:16:01-03:00")
				}
				args, types, literals = append(args, v), append(types, typeOfValue(v)), append(literals, v.Text())
			}
			eval := fn.For(s, types, literals)
			allocs := testing.AllocsPerRun(50, func() {
				f.SetFuel(DefaultFuel)
				f.Arena.Reset()
				eval(f, args)
			})
			require.Nil(t, f.Err())
			require.Zero(t, allocs)
		})
	}
}

func TestPlaceholdersDoNotAllocate(t *testing.T) {
	p, faults := CompilePlaceholders(diag.NewFile("t.json", `{"a": "_A_", "b": _B_}`), []string{"_A_", "_B_"}, nil)
	require.Empty(t, faults)
	f := NewFrame(new(Layout), time.Time{}, nil)
	defer f.Release()
	values := []jsonx.Value{jsonx.RawValue(`"x\ny"`), jsonx.RawValue(`[1,2]`)}
	get := func(i int) jsonx.Value { return values[i] }
	dst := make([]byte, 0, 256)
	require.Zero(t, testing.AllocsPerRun(100, func() { dst = p.Append(dst[:0], f, get) }))
}

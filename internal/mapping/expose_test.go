package mapping

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/room"
)

func TestFilesOf(t *testing.T) {
	file := func(in contract.In, bytes int64, most int) contract.File {
		return contract.File{Place: contract.Place{In: in}, MaxBytes: bytes, Most: most}
	}
	for name, c := range map[string]struct {
		files []contract.File
		want  int
	}{
		"none":                        {nil, 0},
		"in the answer alone":         {[]contract.File{file(contract.InAnswer, 3000, 1)}, 0},
		"one":                         {[]contract.File{file(contract.InBody, 3000, 1)}, 4000 + 1<<20},
		"one and two":                 {[]contract.File{file(contract.InBody, 3000, 1), file(contract.InBody, 300, 2)}, 4800 + 1<<20},
		"nobody says how many":        {[]contract.File{file(contract.InBody, 3000, -1)}, 20000 + 1<<20},
		"more than there is room":     {[]contract.File{file(contract.InBody, 5<<20, 100)}, room.Least},
		"more than can be multiplied": {[]contract.File{file(contract.InBody, 1<<62, 1<<30)}, room.Least},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, filesOf(&contract.Operation{Facts: contract.Facts{Files: c.files}}))
		})
	}
}

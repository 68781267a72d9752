package reference

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What the page says an author stumbles over, the checker tells.
func TestTraps(t *testing.T) {
	c, _ := opened(t)
	b, err := newBench(c)
	require.NoError(t, err)
	for _, tt := range []struct{ written, says string }{
		{`when: any([1], # > 1)`, "YAML takes # behind a blank for a comment"},
		{`when: !input.want`, "tag"},
		{`when: ${input.want ?? "b": c}`, "YAML ends this value at the colon"},
		{`when: request.header.x.y ?? true`, "may have no value; write request.header.x?.y"},
		{`when: not input.want in ["a"]`, `reads (not input.want) in ["a"]`},
		{`when: input.want ?? "a" == "b"`, "?? needs parentheses beside =="},
		{`when: 'len(map([1], {k: #})) > 0'`, "put the object in parentheses"},
		{`when: request.header.first-name == 1`, `write request.header["first-name"]`},
	} {
		t.Run(tt.written, func(t *testing.T) {
			f := (&page{c: c}).file("reply.yaml")
			text := strings.Replace(f.File.Text, `when: input.want == "text"`, tt.written, 1)
			require.NotEqual(t, f.File.Text, text)
			require.Contains(t, b.notices("reply.yaml", text), tt.says)
		})
	}
}

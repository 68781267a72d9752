package explain_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"flag"
	"io"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/emenda-gateway/emenda/internal/config"
	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/explain"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/intake"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

var update = flag.Bool("update", false, "rewrite what the cases of testdata say")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is the set of testdata/world.txtar, loaded.
type world struct {
	mapping.World
	set   *mapping.Set
	paths *intake.Paths
}

func load(t *testing.T) *world {
	a, err := txtar.ParseFile("testdata/world.txtar")
	require.NoError(t, err)
	functions, err := expr.NewFunctions()
	require.NoError(t, err)
	w := &world{World: mapping.World{Contracts: map[string]*contract.Contract{}, Functions: functions}}
	var files []*diag.File
	for _, f := range a.Files {
		file := diag.NewFile(f.Name, string(f.Data))
		switch {
		case f.Name == "gateway.yaml":
			cfg, list := config.Load(file)
			require.False(t, list.HasErrors(), list.Text())
			w.Config = cfg
		case strings.HasPrefix(f.Name, "contracts/"):
			name := strings.TrimSuffix(path.Base(f.Name), ".yaml")
			c, list := contract.Load(name, file, functions)
			require.False(t, list.HasErrors(), list.Text())
			w.Contracts[name] = c
		default:
			files = append(files, file)
		}
	}
	set, list := mapping.Load(files, nil, w.World)
	require.False(t, list.HasErrors(), list.Text())
	w.set, w.paths = set, intake.NewPaths(set)
	return w
}

// request reads a case's request: line, header fields, blank line, body.
func request(t *testing.T, text string) *intake.Request {
	head, body, _ := strings.Cut(text, "\n\n")
	first, fields, _ := strings.Cut(head, "\n")
	method, target, _ := strings.Cut(first, " ")
	header, err := http.ReadRequest(bufio.NewReader(strings.NewReader("GET / HTTP/1.0\r\n" + strings.ReplaceAll(fields, "\n", "\r\n") + "\r\n\r\n")))
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, header.Body)
	require.NoError(t, err)
	r := &intake.Request{ID: "test", Method: method, Body: strings.TrimSpace(body), Header: header.Header.Get}
	r.Path, r.Query, _ = strings.Cut(target, "?")
	r.Headers = func(yield func(name, value string)) {
		for name := range header.Header {
			yield(name, header.Header.Get(name))
		}
	}
	if r.Type = header.Header.Get("Content-Type"); r.Type == "" && r.Body != "" {
		r.Type = "application/x-www-form-urlencoded"
	}
	return r
}

func (w *world) options() explain.Options {
	desk := &intake.Caller{
		Name: "desk", Dialect: "plain", App: "desk", Permissions: []string{"plain.*"},
		Secrets: [][32]byte{sha256.Sum256([]byte("right-desk-token"))},
		Value:   jsonx.RawValue(`{"name":"desk","app":"desk","strict":false}`),
	}
	return explain.Options{
		Callers: []*intake.Caller{desk}, Caller: desk, Contracts: w.Contracts,
		Zone: time.UTC, Now: time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC),
	}
}

// explained explains the request of a case.
func (w *world) explained(t *testing.T, text, answers string) *explain.Explanation {
	r, o := request(t, text), w.options()
	if answers != "" {
		way, _, _ := w.paths.Find(r.Method, r.Path)
		require.NotNil(t, way)
		calls, list := mapping.Answers(diag.NewFile("answers.yaml", answers), way.Route.Plan, w.set, nil, w.World)
		require.Empty(t, list.Text())
		o.Answers = calls
	}
	return explain.Request(context.Background(), w.paths, r, o)
}

// Each case holds a request, perhaps answers, and the explanation.
func TestCases(t *testing.T) {
	w := load(t)
	cases, err := filepath.Glob("testdata/case_*.txtar")
	require.NoError(t, err)
	require.Greater(t, len(cases), 10)
	for _, name := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			require.NoError(t, err)
			part := func(name string) *txtar.File {
				if i := slices.IndexFunc(a.Files, func(f txtar.File) bool { return f.Name == name }); i >= 0 {
					return &a.Files[i]
				}
				return &txtar.File{}
			}
			got := w.explained(t, string(part("request").Data), string(part("answers.yaml").Data))
			text := got.Text
			if got.Replied {
				text += "replied\n"
			}
			want := part("want")
			if *update {
				want.Data = []byte(text)
				require.NoError(t, os.WriteFile(name, txtar.Format(a), 0o600))
			}
			require.Equal(t, string(want.Data), text)
		})
	}
}

// Nothing of what a request or a file of answers holds is shown, in whatever
// way it comes and wherever it goes.
func TestNothingPersonalIsShown(t *testing.T) {
	w := load(t)
	const answers = `- { call: shop.item, answer: { json: { name: lamp, owner: "JOÃO D'ÁVILA, 529 982 247 25, joao@example.com, nascido 01/02/1980" } } }
- { call: shop.order, answer: { status: 409, json: { no: "JOÃO deve, 529.982.247-25" } } }
`
	for name, text := range map[string]string{
		"form":      "POST /p/order\n\nid=12345678&who=Maria+Exemplo%20Souza&pin=q7",
		"query":     "POST /p/order?id=12345678&who=Maria%20Exemplo%20Souza&pin=q7\n\n",
		"json":      "POST /p/order\nContent-Type: application/json\n\n" + `{"id":12345678,"who":"Mar\u0069a Exemplo Souza","pin":"q7","other":{"52998224725":["Maria"]}}`,
		"latin-1":   "POST /p/order\n\nid=12345678&who=Maria%20Exemplo%20Souza%20Jo\xe3o&pin=q7",
		"multipart": "POST /p/order\nContent-Type: multipart/form-data; boundary=b\n\n--b\r\nContent-Disposition: form-data; name=\"id\"\r\n\r\n12345678\r\n--b\r\nContent-Disposition: form-data; name=\"who\"\r\n\r\nMaria Exemplo Souza\r\n--b\r\nContent-Disposition: form-data; name=\"pin\"\r\n\r\nq7\r\n--b--",
		"a token":   "POST /p/order\nX-Key: right-desk-token\n\nid=12345678&who=Maria+Exemplo+Souza&pin=q7",
		"bad input": "POST /p/order\n\nid=Maria&who=Maria+Exemplo+Souza&pin=q7",
		"no route":  "POST /p/12345678/x?who=Souza&pin=q7\n\n",
		"broken":    "POST /p/order\nContent-Type: application/json\n\n" + `{"id":12345678,"who":"Maria Exemplo Souza","pin":"q7"`,
	} {
		t.Run(name, func(t *testing.T) {
			with := answers
			if name == "no route" {
				with = ""
			}
			text := w.explained(t, text, with).Text
			lower := strings.ToLower(text)
			for _, personal := range []string{"maria", "exemplo", "souza", "q7", "12345678", "joão", "ávila", "529", "982", "joao", "example", "1980", "nascido", "right-desk-token"} {
				require.NotContains(t, lower, personal, text)
			}
		})
	}
}

// The same request is explained in the same words.
func TestTheSameEveryTime(t *testing.T) {
	w := load(t)
	first := w.explained(t, "GET /p/items/all?ids=1&ids=2&ids=3\n\n", "").Text
	for range 20 {
		require.Equal(t, first, w.explained(t, "GET /p/items/all?ids=1&ids=2&ids=3\n\n", "").Text)
	}
	require.True(t, bytes.Contains([]byte(first), []byte("nothing was sent")))
}

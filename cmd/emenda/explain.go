package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/textproto"
	"os"
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/explain"
	"github.com/emenda-gateway/emenda/internal/intake"
	"github.com/emenda-gateway/emenda/internal/snapshot"
)

type explainCommand struct {
	configFlag
	Method  string   `arg:"" help:"The method, such as POST."`
	Path    string   `arg:"" help:"The path, with its query."`
	Data    []string `short:"d" sep:"none" help:"The body, or @FILE; a form unless -H says another Content-Type. Several are joined with &." placeholder:"BODY"`
	Header  []string `short:"H" sep:"none" help:"A header field." placeholder:"'Name: value'"`
	Caller  string   `help:"Who calls, when the request carries no credentials; without it, the only caller of the dialect." placeholder:"NAME"`
	Lineage bool     `help:"Tell instead where each received value goes and what it decides, as the mapping says; runs nothing."`
	Format  string   `enum:"text,json" default:"text" help:"How to print the lineage: text or json."`
	Live    bool     `help:"Ask the backends; what changes something is not sent without --yes."`
	Yes     bool     `help:"With --live: also send what changes something, as the gateway would."`
	Answers string   `help:"A YAML list of answers, as \"upstream\" in a test; what it does not answer, the contracts' examples do." placeholder:"FILE"`
}

// Help shows examples.
func (explainCommand) Help() string {
	return `Tells step by step the requests that a request would make, what each answer would mean, why steps are skipped, and the reply. It runs the code that serves, with the contracts' examples, or the answers of a file, in the place of the backends, and with nothing remembered. It sends nothing, and hides what is personal or secret. Needs no environment.

With --live the backends are asked, with the gateway's environment; what changes something is not sent without --yes. With it repeats, counts and lost calls are kept as the gateway keeps them: in the shared store, or in the data folder, which then no gateway may be using.

Exits with 1 when the request would not get a reply of its mapping, but the dialect's words for what is wrong.

Examples:

  emenda explain POST /ws/ura/liberacaopromessa -d contrato=1283321
  emenda explain GET '/ws/ura/consultacliente?contrato=1283321' --caller ivr
  emenda explain POST /api/ura/consultacliente -H 'Content-Type: application/json' -d '{"contrato":1283321}' --answers answers.yaml
  emenda explain POST /ws/ura/consultacliente -d contrato=1283321 --live
  emenda explain POST /v1/vendas --caller parceiro -H 'Content-Type: application/json' -d @mappings/sale/testdata/documento_reparado.json
  emenda explain POST /ws/ura/enviafatura --lineage`
}

// Run explains.
func (c *explainCommand) Run(ctx context.Context, s *streams) error {
	loaded, _, err := loadGood(c.Config, s)
	if err != nil {
		return err
	}
	request, err := c.request()
	if err != nil {
		return wrongUse(s, err)
	}
	paths := intake.NewPaths(loaded.Set)
	if c.Lineage {
		return c.lineage(loaded, paths, request, s)
	}
	switch {
	case c.Format != "text":
		return wrongUse(s, errors.New("--format json goes with --lineage"))
	case c.Yes && !c.Live:
		return wrongUse(s, errors.New("--yes goes with --live"))
	case c.Live && c.Answers != "":
		return wrongUse(s, errors.New("with --live the backends answer: leave out --answers"))
	}
	options := loaded.ExplainOptions(s.env)
	if options.Caller, err = c.caller(paths, options.Callers, request.Path); err != nil {
		return wrongUse(s, err)
	}
	if c.Answers != "" {
		if err := c.answers(loaded, paths, request, &options, s); err != nil {
			return err
		}
	}
	if c.Live {
		closed, err := c.live(ctx, loaded, request, &options, s)
		if err != nil {
			return err
		}
		defer closed()
	}
	told := explain.Request(ctx, paths, request, options)
	fmt.Fprint(s.out, told.Text)
	if !told.Replied {
		return exitError(exitErrors)
	}
	return nil
}

// lineage tells where values go.
func (c *explainCommand) lineage(loaded *snapshot.Loaded, paths *intake.Paths, r *intake.Request, s *streams) error {
	if c.Answers != "" || len(c.Data)+len(c.Header) > 0 || c.Caller != "" || c.Live || c.Yes {
		return wrongUse(s, errors.New("--lineage looks at no request: leave out -d, -H, --caller, --answers, --live and --yes"))
	}
	way, _, problem := paths.Find(r.Method, r.Path)
	switch {
	case way == nil || problem != nil:
		return fmt.Errorf("no route has this path with %s; \"emenda routes\" lists them", r.Method)
	case way.Route == nil:
		return fmt.Errorf("%s is passed on as it is: everything goes where it stands", way.Exposed.Operations[0].Name())
	}
	told := loaded.Lineage(way.Route)
	if c.Format == "json" {
		out := json.NewEncoder(s.out)
		out.SetEscapeHTML(false)
		return out.Encode(told)
	}
	_, err := fmt.Fprint(s.out, told.Text())
	return err
}

func wrongUse(s *streams, err error) error {
	fmt.Fprintln(s.err, "emenda:", err)
	return exitError(exitUsage)
}

// request makes the request of the command line, as the listener would hand it on.
func (c *explainCommand) request() (*intake.Request, error) {
	path, query, _ := strings.Cut(c.Path, "?")
	if !strings.HasPrefix(path, "/") {
		return nil, errors.New("the path begins with /: leave out the scheme and host")
	}
	data := slices.Clone(c.Data)
	for i, d := range data {
		if name, is := strings.CutPrefix(d, "@"); is {
			text, err := os.ReadFile(name)
			if err != nil {
				return nil, err
			}
			data[i] = string(text)
		}
	}
	r := &intake.Request{ID: "explain", Method: strings.ToUpper(c.Method), Path: path, Query: query, Body: strings.Join(data, "&")}
	header := map[string][]string{}
	for _, field := range c.Header {
		name, value, ok := strings.Cut(field, ":")
		if name = textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name)); !ok || name == "" {
			return nil, errors.New("a header is given as -H 'Name: value'")
		}
		header[name] = append(header[name], strings.TrimSpace(value))
	}
	if r.Body != "" && header["Content-Type"] == nil {
		header["Content-Type"] = []string{"application/x-www-form-urlencoded"}
	}
	r.Header = func(name string) string {
		if values := header[textproto.CanonicalMIMEHeaderKey(name)]; len(values) > 0 {
			return values[0]
		}
		return ""
	}
	r.Headers = func(yield func(name, value string)) {
		for name, values := range header {
			for _, value := range values {
				yield(name, value)
			}
		}
	}
	r.Type = r.Header("Content-Type")
	return r, nil
}

// caller finds who calls when the request does not say: the one named, else the only one of the dialect.
func (c *explainCommand) caller(paths *intake.Paths, all []*intake.Caller, path string) (*intake.Caller, error) {
	d := paths.Dialect(path)
	var of []*intake.Caller
	var names []string
	for _, known := range all {
		if d != nil && known.Dialect == d.Name {
			of = append(of, known)
		}
		names = append(names, known.Name)
		if known.Name == c.Caller {
			if d != nil && known.Dialect != d.Name {
				return nil, fmt.Errorf("caller %s speaks %s, the path is of %s", known.Name, known.Dialect, d.Name)
			}
			return known, nil
		}
	}
	switch {
	case c.Caller != "":
		slices.Sort(names)
		return nil, fmt.Errorf("there is no caller %q; known: %s", c.Caller, strings.Join(names, ", "))
	case len(of) == 1:
		return of[0], nil
	}
	return nil, nil
}

// answers reads the file of answers.
func (c *explainCommand) answers(loaded *snapshot.Loaded, paths *intake.Paths, r *intake.Request, options *explain.Options, s *streams) error {
	text, err := os.ReadFile(c.Answers)
	if err != nil {
		return err
	}
	way, _, _ := paths.Find(r.Method, r.Path)
	if way == nil {
		return nil // the explanation says so
	}
	if way.Route == nil {
		return errors.New("--answers are for mappings: of what is passed on as it is, the contract's example answers")
	}
	calls, list := loaded.Answers(diag.NewFile(c.Answers, string(text)), way.Route)
	if fmt.Fprint(s.err, list.Text()); list.HasErrors() {
		return exitError(exitErrors)
	}
	options.Answers = calls
	return nil
}

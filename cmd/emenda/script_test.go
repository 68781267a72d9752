package main

import (
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"emenda": main,
		"fetch":  fetch,
	})
}

// fetch makes one request and prints status, Content-Type and body.
func fetch() {
	flags := flag.NewFlagSet("fetch", flag.ExitOnError)
	body := flags.String("d", "", "the body, a form; makes it a POST")
	bearer := flags.String("b", "", "a bearer token")
	id := flags.String("i", "", "the request's id")
	if err := flags.Parse(os.Args[1:]); err != nil {
		os.Exit(2)
	}
	method, content := http.MethodGet, io.Reader(nil)
	if *body != "" {
		method, content = http.MethodPost, strings.NewReader(*body)
	}
	req, err := http.NewRequest(method, flags.Arg(0), content)
	if err == nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if *id != "" {
			req.Header.Set("X-Request-Id", *id)
		}
		if *bearer != "" {
			req.Header.Set("Authorization", "Bearer "+*bearer)
		}
		var res *http.Response
		if res, err = http.DefaultClient.Do(req); err == nil {
			defer func() { _ = res.Body.Close() }()
			var text []byte
			if text, err = io.ReadAll(res.Body); err == nil {
				fmt.Printf("%d %s\n%s\n", res.StatusCode, res.Header.Get("Content-Type"), text)
				return
			}
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func TestScript(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("ROOT", root)
			e.Setenv("EMENDA_DATA", filepath.Join(e.WorkDir, "data"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"freeport": freePort,
			"ready":    ready,
			"until":    until,
			"code":     code,
		},
	})
}

// freePort sets each variable named to an address nobody listens on.
func freePort(ts *testscript.TestScript, _ bool, names []string) {
	for _, name := range names {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		ts.Check(err)
		defer func() { ts.Check(ln.Close()) }()
		ts.Setenv(name, ln.Addr().String())
	}
}

// ready waits until an address answers.
func ready(ts *testscript.TestScript, _ bool, args []string) {
	until(ts, false, []string{args[0], ""})
}

// until waits until what an address answers has a text in it.
func until(ts *testscript.TestScript, _ bool, args []string) {
	end := time.Now().Add(20 * time.Second)
	for {
		var text []byte
		res, err := http.Get(args[0])
		if err == nil {
			text, _ = io.ReadAll(res.Body)
			_ = res.Body.Close()
			if strings.Contains(string(text), args[1]) {
				return
			}
		}
		if time.Now().After(end) {
			ts.Fatalf("%s does not answer %s but %s (%v)", args[0], args[1], text, err)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// code runs emenda in this process and holds its exit code against the first
// argument: exec tells only whether a command failed.
func code(ts *testscript.TestScript, _ bool, args []string) {
	var out, errs strings.Builder
	s := streams{out: &out, err: &errs, env: func(name string) (string, bool) {
		v := ts.Getenv(name)
		return v, v != ""
	}}
	for i := range args[1:] {
		if strings.HasPrefix(args[i+1], "--config=") {
			args[i+1] = "--config=" + ts.MkAbs(strings.TrimPrefix(args[i+1], "--config="))
		}
	}
	got := run(args[1:], s)
	ts.Logf("%s%s", out.String(), errs.String())
	if fmt.Sprint(got) != args[0] {
		ts.Fatalf("exit code %d, expected %s", got, args[0])
	}
}

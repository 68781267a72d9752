// Command emenda is the gateway: it serves, checks and tests mappings, and
// starts the stand-ins of the backends. It wires the packages together and
// holds no logic of its own.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// version is set when the binary is built.
var version = "unknown"

// The exit codes.
const (
	exitGood     = 0
	exitErrors   = 1 // errors in what was checked, tests that failed, or the gateway could not go on
	exitUsage    = 2 // the command line was wrong
	exitWarnings = 3 // warnings, with --strict
)

// streams are the process's surroundings, so that tests can give others.
type streams struct {
	out, err io.Writer
	env      func(string) (string, bool)
}

// exitError ends the command with a code, its message already told.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

type commands struct {
	Serve      serveCommand      `cmd:"" help:"Serve requests."`
	Check      checkCommand      `cmd:"" help:"Check gateway.yaml, contracts and mappings."`
	Test       testCommand       `cmd:"" help:"Run the tests of mappings and flows."`
	Explain    explainCommand    `cmd:"" help:"Tell what a request would do, without sending anything."`
	Routes     routesCommand     `cmd:"" help:"List the routes."`
	Functions  functionsCommand  `cmd:"" help:"Show the functions of expressions."`
	Openapi    openapiCommand    `cmd:"" help:"Print an OpenAPI document of what the gateway offers."`
	Schema     schemaCommand     `cmd:"" help:"Print the JSON Schema of files, for editors."`
	Contract   contractCommand   `cmd:"" help:"Make contracts of OpenAPI documents, and compare their versions."`
	Trace      traceCommand      `cmd:"" help:"Tell what became of one of the last requests."`
	Unknowns   unknownsCommand   `cmd:"" help:"List calls that nobody knows the end of."`
	Orders     ordersCommand     `cmd:"" help:"Show the orders of durable mappings, and do what people must."`
	Schedules  schedulesCommand  `cmd:"" help:"List what runs at set times."`
	Privacy    privacyCommand    `cmd:"" help:"Give or remove what orders hold of a person."`
	Sandbox    sandboxCommand    `cmd:"" help:"Start stand-ins of the backends."`
	Completion completionCommand `cmd:"" help:"Print what makes a shell complete commands and flags."`
	Version    versionCommand    `cmd:"" help:"Print the version."`
}

func main() {
	os.Exit(run(os.Args[1:], streams{out: os.Stdout, err: os.Stderr, env: os.LookupEnv}))
}

func run(args []string, s streams) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends at once
	var c commands
	parser, err := kong.New(&c,
		kong.Name("emenda"),
		kong.Description("An API integration gateway: requests in one dialect become requests to backends and an answer, by mappings in YAML.\n\nExit codes: 0 good, 1 errors, 2 wrong use, 3 warnings with --strict."),
		kong.Writers(s.out, s.err),
		// Help ends the command: the exit leaves Parse by a panic, caught in parse.
		kong.Exit(func(code int) { panic(exitError(code)) }),
		kong.ConfigureHelp(kong.HelpOptions{NoExpandSubcommands: true}),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(&s),
	)
	if err != nil {
		panic(err) // the commands above are declared wrongly
	}
	parsed, err := parse(parser, args)
	var end exitError
	switch {
	case errors.As(err, &end):
		return int(end)
	case err != nil:
		fmt.Fprintf(s.err, "emenda: %v\nrun \"emenda --help\" for the commands and flags\n", err)
		return exitUsage
	}
	switch err = parsed.Run(); {
	case err == nil:
		return exitGood
	case errors.As(err, &end):
		return int(end)
	default:
		fmt.Fprintln(s.err, "emenda:", err)
		return exitErrors
	}
}

func parse(parser *kong.Kong, args []string) (parsed *kong.Context, err error) {
	defer func() {
		if r := recover(); r != nil {
			end, ok := r.(exitError)
			if !ok {
				panic(r)
			}
			err = end
		}
	}()
	return parser.Parse(args)
}

type versionCommand struct{}

// Help shows examples.
func (versionCommand) Help() string { return "Examples:\n\n  emenda version" }

// Run prints the version.
func (versionCommand) Run(s *streams) error {
	_, err := fmt.Fprintln(s.out, "emenda", version)
	return err
}

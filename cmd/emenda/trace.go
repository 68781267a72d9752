package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/emenda-gateway/emenda/routes"
)

type traceCommand struct {
	configFlag
	RequestID string `arg:"" help:"The request's id: X-Request-Id of its answer, request_id of its log line." placeholder:"REQUEST_ID"`
	Format    string `enum:"text,json" default:"text" help:"How to print it: text or json."`
}

// Help shows examples.
func (traceCommand) Help() string {
	return `Tells what became of one of the last requests of a running gateway: how it was answered, each step with what its answer was taken to mean, why it was skipped, and how long it took. The gateway keeps the last 1000 in memory (gateway.traces), without anything that was received. Asks the gateway's admin listener; needs the environment the gateway has: EMENDA_ADMIN_LISTEN, EMENDA_ADMIN_TOKEN. Of several replicas only the one that answered the request knows it.

Examples:

  emenda trace 6f1c2b0a9d8e7f60514233241506172a
  emenda trace --format json 6f1c2b0a9d8e7f60514233241506172a`
}

// Run asks and prints.
func (c *traceCommand) Run(ctx context.Context, s *streams) error {
	gateway, zone, err := runningGateway(&c.configFlag, s, errors.New("no request of this id is among the last that this gateway keeps (gateway.traces)"))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	var all routes.Traces
	if err := gateway.ask(ctx, http.MethodGet, "/-/requests/"+url.PathEscape(c.RequestID), &all); err != nil {
		return err
	}
	if c.Format == "json" {
		return json.NewEncoder(s.out).Encode(all)
	}
	for i := range all.Requests {
		if i > 0 {
			fmt.Fprintln(s.out)
		}
		if err := printTrace(s.out, &all.Requests[i], zone); err != nil {
			return err
		}
	}
	return nil
}

func printTrace(w io.Writer, t *routes.Trace, zone *time.Location) error {
	path := t.Path
	if path == "" {
		path = "(no route)"
	}
	fmt.Fprintf(w, "%s %s\n", t.Method, path)
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%-9s"+format+"\n", append([]any{name}, args...)...)
	}
	line("request", "%s, %s, %s ms", t.RequestID, t.At.In(zone).Format("2006-01-02 15:04:05.000"), number(t.DurationMS))
	if t.Route != "" {
		line("route", "%s", t.Route)
	}
	if t.Caller != "" {
		line("caller", "%s", t.Caller)
	}
	line("answer", "%d, %s, %d bytes for %d", t.Status, joined(t.Outcome, t.Class), t.BytesOut, t.BytesIn)
	if t.Step != "" {
		line("failed", "step %s", t.Step)
	}
	if t.Cause != "" {
		line("cause", "%s", t.Cause)
	}
	if t.Repeat != "" {
		line("repeat", "%s", t.Repeat)
	}
	line("calls", "%d", t.BackendCalls)
	if t.Failed != "" {
		status := ""
		if t.FailedStatus != 0 {
			status = fmt.Sprintf(", status %d", t.FailedStatus)
		}
		line("", "the last that failed: %s, %s%s", t.Failed, t.FailedClass, status)
	}
	if len(t.Steps) == 0 {
		return nil
	}
	fmt.Fprintln(w)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "OF\tSTEP\tMS\tSTATE\tSTATUS\tDOES")
	for _, s := range t.Steps {
		status := "-"
		if s.Status != 0 {
			status = fmt.Sprint(s.Status)
		}
		state := joined(s.State, s.Class)
		if s.Why != "" {
			state += ": " + s.Why
		}
		if s.Caught != "" {
			state += "; catch " + s.Caught
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", s.Plan, s.Step, number(s.DurationMS), state, status, s.Does)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if t.MoreSteps > 0 {
		fmt.Fprintf(w, "and %d more\n", t.MoreSteps)
	}
	return nil
}

// joined spells what stands with a class, or without one.
func joined(what, class string) string {
	if class == "" || class == what {
		return what
	}
	return what + ", class " + class
}

// number spells milliseconds without zeros at the end.
func number(ms float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.3f", ms), "0"), ".")
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/emenda-gateway/emenda/internal/durable"
	"github.com/emenda-gateway/emenda/internal/order"
)

type ordersCommand struct {
	List     ordersListCommand  `cmd:"" help:"List orders, the newest first."`
	Show     ordersShowCommand  `cmd:"" help:"Show one order with its steps."`
	Graph    ordersGraphCommand `cmd:"" help:"Draw one order's steps, as SVG."`
	Retry    ordersRetryCommand `cmd:"" help:"Have the step that an order holds for tried again, or its undo."`
	Continue ordersGoOnCommand  `cmd:"" help:"Have an order go on as if the step were done: somebody has seen to it."`
	Cancel   ordersUndoCommand  `cmd:"" help:"Have an order undone, while it can be."`
}

// Help shows examples.
func (ordersCommand) Help() string {
	return `Shows the orders of durable mappings and does to them what people must. Asks the admin listener of the running gateway: needs the environment the gateway has (EMENDA_ADMIN_LISTEN, EMENDA_ADMIN_TOKEN).

Examples:

  emenda orders list --open
  emenda orders list --state held,stuck
  emenda orders show k3v9q2m7x4c8n5b6
  emenda orders retry k3v9q2m7x4c8n5b6 --by maria --reason "the ERP is back"`
}

type ordersListCommand struct {
	configFlag
	State  string `help:"Only in these states, with commas between: accepted, running, waiting, held, undoing, done, undone, stuck." placeholder:"STATES"`
	Open   bool   `help:"Only those that have not ended."`
	Caller string `help:"Only this caller's." placeholder:"NAME"`
	Route  string `help:"Only those of this mapping: its file, without .yaml." placeholder:"NAME"`
	Limit  int    `default:"50" help:"How many, 1 to 1000."`
	Cursor string `help:"The page after the one that told this cursor."`
	Format string `enum:"text,json" default:"text" help:"How to print the list: text or json."`
}

// Help shows examples.
func (ordersListCommand) Help() string {
	return `Examples:

  emenda orders list
  emenda orders list --state held,stuck --format json`
}

// Run lists.
func (c *ordersListCommand) Run(ctx context.Context, s *streams) error {
	for state := range strings.SplitSeq(c.State, ",") {
		if c.State != "" && !slices.Contains(order.States, order.State(strings.TrimSpace(state))) {
			return fmt.Errorf("--state: %q is no state of an order", state)
		}
	}
	gateway, zone, err := runningGateway(&c.configFlag, s, order.ErrNotFound)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	q := url.Values{"state": {c.State}, "caller": {c.Caller}, "route": {c.Route}, "cursor": {c.Cursor}, "limit": {strconv.Itoa(c.Limit)}, "open": {strconv.FormatBool(c.Open)}}
	var page durable.Page
	if err := gateway.ask(ctx, http.MethodGet, "/-/orders?"+q.Encode(), &page); err != nil {
		return err
	}
	if c.Format == "json" {
		return json.NewEncoder(s.out).Encode(page)
	}
	if len(page.Orders) == 0 {
		_, err := fmt.Fprintln(s.out, "no orders")
		return err
	}
	t := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ID\tSTATE\tROUTE\tCALLER\tSTARTED\tSTEP\tWAITS FOR\tUNTIL")
	for i := range page.Orders {
		d := &page.Orders[i]
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", d.ID, d.State, d.Route, d.Caller, moment(&d.Started, zone), orDash(d.Step), orDash(d.WaitsFor), moment(d.Until, zone))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if page.Next != "" {
		_, err = fmt.Fprintf(s.out, "more: --cursor %s\n", page.Next)
	}
	return err
}

func moment(t *time.Time, zone *time.Location) string {
	if t == nil {
		return "-"
	}
	return t.In(zone).Format("2006-01-02 15:04:05")
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

type ordersShowCommand struct {
	configFlag
	ID     string `arg:"" help:"The order's id."`
	Format string `enum:"text,json" default:"text" help:"How to print it: text or json."`
}

// Help shows examples.
func (ordersShowCommand) Help() string {
	return `Shows what is known of an order: its steps in their order with when they began and ended, what was taken back, what is left for people, and what people did.

Examples:

  emenda orders show k3v9q2m7x4c8n5b6
  emenda orders show k3v9q2m7x4c8n5b6 --format json`
}

// Run shows.
func (c *ordersShowCommand) Run(ctx context.Context, s *streams) error {
	d, zone, err := oneOrder(ctx, &c.configFlag, s, c.ID)
	switch {
	case err != nil:
		return err
	case c.Format == "json":
		return json.NewEncoder(s.out).Encode(d)
	}
	return printOrder(s.out, d, zone)
}

// oneOrder asks for one order, and gives the gateway's time zone.
func oneOrder(ctx context.Context, c *configFlag, s *streams, id string) (*durable.Document, *time.Location, error) {
	gateway, zone, err := runningGateway(c, s, order.ErrNotFound)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	d := new(durable.Document)
	return d, zone, gateway.ask(ctx, http.MethodGet, "/-/orders/"+url.PathEscape(id), d)
}

func printOrder(w io.Writer, d *durable.Document, zone *time.Location) error {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%-10s"+format+"\n", append([]any{name}, args...)...)
	}
	line("order", "%s", d.ID)
	line("state", "%s", d.State)
	line("route", "%s", d.Route)
	line("caller", "%s", d.Caller)
	line("started", "%s, deadline %s", moment(&d.Started, zone), moment(&d.Deadline, zone))
	if d.Ended != nil {
		line("ended", "%s", moment(d.Ended, zone))
	} else if d.Step != "" {
		step := d.Step
		if d.WaitsFor != "" {
			step += ", waits for " + d.WaitsFor
		}
		if d.Until != nil {
			step += ", until " + moment(d.Until, zone)
		}
		line("step", "%s", step)
	}
	if d.Error != nil {
		line("failed", "step %s, class %s", d.Error.Step, d.Error.Class)
	}
	if d.Trouble != "" {
		line("trouble", "%s", d.Trouble)
	}
	if d.Emptied {
		line("emptied", "only key and state are left")
	}
	if len(d.Left) > 0 {
		line("left", "for people: %s", strings.Join(d.Left, ", "))
	}
	if len(d.Shows) > 0 {
		line("shows", "%s", d.Shows)
	}
	for _, a := range d.Acts {
		line("act", "%s %s by %s%s", moment(&a.At, zone), a.Action, orDash(a.By), because(a.Reason))
	}
	if d.Asks {
		line("asks", "a person: emenda orders retry|continue|cancel %s --by NAME", d.ID)
	}
	if len(d.Steps) == 0 {
		return nil
	}
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "STEP\tSTATE\tSTARTED\tENDED\tCALLS")
	for _, s := range d.Steps {
		name := s.Name
		if s.Undo {
			name = "undo " + name
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\n", name, joined(s.State, s.Class), moment(s.Started, zone), moment(s.Ended, zone), s.Attempts)
	}
	return t.Flush()
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}

type ordersGraphCommand struct {
	configFlag
	ID  string `arg:"" help:"The order's id."`
	Out string `short:"o" help:"Where to write the drawing; without it, to the standard output." placeholder:"FILE"`
}

// Help shows examples.
func (ordersGraphCommand) Help() string {
	return `Examples:

  emenda orders graph k3v9q2m7x4c8n5b6 -o order.svg`
}

// Run draws.
func (c *ordersGraphCommand) Run(ctx context.Context, s *streams) error {
	d, _, err := oneOrder(ctx, &c.configFlag, s, c.ID)
	switch {
	case err != nil:
		return err
	case c.Out != "":
		return os.WriteFile(c.Out, durable.Graph(d), 0o600)
	}
	_, err = s.out.Write(durable.Graph(d))
	return err
}

// actFlags are those of what people do to an order.
type actFlags struct {
	configFlag
	ID     string `arg:"" help:"The order's id."`
	By     string `required:"" help:"Who asks: it is kept with the order." placeholder:"NAME"`
	Reason string `help:"Why: it is kept with the order." placeholder:"WORDS"`
}

func (c *actFlags) act(ctx context.Context, s *streams, action string) error {
	gateway, zone, err := runningGateway(&c.configFlag, s, order.ErrNotFound)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	if action == "cancel" { // one that waits for a person is told so
		var d durable.Document
		if err := gateway.ask(ctx, http.MethodGet, "/-/orders/"+url.PathEscape(c.ID), &d); err != nil {
			return err
		}
		if d.Asks {
			action = string(order.Undo)
		}
	}
	var d durable.Document
	err = gateway.send(ctx, http.MethodPost, "/-/orders/"+url.PathEscape(c.ID)+"/"+action, map[string]string{"by": c.By, "reason": c.Reason}, &d)
	if err != nil {
		return err
	}
	return printOrder(s.out, &d, zone)
}

type ordersRetryCommand struct{ actFlags }

// Help shows examples.
func (ordersRetryCommand) Help() string {
	return `Examples:

  emenda orders retry k3v9q2m7x4c8n5b6 --by maria --reason "the ERP is back"`
}

// Run retries.
func (c *ordersRetryCommand) Run(ctx context.Context, s *streams) error {
	return c.act(ctx, s, string(order.Retry))
}

type ordersGoOnCommand struct{ actFlags }

// Help shows examples.
func (ordersGoOnCommand) Help() string {
	return `Goes on as if the step had been done, without what it would have given; of an order that is stuck it takes what is left as seen to.

Examples:

  emenda orders continue k3v9q2m7x4c8n5b6 --by maria --reason "taken back by hand in the ERP"`
}

// Run goes on.
func (c *ordersGoOnCommand) Run(ctx context.Context, s *streams) error {
	return c.act(ctx, s, string(order.Continue))
}

type ordersUndoCommand struct{ actFlags }

// Help shows examples.
func (ordersUndoCommand) Help() string {
	return `Has an order undone, the last step first. It is heard before the next step, or at once while the order waits.

Examples:

  emenda orders cancel k3v9q2m7x4c8n5b6 --by maria --reason "the customer does not want it any more"`
}

// Run cancels.
func (c *ordersUndoCommand) Run(ctx context.Context, s *streams) error {
	return c.act(ctx, s, "cancel")
}

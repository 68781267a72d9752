package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"text/tabwriter"
	"time"

	"github.com/emenda-gateway/emenda/internal/durable"
)

type schedulesCommand struct {
	configFlag
	Format string `enum:"text,json" default:"text" help:"How to print the list: text or json."`
}

// Help shows examples.
func (schedulesCommand) Help() string {
	return `Lists the schedules of gateway.yaml: when each is due, how its last run ended in whatever replica, and at how many times before that nobody was there to run it. Asks the admin listener of the running gateway: needs the environment the gateway has (EMENDA_ADMIN_LISTEN, EMENDA_ADMIN_TOKEN).

Examples:

  emenda schedules
  emenda schedules --format json`
}

// Run lists.
func (c *schedulesCommand) Run(ctx context.Context, s *streams) error {
	gateway, zone, err := runningGateway(&c.configFlag, s, errors.New("this gateway knows no schedules"))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	var all durable.Schedules
	if err := gateway.ask(ctx, http.MethodGet, "/-/schedules", &all); err != nil {
		return err
	}
	if c.Format == "json" {
		return json.NewEncoder(s.out).Encode(all)
	}
	return printSchedules(s.out, all.Schedules, zone)
}

func printSchedules(w io.Writer, all []durable.Schedule, zone *time.Location) error {
	if len(all) == 0 {
		_, err := fmt.Fprintln(w, "no schedules")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tCRON\tZONE\tLAST\tOUTCOME\tLAST OK\tNEXT\tMISSED")
	for i := range all {
		one := &all[i]
		outcome, missed := orDash(one.Outcome), fmt.Sprint(one.Missed)
		if one.LeftOut != "" {
			outcome = "left out: " + one.LeftOut
		}
		if one.MissedSince != nil {
			missed += ", and since " + moment(one.MissedSince, zone)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", one.Name, orDash(one.Cron), orDash(one.Zone),
			moment(one.Last, zone), outcome, moment(one.Succeeded, zone), moment(one.Next, zone), missed)
	}
	return t.Flush()
}

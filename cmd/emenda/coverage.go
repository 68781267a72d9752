package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/emenda-gateway/emenda/internal/maptest"
)

// printCoverage prints how much of each file was reached, and what was not.
func printCoverage(w io.Writer, c *maptest.Coverage) error {
	kinds := []maptest.PointKind{maptest.CasePoint, maptest.StatePoint, maptest.ReplyPoint, maptest.RowPoint}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "COVERAGE")
	for _, k := range kinds {
		fmt.Fprintf(t, "\t%s", k)
	}
	fmt.Fprintln(t)
	for _, part := range c.Parts {
		fmt.Fprint(t, part.Name)
		for _, k := range kinds {
			reached, all := part.Count(k)
			if all == 0 {
				fmt.Fprint(t, "\t-")
			} else {
				fmt.Fprintf(t, "\t%d/%d", reached, all)
			}
		}
		fmt.Fprintln(t)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, part := range c.Parts {
		for _, p := range part.Points {
			if p.Reached {
				continue
			}
			place := part.Name
			if p.At.File != nil {
				place = p.At.String()
			}
			fmt.Fprintf(w, "%s: %s\n", place, p.What)
		}
	}
	return nil
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/emenda-gateway/emenda/internal/durable"
)

type privacyCommand struct {
	Export privacyExportCommand `cmd:"" help:"Print everything that is kept of the orders about a person, as JSON."`
	Erase  privacyEraseCommand  `cmd:"" help:"Remove what is kept of the ended orders about a person."`
}

// Help shows examples.
func (privacyCommand) Help() string {
	return `Answers what people may ask about their data in orders, by their document as the order's mapping knows it (order.subject). Asks the admin listener of the running gateway.

Examples:

  emenda privacy export 11144477735
  emenda privacy erase 11144477735`
}

type privacyExportCommand struct {
	configFlag
	Document string `arg:"" help:"The person's document, without dots and dashes."`
}

// Help shows examples.
func (privacyExportCommand) Help() string { return "Examples:\n\n  emenda privacy export 11144477735" }

// Run exports.
func (c *privacyExportCommand) Run(ctx context.Context, s *streams) error {
	var all durable.Exported
	if err := privacy(ctx, &c.configFlag, s, "export", c.Document, &all); err != nil {
		return err
	}
	e := json.NewEncoder(s.out)
	e.SetIndent("", "  ")
	return e.Encode(all)
}

type privacyEraseCommand struct {
	configFlag
	Document string `arg:"" help:"The person's document, without dots and dashes."`
}

// Help shows examples.
func (privacyEraseCommand) Help() string {
	return `Of each order only its key and state are left, so that the same request still starts nothing. Orders that have not ended need what they hold: cancel them first.

Examples:

  emenda privacy erase 11144477735`
}

// Run erases.
func (c *privacyEraseCommand) Run(ctx context.Context, s *streams) error {
	var done durable.Erased
	if err := privacy(ctx, &c.configFlag, s, "erase", c.Document, &done); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(s.out, "erased: %d\n", done.Erased); err != nil || done.Left == 0 {
		return err
	}
	return fmt.Errorf("%d more have not ended: cancel them, or erase them when they have", done.Left)
}

func privacy(ctx context.Context, c *configFlag, s *streams, action, document string, into any) error {
	gateway, _, err := runningGateway(c, s, errors.New("this gateway keeps no orders"))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	return gateway.send(ctx, http.MethodPost, "/-/privacy/"+action, map[string]string{"document": document}, into)
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"text/tabwriter"
	"time"

	"github.com/emenda-gateway/emenda/internal/config"
	"github.com/emenda-gateway/emenda/internal/snapshot"
	"github.com/emenda-gateway/emenda/internal/store"
	"github.com/emenda-gateway/emenda/routes"
)

type unknownsCommand struct {
	configFlag
	Format string   `enum:"text,json" default:"text" help:"How to print the list: text or json."`
	Done   []string `help:"Take the calls of these ids off the list: somebody has looked at them." placeholder:"ID"`
}

// Help shows examples.
func (unknownsCommand) Help() string {
	return `Lists the calls that change something and whose end nobody knows: the answer was lost, or the gateway that sent them ended before it came. They are never sent again by themselves; somebody must look in the backend whether they took effect, and then take them off the list.

Reads the shared store (Redis), or without one the data folder; while a gateway has that, its admin listener is asked. Needs the environment the gateway has: EMENDA_SEAL_KEY, REDIS_URL, EMENDA_DATA, EMENDA_ADMIN_TOKEN.

Examples:

  emenda unknowns
  emenda unknowns --format json
  emenda unknowns --done 6f1c2b0a9d8e7f60514233241506172a`
}

// unknownsSource is where the list is.
type unknownsSource interface {
	list(ctx context.Context) (routes.Unknowns, error)
	done(ctx context.Context, id string) error
}

// Run lists, or takes off the list.
func (c *unknownsCommand) Run(ctx context.Context, s *streams) error {
	loaded, _, err := loadGood(c.Config, s)
	if err != nil {
		return err
	}
	settings, err := resolved(loaded, s)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	from, err := openUnknowns(loaded, settings)
	if err != nil {
		return err
	}
	if kept, ok := from.(storedUnknowns); ok {
		defer func() { _ = kept.Close() }()
	}
	for _, id := range c.Done {
		if err := from.done(ctx, id); err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
	}
	all, err := from.list(ctx)
	if err != nil {
		return err
	}
	if c.Format == "json" {
		return json.NewEncoder(s.out).Encode(all)
	}
	return printUnknowns(s.out, all, loaded.Zone())
}

// openUnknowns opens the store, or finds the gateway that has it.
func openUnknowns(loaded *snapshot.Loaded, settings *config.Resolved) (unknownsSource, error) {
	kept, err := loaded.OpenStore(settings, nil, slog.New(slog.DiscardHandler))
	if errors.Is(err, store.ErrTaken) {
		gateway, err := adminOf(settings)
		if err != nil {
			return nil, err
		}
		gateway.silent = "a gateway has the data folder, and its admin listener does not answer"
		gateway.unknown = store.ErrNoUnknown
		return askedUnknowns{gateway}, nil
	}
	if err != nil {
		return nil, err
	}
	return storedUnknowns{kept}, nil
}

// storedUnknowns are those of a store this process has opened.
type storedUnknowns struct{ *store.Store }

func (u storedUnknowns) list(ctx context.Context) (routes.Unknowns, error) {
	all, foreign, err := u.Unknowns(ctx)
	return routes.UnknownsOf(all, foreign), err
}

func (u storedUnknowns) done(ctx context.Context, id string) error { return u.Done(ctx, id) }

// askedUnknowns are those of a running gateway.
type askedUnknowns struct{ *adminClient }

func (u askedUnknowns) list(ctx context.Context) (all routes.Unknowns, err error) {
	return all, u.ask(ctx, http.MethodGet, "/-/unknowns", &all)
}

func (u askedUnknowns) done(ctx context.Context, id string) error {
	return u.ask(ctx, http.MethodDelete, "/-/unknowns/"+id, nil)
}

var whys = map[string]string{"answer_lost": "answer lost", "gateway_ended": "gateway ended"}

func printUnknowns(w io.Writer, all routes.Unknowns, zone *time.Location) error {
	if all.Foreign > 0 {
		fmt.Fprintf(w, "%d more were sealed with another key and cannot be shown\n", all.Foreign)
	}
	if len(all.Unknowns) == 0 {
		_, err := fmt.Fprintln(w, "no call is unknown")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ID\tSENT\tWHY\tOPERATION\tROUTE\tKEY\tCALLER\tREQUEST")
	for _, u := range all.Unknowns {
		key := u.Key
		if key == "" {
			key = "-"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", u.ID, u.SentAt.In(zone).Format("2006-01-02 15:04:05"), whys[u.Why], u.Operation, u.Route, key, u.Caller, u.RequestID)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, "look in the backend whether they took effect, then: emenda unknowns --done ID")
	return err
}

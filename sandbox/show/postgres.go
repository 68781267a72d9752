package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/emenda-gateway/emenda/internal/pgtest"
)

// postgres is a real PostgreSQL on a port of this machine, as tests have it.
type postgres struct {
	*pgtest.Server
	host *pgHost
}

// startPostgres starts one with an empty database.
func startPostgres() (p *postgres, err error) {
	host := &pgHost{}
	defer func() {
		switch failed := recover().(type) {
		case nil:
		case pgFailed:
			host.end()
			p, err = nil, failed
		default:
			panic(failed)
		}
	}()
	return &postgres{pgtest.Start(host), host}, nil
}

// restart ends it in good order and starts it again.
func (p *postgres) restart() (err error) {
	defer func() {
		if failed, is := recover().(pgFailed); is {
			err = failed
		}
	}()
	p.Restart()
	return nil
}

// dump gives everything that is in it, as text.
func (p *postgres) dump(o options) (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/pg_dump")
	if err != nil || len(found) == 0 {
		return "", fmt.Errorf("pg_dump is not there: %w", err)
	}
	return output(o.root, found[len(found)-1], "--inserts", p.URL())
}

// close ends it and removes its data.
func (p *postgres) close() { p.host.end() }

// pgHost stands in for the test that a server belongs to: what would fail the
// test is a panic with pgFailed.
type pgHost struct {
	testing.TB
	ends []func()
}

// pgFailed is why a server cannot be had.
type pgFailed struct{ error }

// Helper does nothing here.
func (*pgHost) Helper() {}

// Fatal panics with pgFailed.
func (*pgHost) Fatal(args ...any) { panic(pgFailed{fmt.Errorf("PostgreSQL: %s", fmt.Sprint(args...))}) }

// Fatalf panics with pgFailed.
func (h *pgHost) Fatalf(format string, args ...any) { h.Fatal(fmt.Sprintf(format, args...)) }

// TempDir gives a folder that is removed at the end.
func (h *pgHost) TempDir() string {
	dir, err := os.MkdirTemp("", "emenda-pg-")
	if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// Cleanup notes what is to be done at the end.
func (h *pgHost) Cleanup(end func()) { h.ends = append(h.ends, end) }

func (h *pgHost) end() {
	for i := range h.ends {
		h.ends[len(h.ends)-1-i]()
	}
	h.ends = nil
}

package order

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// schemaVersion is that of the tables below; a database with a later one is refused.
const schemaVersion = 1

// libraryVersion is that of the library's tables, as it makes them.
const libraryVersion = 125

// tables are ours. BYTES, SERIAL and TABLE are written as the database wants them.
var tables = []string{
	`CREATE TABLE IF NOT EXISTS @orders (
		id TEXT PRIMARY KEY,
		route TEXT NOT NULL,
		caller TEXT NOT NULL,
		fingerprint BYTES NOT NULL,
		plan TEXT NOT NULL,
		version TEXT NOT NULL,
		payload BYTES,
		started BIGINT NOT NULL,
		deadline BIGINT NOT NULL,
		promised BIGINT NOT NULL,
		state TEXT NOT NULL,
		step TEXT NOT NULL DEFAULT '',
		waits TEXT NOT NULL DEFAULT '',
		until BIGINT NOT NULL DEFAULT 0,
		committed INTEGER NOT NULL DEFAULT 0,
		begun INTEGER NOT NULL DEFAULT 0,
		asks INTEGER NOT NULL DEFAULT 0,
		cancel INTEGER NOT NULL DEFAULT 0,
		trouble TEXT NOT NULL DEFAULT '',
		changed BIGINT NOT NULL,
		ended BIGINT NOT NULL DEFAULT 0,
		result BYTES,
		emptied INTEGER NOT NULL DEFAULT 0
	)`,
	`CREATE INDEX IF NOT EXISTS orders_by_start ON @orders (started, id)`,
	`CREATE INDEX IF NOT EXISTS orders_by_caller ON @orders (caller, started, id)`,
	`CREATE INDEX IF NOT EXISTS orders_by_end ON @orders (ended) WHERE ended > 0 AND emptied = 0`,
	`CREATE INDEX IF NOT EXISTS orders_open ON @orders (state, route) WHERE ended = 0`,
	`CREATE INDEX IF NOT EXISTS orders_new ON @orders (started) WHERE ended = 0 AND begun = 0`,
	`CREATE TABLE IF NOT EXISTS @order_subjects (
		name TEXT NOT NULL,
		id TEXT NOT NULL,
		PRIMARY KEY (name, id)
	)`,
	`CREATE INDEX IF NOT EXISTS order_subjects_by_id ON @order_subjects (id)`,
	`CREATE TABLE IF NOT EXISTS @order_plans (
		hash TEXT PRIMARY KEY,
		bundle BYTES NOT NULL,
		kept BIGINT NOT NULL
	)`,
	`CREATE TABLE IF NOT EXISTS @order_events (
		seq SERIAL,
		name TEXT NOT NULL,
		dedup TEXT UNIQUE,
		at BIGINT NOT NULL,
		payload BYTES NOT NULL,
		taken BIGINT NOT NULL DEFAULT 0,
		taken_by TEXT NOT NULL DEFAULT ''
	)`,
	`CREATE INDEX IF NOT EXISTS order_events_by_name ON @order_events (name, seq)`,
	`CREATE INDEX IF NOT EXISTS order_events_by_time ON @order_events (at)`,
	`CREATE TABLE IF NOT EXISTS @order_acts (
		seq SERIAL,
		id TEXT NOT NULL,
		at BIGINT NOT NULL,
		action TEXT NOT NULL,
		detail BYTES
	)`,
	`CREATE INDEX IF NOT EXISTS order_acts_by_id ON @order_acts (id, seq)`,
	`CREATE TABLE IF NOT EXISTS @order_replicas (
		executor TEXT PRIMARY KEY,
		lock BIGINT NOT NULL,
		version TEXT NOT NULL,
		since BIGINT NOT NULL,
		closed INTEGER NOT NULL DEFAULT 0
	)`,
	`CREATE TABLE IF NOT EXISTS @order_ticks (
		schedule TEXT NOT NULL,
		at BIGINT NOT NULL,
		executor TEXT NOT NULL,
		began BIGINT NOT NULL,
		ended BIGINT NOT NULL DEFAULT 0,
		failed INTEGER NOT NULL DEFAULT 0,
		missed INTEGER NOT NULL DEFAULT 0,
		PRIMARY KEY (schedule, at)
	)`,
}

// migrate makes the tables, or refuses a database that is newer than we are.
func (d *database) migrate(ctx context.Context) error {
	return d.tx(ctx, func(tx *sql.Tx) error {
		types := strings.NewReplacer("BYTES", "BLOB", "SERIAL", "INTEGER PRIMARY KEY AUTOINCREMENT")
		if d.postgres() {
			types = strings.NewReplacer("BYTES", "BYTEA", "SERIAL", "BIGSERIAL PRIMARY KEY")
			// Replicas that start together make the tables one after the other.
			if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock($1)`, lockOf(schemaName)); err != nil {
				return err
			}
			// IF NOT EXISTS asks for the right to create even where there is nothing to.
			var n int
			if _, err := d.row(ctx, tx, `SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = $1`, []any{schemaName}, &n); err != nil {
				return err
			}
			if n == 0 {
				if _, err := tx.ExecContext(ctx, `CREATE SCHEMA `+schemaName); err != nil {
					return err
				}
			}
		}
		if _, err := d.exec(ctx, tx, `CREATE TABLE IF NOT EXISTS @order_meta (name TEXT PRIMARY KEY, value BIGINT NOT NULL)`); err != nil {
			return err
		}
		var have int64
		if _, err := d.row(ctx, tx, `SELECT value FROM @order_meta WHERE name = 'schema'`, nil, &have); err != nil {
			return err
		}
		if have > schemaVersion {
			return fmt.Errorf("%w: its orders have schema %d, this program knows %d; start the newer program, or give this one another database", ErrNewer, have, schemaVersion)
		}
		library, err := d.libraryHas(ctx, tx)
		if err != nil {
			return err
		}
		if library > libraryVersion {
			return fmt.Errorf("%w: its workflow tables have version %d, this program knows %d; start the newer program, or give this one another database", ErrNewer, library, libraryVersion)
		}
		for _, t := range tables {
			if _, err := d.exec(ctx, tx, types.Replace(t)); err != nil {
				return err
			}
		}
		_, err = d.exec(ctx, tx, `INSERT INTO @order_meta (name, value) VALUES ('schema', $1) ON CONFLICT (name) DO UPDATE SET value = $1`, schemaVersion)
		return err
	})
}

// libraryHas gives the version of the library's tables; 0: there are none.
func (d *database) libraryHas(ctx context.Context, r runner) (version int64, err error) {
	look := `SELECT COUNT(*) FROM sqlite_master WHERE name = 'dbos_migrations'`
	if d.postgres() {
		look = `SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = '` + schemaName + `' AND table_name = 'dbos_migrations'`
	}
	var n int
	if _, err := d.row(ctx, r, look, nil, &n); err != nil || n == 0 {
		return 0, err
	}
	_, err = d.row(ctx, r, `SELECT version FROM @dbos_migrations`, nil, &version)
	return version, err
}

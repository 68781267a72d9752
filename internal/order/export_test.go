package order

import (
	"context"
	"database/sql"
	"fmt"
)

// For tests: what the outside cannot see or do.
var (
	ReadCursor  = readCursor
	WriteCursor = writeCursor
)

// LibraryVersion gives the version of the library's tables, and the one we know.
func (e *Engine) LibraryVersion(ctx context.Context) (has, known int64, err error) {
	has, err = e.db.libraryHas(ctx, e.db)
	return has, libraryVersion, err
}

// SetSchema makes the database one of another version.
func (e *Engine) SetSchema(ctx context.Context, version int) error {
	_, err := e.db.exec(ctx, e.db, `UPDATE @order_meta SET value = $1 WHERE name = 'schema'`, version)
	return err
}

// SetLibrary makes the library's tables ones of another version.
func (e *Engine) SetLibrary(ctx context.Context, version int) error {
	_, err := e.db.exec(ctx, e.db, `UPDATE @dbos_migrations SET version = $1`, version)
	return err
}

// Full lets the file grow no further; false: it may again.
func (e *Engine) Full(ctx context.Context, full bool) error {
	conns := make([]*sql.Conn, sqliteConnections)
	for i := range conns {
		var err error
		if conns[i], err = e.db.Conn(ctx); err != nil {
			return err
		}
		defer func() { _ = conns[i].Close() }()
	}
	for _, c := range conns {
		pages := 1 << 30
		if full {
			if err := c.QueryRowContext(ctx, `PRAGMA page_count`).Scan(&pages); err != nil {
				return err
			}
		}
		if _, err := c.ExecContext(ctx, fmt.Sprintf(`PRAGMA max_page_count = %d`, pages)); err != nil {
			return err
		}
	}
	return nil
}

// Grow fills what is free in the file.
func (e *Engine) Grow(ctx context.Context) error {
	for {
		if _, err := e.db.exec(ctx, e.db, `INSERT INTO @order_plans (hash, bundle, kept) VALUES ($1, $2, 0)`, random(), make([]byte, 3000)); err != nil {
			return err
		}
	}
}

// HandOut has the library believe that an order of another version runs here, and
// lets that be looked into.
func (e *Engine) HandOut(ctx context.Context, id string) error {
	for _, text := range []string{
		`UPDATE @orders SET version = $2 WHERE id = $1 AND begun = 1 AND $3 <> ''`,
		`UPDATE @workflow_status SET application_version = $2, executor_id = $3, status = 'PENDING', queue_name = NULL WHERE workflow_uuid = $1`,
	} {
		if n, err := e.db.exec(ctx, e.db, text, id, e.options.Version, e.executor); err != nil || n != 1 {
			return fmt.Errorf("%d changed: %w", n, err)
		}
	}
	e.look.Store(true)
	return nil
}

// Backend gives the process of PostgreSQL that holds this replica's lock; 0: none does.
func (e *Engine) Backend(ctx context.Context) (pid int32, err error) {
	_, err = e.db.row(ctx, e.db, `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
		AND classid::bigint = (($1::bigint >> 32) & 4294967295) AND objid::bigint = ($1::bigint & 4294967295)`, []any{e.lease.key}, &pid)
	return pid, err
}

// Cells gives every text and every bytes of every table.
func (e *Engine) Cells(ctx context.Context) (all []string, err error) {
	tables := `SELECT name FROM sqlite_master WHERE type = 'table'`
	if e.db.postgres() {
		tables = `SELECT '` + schemaName + `.' || table_name FROM information_schema.tables WHERE table_schema = '` + schemaName + `'`
	}
	names, err := e.idsOf(ctx, tables)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		rows, err := e.db.QueryContext(ctx, `SELECT * FROM `+name)
		if err != nil {
			return nil, err
		}
		columns, err := rows.Columns()
		if err != nil {
			return nil, err
		}
		for rows.Next() {
			values := make([]any, len(columns))
			for i := range values {
				values[i] = new(any)
			}
			if err := rows.Scan(values...); err != nil {
				return nil, err
			}
			for _, v := range values {
				switch v := (*v.(*any)).(type) {
				case []byte:
					all = append(all, string(v))
				case string:
					all = append(all, v)
				}
			}
		}
		if err := rows.Close(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Errors gives what stands in the error columns of the library.
func (e *Engine) Errors(ctx context.Context) (all []string, err error) {
	return e.idsOf(ctx, `SELECT COALESCE(error, '') FROM @operation_outputs WHERE COALESCE(error, '') <> ''
		UNION ALL SELECT COALESCE(error, '') FROM @workflow_output WHERE COALESCE(error, '') <> ''`)
}

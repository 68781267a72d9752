package order

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	// The library's SQLite driver; it registers "sqlite".
	_ "github.com/dbos-inc/dbos-transact-golang/dbos/driver/sqlite"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

// schemaName is where everything stands in PostgreSQL, the library's tables too.
const schemaName = "emenda_orders"

// fileName is the file of the data folder that orders are kept in.
const fileName = "orders.db"

// database is either database, with one way of writing statements: @name is a
// table, $1 an argument.
type database struct {
	*sql.DB
	pool  *pgxpool.Pool // nil: SQLite
	texts sync.Map      // statement as written -> as sent
}

func (d *database) postgres() bool { return d.pool != nil }

var arguments = regexp.MustCompile(`\$(\d+)`)

// text gives a statement as this database takes it.
func (d *database) text(written string) string {
	if t, ok := d.texts.Load(written); ok {
		return t.(string)
	}
	t := strings.ReplaceAll(written, "@", schemaName+".")
	if !d.postgres() {
		t = arguments.ReplaceAllString(strings.ReplaceAll(written, "@", ""), "?$1")
	}
	d.texts.Store(written, t)
	return t
}

// runner is a database or a transaction.
type runner interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// exec runs a statement and gives how many rows it changed.
func (d *database) exec(ctx context.Context, r runner, written string, args ...any) (int64, error) {
	res, err := r.ExecContext(ctx, d.text(written), args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// row scans the one row of a statement; false: there is none.
func (d *database) row(ctx context.Context, r runner, written string, args []any, into ...any) (bool, error) {
	err := r.QueryRowContext(ctx, d.text(written), args...).Scan(into...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// rows calls scan for each row of a statement.
func (d *database) rows(ctx context.Context, r runner, written string, args []any, scan func(*sql.Rows) error) error {
	rows, err := r.QueryContext(ctx, d.text(written), args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// tx runs fn in a transaction.
func (d *database) tx(ctx context.Context, fn func(tx *sql.Tx) error) error {
	tx, err := d.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		_ = tx.Rollback()
		return err
	}
	return tx.Commit()
}

// openSQLite opens the file of a folder, which belongs to this process.
func openSQLite(folder string) (*database, error) {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return nil, err
	}
	name := filepath.Join(folder, fileName)
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // of the configured folder
	if err != nil {
		return nil, fmt.Errorf("orders cannot be kept: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	address := url.URL{Scheme: "file", Path: name, RawQuery: "_txlock=immediate" +
		"&_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(ON)"}
	db, err := sql.Open("sqlite", address.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(sqliteConnections)
	db.SetMaxIdleConns(sqliteConnections)
	return &database{DB: db}, nil
}

// sqliteConnections is how many connections a file has. One writes at a time;
// the others read.
const sqliteConnections = 4

// openPostgres opens a pool; the database must be there.
func openPostgres(ctx context.Context, address string) (*database, error) {
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		return nil, errors.New("DATABASE_URL cannot be read: it is postgres://USER:PASSWORD@HOST:PORT/DATABASE")
	}
	if !strings.Contains(address, "pool_max_conns") {
		config.MaxConns = 20
	}
	config.MaxConnIdleTime = 5 * time.Minute
	config.ConnConfig.ConnectTimeout = 5 * time.Second
	if config.ConnConfig.RuntimeParams["application_name"] == "" {
		config.ConnConfig.RuntimeParams["application_name"] = "emenda"
	}
	if config.ConnConfig.RuntimeParams["idle_in_transaction_session_timeout"] == "" {
		config.ConnConfig.RuntimeParams["idle_in_transaction_session_timeout"] = "60000"
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("%w: PostgreSQL cannot be reached: %w", ErrDown, plain(err))
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("%w: PostgreSQL cannot be reached: %w", ErrDown, plain(err))
	}
	return &database{DB: stdlib.OpenDBFromPool(pool), pool: pool}, nil
}

// close closes pool and connections.
func (d *database) close() {
	_ = d.Close()
	if d.pool != nil {
		d.pool.Close()
	}
}

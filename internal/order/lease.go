package order

import (
	"context"
	"database/sql"
	"log/slog"
	"sync"
	"time"

	"github.com/dbos-inc/dbos-transact-golang/dbos"
	"github.com/jackc/pgx/v5"
)

const (
	// channel is where replicas tell each other.
	channel = schemaName
	// pingEvery is how often a replica looks whether its lock still holds.
	pingEvery = 400 * time.Millisecond
	// fresh is how long a lock is believed to hold after it was last seen to.
	fresh = 1200 * time.Millisecond
	// grace is how long a replica's lock must be free until its orders are taken
	// over: longer than fresh, and than it takes to come back to a database that was restarted.
	grace = 1500 * time.Millisecond
	// deadEvery is how often replicas are looked at.
	deadEvery = 250 * time.Millisecond
)

// lease is how replicas on one PostgreSQL know of each other: each holds an
// advisory lock, on a connection of its own that it pings. Whose lock is free is
// gone, and the others take its orders over. A replica that cannot be sure of its
// lock begins no step until it is, and looks then whether the order is still its own.
type lease struct {
	e   *Engine
	key int64

	mu    sync.Mutex
	conn  *pgx.Conn // nil: lost
	ok    time.Time // when the lock was last seen to hold
	epoch int       // how often it was taken
}

// takeLease takes the lock of this replica.
func (e *Engine) takeLease(ctx context.Context) (*lease, error) {
	l := &lease{e: e, key: lockOf(e.executor)}
	return l, plain(l.connect(ctx))
}

// connect takes the lock on a new connection.
func (l *lease) connect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, l.e.db.pool.Config().ConnConfig.Copy())
	if err != nil {
		return err
	}
	for _, text := range []string{
		// A machine that has lost its power does not say goodbye; where the settings are not known, hours pass instead.
		`SET tcp_keepalives_idle = 2`, `SET tcp_keepalives_interval = 1`, `SET tcp_keepalives_count = 3`, `SET tcp_user_timeout = 5000`,
	} {
		_, _ = conn.Exec(ctx, text)
	}
	_, err = conn.Exec(ctx, `SELECT pg_advisory_lock($1)`, l.key)
	if err == nil {
		_, err = conn.Exec(ctx, `INSERT INTO `+schemaName+`.order_replicas (executor, lock, version, since) VALUES ($1, $2, $3, $4)
			ON CONFLICT (executor) DO UPDATE SET closed = 0`, l.e.executor, l.key, l.e.options.Version, millis(l.e.now()))
	}
	if err == nil {
		_, err = conn.Exec(ctx, `LISTEN `+channel)
	}
	if err != nil {
		_ = conn.Close(context.WithoutCancel(ctx))
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn, l.ok = conn, time.Now()
	l.epoch++
	return nil
}

// held tells whether the lock surely holds now.
func (l *lease) held() bool {
	_, is := l.now()
	return is
}

func (l *lease) now() (epoch int, held bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.epoch, l.conn != nil && time.Since(l.ok) < fresh
}

// wait waits until the lock surely holds.
func (l *lease) wait(ctx context.Context) (epoch int, err error) {
	for {
		if epoch, is := l.now(); is {
			return epoch, nil
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return 0, ErrClosing
		case <-l.e.closing:
			return 0, ErrClosing
		}
	}
}

// hold pings the connection, passes on what is told over it, and takes the lock
// again when the connection is lost. It looks for dead replicas beside that.
func (l *lease) hold(ctx context.Context) {
	var dead sync.WaitGroup
	dead.Go(func() { l.lookForDead(ctx) })
	defer dead.Wait()
	for lost := 0; ctx.Err() == nil; {
		if l.conn == nil {
			if err := l.connect(ctx); err != nil {
				if lost++; lost == 20 {
					l.e.log.Error("orders: PostgreSQL cannot be reached; orders wait for it", errAttr(err))
				}
				l.rest(ctx, 100*time.Millisecond)
				continue
			}
			l.e.log.Info("orders: PostgreSQL is back", slog.String("replica", l.e.executor))
			lost = 0
			l.e.wakes.everybody() // something may have been told meanwhile
			l.e.lookOnce(ctx)
			l.e.look.Store(true)
		}
		if err := l.listen(ctx); err != nil && ctx.Err() == nil {
			l.e.log.Warn("orders: the connection to PostgreSQL is lost", errAttr(err))
			l.e.db.pool.Reset() // the others are likely dead too, and whoever is given one of them fails
			l.mu.Lock()
			conn := l.conn
			l.conn = nil
			l.mu.Unlock()
			closing, cancel := context.WithTimeout(ctx, time.Second)
			_ = conn.Close(closing)
			cancel()
		}
	}
}

// rest waits.
func (l *lease) rest(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// listen passes on what is told until it is time to ping, and pings.
func (l *lease) listen(ctx context.Context) error {
	until := time.Now().Add(pingEvery)
	for {
		waiting, cancel := context.WithDeadline(ctx, until)
		n, err := l.conn.WaitForNotification(waiting)
		cancel()
		if err != nil {
			if ctx.Err() != nil || l.conn.IsClosed() {
				return err
			}
			break // it is time
		}
		l.e.told(n.Payload)
	}
	began := time.Now()
	pinging, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if _, err := l.conn.Exec(pinging, `SELECT 1`); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ok = began
	return nil
}

// lookForDead takes over the orders of replicas that are gone.
func (l *lease) lookForDead(ctx context.Context) {
	free := map[string]time.Time{}
	for epoch, round := 0, 0; ctx.Err() == nil; round++ {
		l.rest(ctx, deadEvery)
		now, held := l.now()
		if !held || now != epoch {
			// When the database itself was away, everybody's lock is free for a while.
			clear(free)
			epoch = now
			continue
		}
		if round%120 == 0 {
			l.strays(ctx)
		}
		for _, d := range l.free(ctx) {
			if free[d.executor].IsZero() {
				free[d.executor] = time.Now()
			}
			if (d.closed || time.Since(free[d.executor]) >= grace) && !l.e.isClosing() {
				if err := l.takeOver(ctx, d); err != nil && ctx.Err() == nil {
					l.e.log.Warn("orders: those of a replica that is gone could not be taken over yet", errAttr(err))
				}
				delete(free, d.executor)
			}
		}
	}
}

// gone is a replica whose lock is free.
type gone struct {
	executor string
	lock     int64
	closed   bool
}

// free gives the other replicas whose locks nobody holds.
func (l *lease) free(ctx context.Context) (all []gone) {
	asking, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	err := l.e.db.rows(asking, l.e.db, `SELECT executor, lock, closed FROM @order_replicas r WHERE executor <> $1 AND NOT EXISTS (
		SELECT 1 FROM pg_locks l WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted
			AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
			AND l.classid::bigint = ((r.lock >> 32) & 4294967295) AND l.objid::bigint = (r.lock & 4294967295))`,
		[]any{l.e.executor}, func(r *sql.Rows) error {
			var d gone
			var closed int
			err := r.Scan(&d.executor, &d.lock, &closed)
			d.closed = closed > 0
			all = append(all, d)
			return err
		})
	if err != nil {
		return nil
	}
	return all
}

// strays notes executors that run orders and are not known as replicas.
func (l *lease) strays(ctx context.Context) {
	var all []string
	_ = l.e.db.rows(ctx, l.e.db, `SELECT DISTINCT executor_id FROM @workflow_status WHERE status = 'PENDING'
		AND executor_id NOT IN (SELECT executor FROM @order_replicas)`, nil, func(r *sql.Rows) error {
		var executor string
		err := r.Scan(&executor)
		all = append(all, executor)
		return err
	})
	for _, executor := range all {
		_, _ = l.e.db.exec(ctx, l.e.db, `INSERT INTO @order_replicas (executor, lock, version, since) VALUES ($1, $2, '', $3) ON CONFLICT DO NOTHING`,
			executor, lockOf(executor), millis(l.e.now()))
	}
}

// takeOver hands the orders of a replica that is gone to those that are there.
// The lock of the one that is gone lets one at a time do so, and not that one come back meanwhile.
func (l *lease) takeOver(ctx context.Context, d gone) error {
	conn, err := l.e.db.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	var got bool
	if err := conn.QueryRow(ctx, `SELECT pg_try_advisory_lock($1)`, d.lock).Scan(&got); err != nil || !got {
		return err
	}
	defer func() {
		if _, err := conn.Exec(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, d.lock); err != nil {
			_ = conn.Conn().Close(context.WithoutCancel(ctx)) // the lock ends with the connection
		}
	}()
	total := 0
	for {
		theirs, err := dbos.ListWorkflows(l.e.library, dbos.WithFilterExecutorIDs(d.executor), dbos.WithFilterStatus(dbos.WorkflowStatusPending),
			dbos.WithFilterLoadInput(false), dbos.WithFilterLoadOutput(false), dbos.WithFilterLimit(500))
		if err != nil {
			return err
		}
		if len(theirs) == 0 {
			break
		}
		ids := make([]string, len(theirs))
		for i, w := range theirs {
			ids[i] = w.ID
		}
		if _, err := dbos.ResumeWorkflows[string](l.e.library, ids); err != nil {
			return err
		}
		total += len(ids)
	}
	if _, err := conn.Exec(ctx, `DELETE FROM `+schemaName+`.order_replicas WHERE executor = $1`, d.executor); err != nil {
		return err
	}
	if total > 0 {
		l.e.log.Info("orders: taken over from a replica that is gone", slog.String("replica", d.executor), slog.Int("orders", total))
	}
	return nil
}

// release gives the lock up, and says that it was on purpose.
func (l *lease) release() {
	if l.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_, _ = l.conn.Exec(ctx, `UPDATE `+schemaName+`.order_replicas SET closed = 1 WHERE executor = $1`, l.e.executor)
	_ = l.conn.Close(ctx)
}

package order_test

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/emenda-gateway/emenda/internal/order"
	"github.com/emenda-gateway/emenda/internal/pgtest"
	"github.com/emenda-gateway/emenda/internal/seal"
)

// helperEnv tells the test binary to be a gateway: its value is a job.
const helperEnv = "EMENDA_ORDER_HELPER"

// job is what a helper does: it starts orders, twice each, with the event they
// wait for unless Silent, runs whatever comes, and ends when those it started have.
type job struct {
	URL, Data, Journal string
	First, Orders      int // the number of the first order, and how many
	Steps              int
	Stay               bool // until killed
	Silent             bool // the events are another's to tell
}

// helper is the gateway's process.
func helper() {
	var j job
	if err := json.Unmarshal([]byte(os.Getenv(helperEnv)), &j); err != nil {
		panic(err)
	}
	if err := j.run(); err != nil {
		fmt.Fprintln(os.Stderr, "helper:", err)
		os.Exit(1)
	}
}

func (j job) run() error {
	journal, err := os.OpenFile(j.Journal, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	key, err := seal.NewKey(make([]byte, seal.KeySize))
	if err != nil {
		return err
	}
	ctx := context.Background()
	var e *order.Engine
	for n := 0; ; n++ { // the lock of a process that was killed may last a moment
		if e, err = order.Open(ctx, order.Options{DatabaseURL: j.URL, Data: j.Data, Keys: seal.Keys{key}, Version: "1",
			Runner: func(r order.Run) (order.End, error) { return j.sale(r, journal) }}); err == nil {
			break
		}
		if n == 100 {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
	fmt.Println("open")
	ids := make([]string, j.Orders)
	var all errgroup.Group
	for i := range ids {
		all.Go(func() error {
			n := fmt.Sprint(j.First + i)
			for range 2 {
				s, _, err := e.Start(ctx, sale(n))
				if err != nil {
					return err
				}
				ids[i] = s.ID
			}
			if j.Silent {
				return nil
			}
			return e.EmitOnce(ctx, n, "go", []byte(n), []byte("e"))
		})
	}
	if err := all.Wait(); err != nil {
		return err
	}
	fmt.Println("started")
	if j.Stay {
		select {}
	}
	for _, id := range ids {
		s, err := e.Await(ctx, id)
		if err != nil {
			return err
		}
		if len(s.Steps) != j.Steps+2 || string(s.Result) != "e" {
			return fmt.Errorf("order %s: %d steps, result %q", id, len(s.Steps), s.Result)
		}
	}
	fmt.Println("done")
	return e.Close(ctx)
}

// sale journals each step when it happens: steps, a wait, a sleep between.
func (j job) sale(r order.Run, journal *os.File) (order.End, error) {
	var got []byte
	for i := range j.Steps {
		_, err := r.Step(fmt.Sprint("s", i), func(context.Context) ([]byte, error) {
			if journal == nil {
				return []byte("x"), nil
			}
			_, err := fmt.Fprintf(journal, "%s %d happened\n", r.Order().ID, i)
			return []byte("x"), err
		})
		if err == nil && journal != nil {
			_, err = fmt.Fprintf(journal, "%s %d kept\n", r.Order().ID, i)
		}
		if err != nil {
			return order.End{}, err
		}
		switch i {
		case j.Steps / 3:
			var n string
			var payload struct{ N string }
			if err := json.Unmarshal(r.Order().Payload, &payload); err != nil {
				return order.End{}, err
			}
			n = payload.N
			if got, _, err = r.Wait("go", []byte(n), time.Time{}); err != nil {
				return order.End{}, err
			}
		case j.Steps / 2:
			if err := r.Sleep(50 * time.Millisecond); err != nil {
				return order.End{}, err
			}
		}
	}
	return order.End{State: order.Done, Result: got}, nil
}

// process is a helper that runs.
type process struct {
	cmd  *exec.Cmd
	ends chan error
	open chan struct{} // closed when its engine is open
	all  chan struct{} // closed when its orders are started
	done bool
}

func (j job) start(t *testing.T) *process {
	text, err := json.Marshal(j)
	require.NoError(t, err)
	self, err := os.Executable()
	require.NoError(t, err)
	p := &process{cmd: exec.Command(self), ends: make(chan error, 1), open: make(chan struct{}), all: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), helperEnv+"="+string(text))
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	t.Cleanup(func() { p.kill() })
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			switch lines.Text() {
			case "open":
				close(p.open)
			case "started":
				close(p.all)
			case "done":
				p.done = true
			}
		}
		p.ends <- p.cmd.Wait()
	}()
	return p
}

// kill ends a process at once, and waits for it; it gives whether it had done its job.
func (p *process) kill() bool {
	_ = p.cmd.Process.Signal(syscall.SIGKILL)
	err := <-p.ends
	p.ends <- err
	return p.done
}

// repeats reads a journal: every order's steps never go back, for a later step
// begins when the one before is kept; it gives how many orders, and how many steps
// happened more than once, which only what was not kept may.
func repeats(t *testing.T, journal string, steps int) (orders, repeated int) {
	text, err := os.ReadFile(journal)
	require.NoError(t, err)
	last, kept := map[string]int{}, map[string]int{}
	for line := range strings.Lines(string(text)) {
		var id, what string
		var step int
		if n, _ := fmt.Sscanf(line, "%s %d %s", &id, &step, &what); n != 3 {
			t.Fatalf("journal: %q", line)
		}
		if what == "kept" {
			kept[id] = max(kept[id], step+1)
			continue
		}
		before, is := last[id]
		switch {
		case step < kept[id]:
			t.Fatalf("step %d of %s was kept, and happened again", step, id)
		case !is:
			require.Zero(t, step, "the first step was left out")
		case step == before:
			repeated++
		default:
			require.Equal(t, before+1, step, "a kept step happened again, or one was left out: %s", id)
		}
		last[id] = step
	}
	for id, step := range last {
		require.Equal(t, steps-1, step, "order %s", id)
	}
	return len(last), repeated
}

// helperKeys are the keys helpers seal with.
func helperKeys(t *testing.T) seal.Keys {
	key, err := seal.NewKey(make([]byte, seal.KeySize))
	require.NoError(t, err)
	return seal.Keys{key}
}

// journaled tells whether a step of each order has happened.
func journaled(t *testing.T, journal string, ids ...string) bool {
	text, err := os.ReadFile(journal)
	require.NoError(t, err)
	for _, id := range ids {
		if !strings.Contains(string(text), id) {
			return false
		}
	}
	return true
}

// kills is how often each is killed: go test ./internal/order -run KilledAgain -args -kills 100
var kills = flag.Int("kills", 8, "how often TestKilledAgainAndAgain kills")

func TestKilledAgainAndAgain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		postgres bool
		replicas int
	}{{"SQLite", false, 1}, {"PostgreSQL, two replicas", true, 2}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			const each = 10 // orders are new to each life
			j := job{Data: filepath.Join(dir, "data"), Journal: filepath.Join(dir, "journal"), Steps: 12}
			if c.postgres {
				j.URL = pgtest.Start(t).URL()
			}
			all := make([]*process, c.replicas)
			for n := range *kills + c.replicas {
				if p := all[n%c.replicas]; p != nil {
					<-p.open
					time.Sleep(time.Duration(20+rand.IntN(400)) * time.Millisecond)
					p.kill()
				}
				life := j
				life.First, life.Orders, life.Stay = each*n, each, true
				if n >= *kills { // the last ones see to all
					life.First, life.Orders, life.Stay = 0, each**kills, false
				}
				all[n%c.replicas] = life.start(t)
			}
			for _, p := range all {
				select {
				case err := <-p.ends:
					p.ends <- err
					require.NoError(t, err)
					require.True(t, p.done)
				case <-time.After(60 * time.Second):
					t.Fatal("the orders did not end")
				}
			}
			orders, repeated := repeats(t, j.Journal, j.Steps)
			require.Equal(t, each**kills, orders)
			t.Logf("%d orders of %d steps, %d kills: %d steps that were not kept happened again", orders, j.Steps, *kills, repeated)
		})
	}
}

// Command bench measures what a request costs through the gateway, beside the
// same work written by hand, done by nginx, and not done at all:
//
//	go run ./bench                       # prints the tables, and keeps them in docs/performance.md
//	go run ./bench -rounds 1 -requests 2000 -seconds 1 -page ""
//
// Every server is a process of its own on this machine's loopback; the rounds
// of all of them are interleaved. It needs bin/emenda and Debian's nginx,
// libnginx-mod-http-lua and lua-cjson (make bench).
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/emenda-gateway/emenda/bench/duties"
	"github.com/emenda-gateway/emenda/bench/erp"
	"github.com/emenda-gateway/emenda/bench/floor"
	"github.com/emenda-gateway/emenda/bench/pass"
)

// The caller that is measured.
const (
	app   = "ura"
	token = "7c0ffee0-1dea-4bad-8bad-5ca1ab1e0001"
)

// options say how much is measured.
type options struct {
	gateways   []string // bin/emenda, and others to hold it against
	page       string   // "" keeps nothing
	rounds     int
	requests   int
	seconds    int
	rates      []int
	crowd      int // connections where the ERP takes its time
	onlyFloor  bool
	erpLatency time.Duration
}

func main() {
	if len(os.Args) > 1 {
		if run := roles[os.Args[1]]; run != nil {
			end(serve(run, os.Args[2:]))
			return
		}
	}
	o := options{erpLatency: 20 * time.Millisecond}
	var gateways, rates string
	flag.StringVar(&gateways, "gateway", filepath.Join("bin", "emenda"), "the built gateway; several, to be compared in pairs, with commas between")
	flag.StringVar(&o.page, "page", filepath.Join("docs", "performance.md"), "the page that keeps the tables; empty for none")
	flag.IntVar(&o.rounds, "rounds", 5, "how many rounds; medians are told")
	flag.IntVar(&o.requests, "requests", 20_000, "how many requests a round, as fast as they are answered")
	flag.StringVar(&rates, "rates", "2000,10000", "the fixed rates, requests a second; empty for none")
	flag.IntVar(&o.seconds, "seconds", 3, "how many seconds a round at each fixed rate")
	flag.IntVar(&o.crowd, "crowd", 2000, "how many connections with an ERP that takes 20 ms")
	flag.BoolVar(&o.onlyFloor, "pairs", false, "only the gateways and what they are held against, and an ERP without latency")
	flag.Parse()
	o.gateways = strings.Split(gateways, ",")
	for _, text := range strings.FieldsFunc(rates, func(r rune) bool { return r == ',' }) {
		rate, err := strconv.Atoi(text)
		if err != nil || rate < 1 {
			flag.Usage()
			os.Exit(2)
		}
		o.rates = append(o.rates, rate)
	}
	if flag.NArg() > 0 || o.rounds < 1 || o.requests < 1 || o.seconds < 1 || o.crowd < 1 {
		flag.Usage()
		os.Exit(2)
	}
	end(bench(o, os.Stdout))
}

func end(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench(o options, out io.Writer) error {
	w, err := newWorld(o)
	if err != nil {
		return err
	}
	defer w.close()
	stopped, release := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer release()
	tables, err := measure(stopped, w, o, out)
	if err != nil {
		return err
	}
	text := render(o, tables)
	fmt.Fprint(out, text)
	if o.page == "" || o.onlyFloor {
		return nil
	}
	return keep(o.page, text)
}

// roles are the servers that this program can be, as a process of its own.
var roles = map[string]func(ln net.Listener, args []string) error{
	"erp": func(ln net.Listener, _ []string) error { return erp.New(0).Serve(ln) },
	"floor": func(ln net.Listener, args []string) error {
		return floor.Serve(ln, floor.Options{ERP: args[0], Path: erp.Path, Authorization: erp.Authorization(), App: app, Token: token})
	},
	"watched-floor": func(ln net.Listener, args []string) error {
		return watched(args[1], "consultacliente", func(d *duties.Duties) error {
			return floor.Serve(ln, floor.Options{ERP: args[0], Path: erp.Path, Authorization: erp.Authorization(), App: app, Token: token, Duties: d})
		})
	},
	"pass": func(ln net.Listener, args []string) error { return pass.Serve(ln, args[0]) },
	"watched-pass": func(ln net.Listener, args []string) error {
		return watched(args[1], "passed on", func(d *duties.Duties) error { return pass.Watched(ln, args[0], erp.Authorization(), d) })
	},
}

// watched serves with the duties of a gateway, whose log goes to a file.
func watched(log, route string, serve func(*duties.Duties) error) error {
	f, err := os.Create(log)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	return serve(duties.New(route, token, f))
}

// serve is one of those servers: it tells its address, and ends with its standard input.
func serve(run func(net.Listener, []string) error, args []string) error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(ln.Addr())
	go func() {
		_, _ = bufio.NewReader(os.Stdin).ReadByte()
		os.Exit(0)
	}()
	return run(ln, args)
}

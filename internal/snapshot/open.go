package snapshot

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emenda-gateway/emenda/internal/backend"
	"github.com/emenda-gateway/emenda/internal/config"
	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/exchange"
	"github.com/emenda-gateway/emenda/internal/intake"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/maptest"
	"github.com/emenda-gateway/emenda/internal/observe"
	"github.com/emenda-gateway/emenda/internal/store"
	"github.com/emenda-gateway/emenda/internal/ticket"
)

// Snapshot is a loaded configuration with its secrets and connections: what serves.
type Snapshot struct {
	*Loaded
	Settings    *config.Resolved
	Exchanger   *exchange.Exchanger
	PlainErrors *mapping.ErrorReplies // for paths that belong to no dialect
	LeftOut     []LeftOut
	Kept        *store.Store // outlives the snapshot
	clients     map[string]*backend.Client
	callers     []*intake.Caller
	Schedules   []Scheduled // those that run
	orders      Orders      // outlives the snapshot; nil: nobody keeps any
}

// LeftOut is a backend, caller or schedule that is not served, and why.
type LeftOut struct{ Kind, Name, Why string }

// Missing warns of backends and callers that serving would leave out in this environment.
func (l *Loaded) Missing(env func(string) (string, bool)) (list diag.List) {
	list = l.withoutToken(env)
	for _, m := range l.asked(l.Config.Unset(env)) {
		list = append(list, m.Warning())
	}
	return list
}

// Certificates reads the files that TLS needs in this environment, and tells what is wrong with them.
func (l *Loaded) Certificates(env func(string) (string, bool)) diag.List {
	return l.Config.CheckTLS(env, os.ReadFile)
}

// Resolve gives the settings to serve with: values and secrets of this
// environment. What is shared between replicas is sealed, and a key that each
// made for itself would open nothing: with a shared store one must be given.
func (l *Loaded) Resolve(env func(string) (string, bool)) (*config.Resolved, diag.List) {
	settings, list := l.Config.Resolve(env, os.ReadFile)
	if settings != nil {
		settings.Missing = l.asked(settings.Missing)
	}
	if settings != nil && (settings.RedisURL.IsSet() || settings.OrdersURL.IsSet()) && len(settings.SealKeys) == 0 {
		at := &l.Config.Gateway.RedisURL
		if !settings.RedisURL.IsSet() {
			at = &l.Config.Gateway.OrdersURL
		}
		name := "gateway.seal_key"
		if keys := l.Config.Gateway.SealKeys; len(keys) > 0 {
			name = keys[0].Name
		}
		list.Errorf(at.At, "seal-key", "%s is set, but %s is not: what replicas share is sealed with one key", at.Name, name).
			Help = "give every replica the same 32 random bytes in base64, such as \"openssl rand -base64 32\" prints"
		return nil, list
	}
	return settings, list
}

// Open makes what serves, with the settings Resolve gave; it opens no
// connection before a request needs one. kept is what outlives snapshots: the
// caller closes it, after the last of them. metrics may be nil; log is told what happens to backends.
// Durable mappings answer that their orders cannot be kept: see OpenWith.
func (l *Loaded) Open(settings *config.Resolved, kept *store.Store, metrics *observe.Metrics, log *slog.Logger) (*Snapshot, error) {
	return l.OpenWith(nil, settings, kept, metrics, log)
}

// OpenWith is Open with somebody who keeps the orders of durable mappings; nil: nobody does.
func (l *Loaded) OpenWith(orders Orders, settings *config.Resolved, kept *store.Store, metrics *observe.Metrics, log *slog.Logger) (*Snapshot, error) {
	if orders != nil {
		if err := orders.Prepare(l, settings); err != nil {
			return nil, err
		}
	}
	s := &Snapshot{Loaded: l, Settings: settings, PlainErrors: plainErrors(), Kept: kept, clients: map[string]*backend.Client{}, orders: orders}
	s.LeftOut = leftOut(settings.Missing)
	for _, name := range slices.Sorted(maps.Keys(settings.Backends)) {
		if settings.Backends[name].Maintenance.On {
			continue // without a client nothing is sent, not even for a token
		}
		o := l.options(settings.Backends[name], kept, metrics, log)
		if t := o.Contract.SignIn.Token; t != nil && !t.Usable(o.SignIn) {
			s.LeftOut = append(s.LeftOut, LeftOut{Kind: "backend", Name: name, Why: l.tokenless(name)})
			continue
		}
		var err error
		if t := settings.Backends[name].TLS; t != nil {
			o.TLS, err = t.Client()
		}
		var c *backend.Client
		if err == nil {
			c, err = backend.New(o)
		}
		if err != nil {
			s.Close()
			return nil, err
		}
		s.clients[name] = c
	}
	s.scheduled()
	for _, name := range slices.Sorted(maps.Keys(settings.Callers)) {
		s.callers = append(s.callers, callerOf(settings.Callers[name]))
	}
	tickets, err := issuer(kept)
	if err != nil {
		s.Close()
		return nil, err
	}
	s.Exchanger = exchange.New(exchange.Options{
		Callers: s.callers, Calls: s, Memory: kept, Cache: kept, Turns: kept, Rates: kept, SignIns: kept, SignInLimit: store.SignInLimit(settings.Limits.SignIn), Zone: settings.Timezone, Clock: time.Now,
		Unavailable: s.Unavailable, Tickets: tickets, Orders: l.orders(orders),
		Fuel: settings.Limits.Fuel, MaxEach: settings.Limits.Each,
	})
	return s, nil
}

// issuer gives who issues callers' tickets, with the keys that the store has.
func issuer(kept *store.Store) (*ticket.Issuer, error) {
	var keys [][]byte
	for _, k := range kept.Keys() {
		keys = append(keys, k.Tickets())
	}
	return ticket.New(keys...)
}

// leftOut tells each backend and caller once, with all that is unset.
func leftOut(missing []config.Missing) (all []LeftOut) {
	for _, m := range missing {
		if !m.LeftOut {
			continue
		}
		last := len(all) - 1
		if last < 0 || all[last].Kind != m.Kind || all[last].Name != m.Name {
			all = append(all, LeftOut{Kind: m.Kind, Name: m.Name, Why: m.Variable + " is not set"})
			continue
		}
		names := strings.TrimSuffix(strings.TrimSuffix(all[last].Why, " is not set"), " are not set")
		all[last].Why = names + ", " + m.Variable + " are not set"
	}
	return all
}

func (l *Loaded) options(b *config.ResolvedBackend, kept *store.Store, metrics *observe.Metrics, log *slog.Logger) backend.Options {
	c := l.Contracts[b.Name]
	if c == nil {
		c = contract.Bare(b.Name, slices.Sorted(maps.Keys(b.SignIn)))
	}
	o := backend.Options{
		Contract: c, URL: b.URL, SignIn: map[string]string{},
		Timeout: b.Timeout, AtMost: b.AtMost, IdleTimeout: b.IdleTimeout, MaxAnswer: b.MaxAnswer,
		Breaker: backend.Breaker{Failures: b.Failures, Pause: b.Pause},
		Now:     time.Now, Tokens: kept,
	}
	for name, v := range b.SignIn {
		o.SignIn[name] = v.Reveal()
	}
	if metrics != nil {
		o.Observe = newWatch(metrics, log, c, l.Set.Requests)
	}
	return o
}

// callerOf prepares a caller for comparing: its tokens as hashes.
func callerOf(c *config.ResolvedCaller) *intake.Caller {
	out := &intake.Caller{
		Name: c.Name, Dialect: c.Dialect, App: c.App, Permissions: c.Permissions, Strict: c.Strict, Truthful: c.Truthful, Rate: intake.Rate(c.Rate),
		Value: callerValue(c.Name, c.App, c.Strict),
	}
	for _, t := range c.Tokens {
		out.Secrets = append(out.Secrets, sha256.Sum256([]byte(t.Reveal())))
	}
	return out
}

// callerValue is what mappings see as `caller`.
func callerValue(name, app string, strict bool) jsonx.Value {
	b := append([]byte(nil), `{"name":`...)
	b = jsonx.AppendQuoted(b, name)
	if app != "" {
		b = append(b, `,"app":`...)
		b = jsonx.AppendQuoted(b, app)
	}
	b = append(b, `,"strict":`...)
	b = strconv.AppendBool(b, strict)
	return jsonx.RawValue(string(append(b, '}'))).Clone() // with an index, for each request reads it
}

// TestCallers gives every configured caller without its secrets: tests make
// requests as one of them by name.
func (l *Loaded) TestCallers() []*intake.Caller {
	var all []*intake.Caller
	for _, name := range slices.Sorted(maps.Keys(l.Config.Callers)) {
		c := l.Config.Callers[name]
		app, err := c.App.Resolve(nil)
		if err != nil {
			app = name
		}
		r := &config.ResolvedCaller{Name: name, Dialect: c.Dialect, App: app, Strict: c.Strict, Truthful: c.Truthful}
		for _, p := range c.Permissions {
			r.Permissions = append(r.Permissions, p.Glob)
		}
		all = append(all, callerOf(r))
	}
	return all
}

// TestOptions are what the tests of the mappings run with: configured callers,
// without their secrets, the time zone, and limits that need no environment.
func (l *Loaded) TestOptions() maptest.Options {
	return maptest.Options{
		Callers: l.TestCallers(), Zone: zoneOf(l.Config),
		Fuel: fixed(l.Config.Limits.Fuel), MaxEach: fixed(l.Config.Limits.Each),
	}
}

// fixed gives a number that needs no environment, else 0.
func fixed(t config.Text) int {
	text, err := t.Resolve(nil)
	if err != nil {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return n
}

// Unavailable tells whether a backend is not called, and what callers are told.
func (s *Snapshot) Unavailable(backend string) (words string, out bool) {
	if s.clients[backend] != nil || backend == ordersBackend && s.orders != nil {
		return "", false
	}
	if b := s.Settings.Backends[backend]; b != nil {
		words = b.Maintenance.Words
	}
	return words, true
}

// UnderMaintenance is a backend or dialect that is out of service by gateway.yaml's word.
type UnderMaintenance struct{ Kind, Name string }

// UnderMaintenance gives what is out of service by gateway.yaml's word, in order.
func (s *Snapshot) UnderMaintenance() (all []UnderMaintenance) {
	for _, name := range slices.Sorted(maps.Keys(s.Settings.Backends)) {
		if s.Settings.Backends[name].Maintenance.On {
			all = append(all, UnderMaintenance{"backend", name})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Settings.Maintenance)) {
		all = append(all, UnderMaintenance{"dialect", name})
	}
	return all
}

// Call sends a call to its backend.
func (s *Snapshot) Call(ctx context.Context, c *backend.Call) *backend.Answer {
	if c.Operation.Backend == ordersBackend && s.orders != nil {
		return s.orders.Call(ctx, c)
	}
	client := s.clients[c.Operation.Backend]
	if client == nil {
		return backend.FailedAnswer(c.Operation, contract.ClassUnavailable, false)
	}
	return client.Do(ctx, c)
}

// LeftOutDialect tells whether nobody can be served in a dialect: every caller of it is left out.
func (s *Snapshot) LeftOutDialect(d *mapping.Dialect) bool {
	return !slices.ContainsFunc(s.callers, func(c *intake.Caller) bool { return c.Dialect == d.Name })
}

// Close closes idle connections.
func (s *Snapshot) Close() {
	for _, c := range s.clients {
		c.Close()
	}
}

// plainErrors are RFC 9457 problems for paths that belong to no dialect.
func plainErrors() *mapping.ErrorReplies {
	replies := new(mapping.ErrorReplies)
	for _, kind := range mapping.ErrorKinds() {
		status := kind.DefaultStatus()
		text := append([]byte(`{"type":"about:blank","title":`), jsonx.AppendQuoted(nil, http.StatusText(status))...)
		text = append(text, `,"status":`...)
		text = append(strconv.AppendInt(text, int64(status), 10), '}')
		replies[kind] = &mapping.ErrorReply{Kind: kind, Status: status, Text: string(text), Type: "application/problem+json"}
	}
	return replies
}

// watch tells the metrics what happens with a backend.
type watch struct {
	metrics    *observe.Metrics
	log        *slog.Logger
	operations map[*contract.Operation]*observe.Operation
	byID       map[string]*observe.Operation // of the contract's: an order calls those of the configuration it began under
}

// newWatch resolves the counters of a backend's operations. Requests to a
// backend without a contract count by method and path, as their steps say them.
func newWatch(m *observe.Metrics, log *slog.Logger, c *contract.Contract, requests []*contract.Operation) *watch {
	w := &watch{metrics: m, log: log, operations: map[*contract.Operation]*observe.Operation{}, byID: map[string]*observe.Operation{}}
	for _, op := range c.Operations {
		o := m.Operation(c.Name, op.ID)
		w.operations[op], w.byID[op.ID] = o, o
	}
	for _, op := range requests {
		if op.Backend == c.Name {
			w.operations[op] = m.Operation(c.Name, op.ID)
		}
	}
	m.Breaker(c.Name, "closed")
	return w
}

// Called counts one attempt.
func (w *watch) Called(op *contract.Operation, state contract.State, class string, took time.Duration) {
	o := w.operations[op]
	if o == nil {
		o = w.byID[op.ID]
	}
	if o != nil {
		o.Called(state.String(), class, took)
	}
}

// BreakerChanged sets the breaker's state, and tells it.
func (w *watch) BreakerChanged(name, state string) {
	w.metrics.Breaker(name, state)
	level := slog.LevelInfo
	if state == "open" {
		level = slog.LevelWarn
	}
	w.log.LogAttrs(context.Background(), level, "circuit breaker", slog.String("backend", name), slog.String("state", state))
}

// Shed counts a call that was not made for lack of a connection.
func (w *watch) Shed(name string) { w.metrics.Shed(name) }

// TokenFetched counts a fetch.
func (w *watch) TokenFetched(name, how string, ok bool) { w.metrics.Token(name, how, ok) }

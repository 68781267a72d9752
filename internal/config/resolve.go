package config

import (
	"errors"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// Resolved is a configuration with the values of one environment: what to
// serve with. Backends and callers that are left out are not in it.
type Resolved struct {
	Listen, AdminListen string
	AdminToken          SecretValue
	Data                string
	Mappings            string // "": the built-in ones
	Timezone            *time.Location
	SealKeys            []SecretValue // base64 of 32 bytes each; the first seals
	RedisURL            SecretValue
	OrdersURL           SecretValue    // of PostgreSQL; unset: SQLite in the data folder
	OrdersKeep          time.Duration  // how long an order that has ended is kept
	TrustedProxies      []netip.Prefix // whose words about the client's address are believed
	Forwarded           bool           // they say it in Forwarded, not in X-Forwarded-For
	Traces              int            // requests kept for `emenda trace`
	Compress            bool           // answers, for those who accept it
	Docs                bool           // /docs shows what is offered
	Backends            map[string]*ResolvedBackend
	Callers             map[string]*ResolvedCaller
	Limits              ResolvedLimits
	Maintenance         map[string]Maintenance // of dialects; those that are not in it are open
	Schedules           map[string]*ResolvedSchedule
	TLS, AdminTLS       *ResolvedTLS // nil: plain
	Missing             []Missing    // what is unset, as Unset gives it
}

// ResolvedBackend is a backend to call.
type ResolvedBackend struct {
	Name, Contract string
	URL            string
	SignIn         map[string]SecretValue
	Timeout        time.Duration
	AtMost         int
	IdleTimeout    time.Duration
	MaxAnswer      int
	Failures       int
	Pause          time.Duration
	Maintenance    Maintenance
	TLS            *ResolvedTLS // nil: the system's authorities, no certificate of ours
}

// Maintenance is whether something is out of service, and what callers are told then.
type Maintenance struct {
	On    bool
	Words string // "": none
}

// maintenance reads the switch. In YAML only true and false are no text; who
// writes off, or no, means what it says all the same.
func maintenance(s string) Maintenance {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "", "false", "off", "no":
		return Maintenance{}
	case "true", "on", "yes":
		return Maintenance{On: true}
	}
	return Maintenance{On: true, Words: s}
}

// ResolvedCaller is a caller to admit.
type ResolvedCaller struct {
	Name, Dialect string
	App           string
	Tokens        []SecretValue
	Permissions   []string
	Strict        bool
	Truthful      bool
	Rate          Rate
}

// Rate is so many in a time; N 0: any number.
type Rate struct {
	N   int
	Per time.Duration
}

// ResolvedLimits bound what one request may take.
type ResolvedLimits struct {
	Body, Header int // bytes
	ReadTimeout  time.Duration
	IdleTimeout  time.Duration
	Connections  int
	Fuel, Each   int
	SignIn       ResolvedSignInLimit
}

// ResolvedSignInLimit says when who signs in wrongly has to wait.
type ResolvedSignInLimit struct {
	Failures   int
	Per, Pause time.Duration
}

// Missing is a setting or secret that is unset in an environment.
type Missing struct {
	Kind     string // "gateway", "backend", "caller" or "schedule"
	Name     string // of the backend, caller or schedule
	Setting  string // "url", "sign_in.user", "token"
	Variable string // the environment variable
	LeftOut  bool   // the backend or caller is left out for it
	At       diag.Span
}

// Warning says it for people.
func (m Missing) Warning() diag.Diagnostic {
	d := diag.Diagnostic{Severity: diag.Warning, Rule: "unset", Span: m.At}
	switch {
	case m.LeftOut:
		d.Message = m.Variable + " is not set: serving leaves " + m.Kind + " " + m.Name + " out"
	case m.Kind == "gateway":
		d.Message = m.Variable + " is not set: serving needs it for " + m.Setting
	default:
		d.Message = m.Variable + " is not set"
	}
	return d
}

// Unset lists what is unset in env, ordered by kind and name. A secret whose
// NAME_FILE is set counts as set; Resolve reads the file.
func (c *Config) Unset(env Environment) []Missing {
	// Every file of a secret is taken to hold one: only Resolve reads them.
	r := &resolver{env: env, blind: true, readFile: func(string) ([]byte, error) { return []byte("?"), nil }}
	r.resolve(c)
	return r.missing
}

// Resolve gives the values to serve with: the settings with the variables of
// env, the secrets from env or from the files readFile gives. Backends and
// callers whose settings are unset are left out and listed as Missing; all else
// that is wrong is an error, and the result nil. No message holds a value.
func (c *Config) Resolve(env Environment, readFile ReadFile) (*Resolved, diag.List) {
	r := &resolver{env: env, readFile: readFile}
	out := r.resolve(c)
	if !out.AdminToken.IsSet() && !loopback(out.AdminListen) && !r.list.HasErrors() {
		r.list.Errorf(c.Gateway.AdminListen.at(c), "admin-open", "the admin listener is open to other machines and has no token").
			Help = "set gateway.admin_token, or listen on 127.0.0.1"
	}
	for _, m := range r.missing {
		if m.Kind == "gateway" {
			d := m.Warning()
			d.Severity = diag.Error
			r.list = append(r.list, d)
		}
	}
	r.list.Sort()
	if r.list.HasErrors() {
		return nil, r.list
	}
	return out, r.list
}

// at gives the setting's place, or the begin of the file for a default.
func (t Text) at(c *Config) diag.Span {
	if t.At.File != nil {
		return t.At
	}
	return diag.Span{File: c.File}
}

type resolver struct {
	env      Environment
	readFile ReadFile
	list     diag.List
	missing  []Missing
	kind     string
	name     string
	leftOut  bool // the backend or caller at hand
	blind    bool // what files hold is not looked at
}

func (r *resolver) resolve(c *Config) *Resolved {
	r.kind = "gateway"
	g := &c.Gateway
	out := &Resolved{
		Listen:      r.text(g.Listen, "listen", listen),
		AdminListen: r.text(g.AdminListen, "admin_listen", listen),
		AdminToken:  r.optional(g.AdminToken),
		Data:        r.text(g.Data, "data", filled),
		Mappings:    r.text(g.Mappings, "mappings", nil),
		RedisURL:    r.optional(c.Gateway.RedisURL),
		OrdersURL:   r.optional(c.Gateway.OrdersURL),
		OrdersKeep:  r.duration(c.Gateway.OrdersKeep, "orders.keep"),
		Forwarded:   strings.EqualFold(r.text(g.ProxyHeader, "proxy_header", proxyHeader), "Forwarded"),
		Backends:    map[string]*ResolvedBackend{},
		Callers:     map[string]*ResolvedCaller{},
		Maintenance: map[string]Maintenance{},
		Schedules:   map[string]*ResolvedSchedule{},
		Limits: ResolvedLimits{
			Body:        r.size(c.Limits.Body, "body"),
			Header:      r.size(c.Limits.Header, "header"),
			ReadTimeout: r.duration(c.Limits.ReadTimeout, "read_timeout"),
			IdleTimeout: r.duration(c.Limits.IdleTimeout, "idle_timeout"),
			Connections: r.count(c.Limits.Connections, "connections"),
			Fuel:        r.count(c.Limits.Fuel, "fuel"),
			Each:        r.count(c.Limits.Each, "each"),
			SignIn: ResolvedSignInLimit{
				Failures: r.count(c.Limits.SignIn.Failures, "sign_in.failures"),
				Per:      r.duration(c.Limits.SignIn.Per, "sign_in.per"),
				Pause:    r.duration(c.Limits.SignIn.Pause, "sign_in.pause"),
			},
		},
	}
	out.Compress = g.Compress
	out.Traces, _ = strconv.Atoi(r.text(g.Traces, "traces", countOrNone)) // checked by countOrNone
	out.Docs = r.text(g.Docs, "docs", yesOrNo) == "true"
	if name := r.text(g.Timezone, "timezone", zone); name != "" {
		out.Timezone, _ = time.LoadLocation(name) // zone found it just now
	}
	for _, t := range g.Proxies {
		all, err := parseNetworks(r.text(t, "trusted_proxies", nil))
		if err != nil {
			r.list.Errorf(t.At, "bad-setting", "trusted_proxies: %s", err)
		}
		out.TrustedProxies = append(out.TrustedProxies, all...)
	}
	out.TLS, out.AdminTLS = r.tls(c, g.TLS, "tls", "client_ca"), r.tls(c, g.AdminTLS, "admin_tls", "client_ca")
	for _, name := range slices.Sorted(maps.Keys(c.Closed)) {
		if m := maintenance(r.text(c.Closed[name].Maintenance, "maintenance."+name, nil)); m.On {
			out.Maintenance[name] = m
		}
	}
	for _, s := range g.SealKeys {
		v := r.optional(s)
		if !v.IsSet() {
			continue
		}
		if err := sealKey(v.Reveal()); err != nil {
			r.list.Errorf(s.At, "bad-secret", "%s: %s", s.Name, err)
		}
		out.SealKeys = append(out.SealKeys, v)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Backends)) {
		r.begin("backend", name)
		if b := r.backend(c, c.Backends[name]); !r.leftOut {
			out.Backends[name] = b
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Callers)) {
		r.begin("caller", name)
		if cl := r.caller(c.Callers[name]); !r.leftOut {
			out.Callers[name] = cl
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Schedules)) {
		r.begin("schedule", name)
		if s := r.schedule(c.Schedules[name], out.Timezone); !r.leftOut {
			out.Schedules[name] = s
		}
	}
	out.Missing = r.missing
	return out
}

func (r *resolver) begin(kind, name string) { r.kind, r.name, r.leftOut = kind, name, false }

func (r *resolver) backend(c *Config, b *Backend) *ResolvedBackend {
	out := &ResolvedBackend{
		Name: b.Name, Contract: b.Contract, SignIn: map[string]SecretValue{},
		URL:         r.text(b.URL, "url", hostURL),
		Timeout:     r.duration(b.Timeout, "timeout"),
		AtMost:      r.count(b.AtMost, "at_most"),
		IdleTimeout: r.duration(b.IdleTimeout, "idle_timeout"),
		MaxAnswer:   r.size(b.MaxAnswer, "max_answer"),
		Failures:    r.count(b.Failures, "breaker.failures"),
		Pause:       r.duration(b.Pause, "breaker.pause"),
		Maintenance: maintenance(r.text(b.Maintenance, "maintenance", nil)),
	}
	if out.TLS = r.tls(c, b.TLS, "tls", "ca"); out.TLS != nil && strings.HasPrefix(out.URL, "http://") {
		r.list.Errorf(b.TLS.At, "tls-plain", "backend %s is reached by http://, which has no use for tls", b.Name).Help = "write https:// in url, or take tls out"
	}
	for _, name := range slices.Sorted(maps.Keys(b.SignIn)) {
		s := b.SignIn[name]
		v := r.optional(s)
		if !v.IsSet() && !s.Optional {
			r.miss("sign_in."+name, s.Name, s.At, true)
		}
		out.SignIn[name] = v
	}
	return out
}

func (r *resolver) caller(c *Caller) *ResolvedCaller {
	out := &ResolvedCaller{
		Name: c.Name, Dialect: c.Dialect, Strict: c.Strict, Truthful: c.Truthful,
		App: r.text(c.App, "app", nil),
	}
	var err error
	if out.Rate, err = parseRate(r.text(c.Rate, "rate", nil)); err != nil {
		r.list.Errorf(c.Rate.At, "bad-setting", "rate: %s", err)
	}
	for _, s := range c.Tokens {
		if v := r.optional(s); v.IsSet() {
			out.Tokens = append(out.Tokens, v)
		}
	}
	// The second token of a rotation is there only while it lasts.
	if len(out.Tokens) == 0 && len(c.Tokens) > 0 {
		r.miss("token", c.Tokens[0].Name, c.Tokens[0].At, true)
	}
	for _, p := range c.Permissions {
		out.Permissions = append(out.Permissions, p.Glob)
	}
	return out
}

func (r *resolver) miss(setting, variable string, at diag.Span, leftOut bool) {
	r.leftOut = r.leftOut || leftOut
	r.missing = append(r.missing, Missing{
		Kind: r.kind, Name: r.name, Setting: setting, Variable: variable, LeftOut: leftOut, At: at,
	})
}

// text resolves a setting and checks what came of it.
func (r *resolver) text(t Text, setting string, check func(string) error) string {
	s, err := t.Resolve(r.env)
	var unset *UnsetError
	if errors.As(err, &unset) {
		r.miss(setting, unset.Variable, t.At, r.kind != "gateway")
		return ""
	}
	// A default that is empty means unset, for what cannot be empty.
	if s == "" && check != nil && !t.Fixed() {
		r.miss(setting, t.variable(), t.At, r.kind != "gateway")
		return ""
	}
	if check != nil {
		if err := check(s); err != nil {
			r.list.Errorf(t.At, "bad-setting", "%s: %s", setting, err)
			return ""
		}
	}
	return s
}

// variable gives the first variable of t.
func (t Text) variable() string {
	for _, p := range t.parts {
		if p.name != "" {
			return p.name
		}
	}
	return ""
}

func (r *resolver) duration(t Text, setting string) time.Duration {
	d, _ := yamldoc.ParseDuration(r.text(t, setting, duration)) // checked by duration
	return d
}

func (r *resolver) size(t Text, setting string) int {
	n, _ := yamldoc.ParseSize(r.text(t, setting, size)) // checked by size
	return int(n)
}

func (r *resolver) count(t Text, setting string) int {
	n, _ := strconv.Atoi(r.text(t, setting, count)) // checked by count
	return n
}

// optional gives a secret's value, unset when there is none.
func (r *resolver) optional(s Secret) SecretValue {
	v, _, err := s.Resolve(r.env, r.readFile)
	if err != nil {
		r.list.Errorf(s.At, "secret-file", "%s", err)
	}
	return NewSecretValue(v)
}

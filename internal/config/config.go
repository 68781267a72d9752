// Package config reads gateway.yaml strictly: secrets by reference, nothing
// more. Load checks the file and needs no environment, so that what is checked
// at a desk is what runs; Resolve makes the values to serve with, and is the
// only place where a secret is read.
package config

import (
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// Config is a checked gateway.yaml. Its settings keep their places, so that
// other checks can point at them.
type Config struct {
	File      *diag.File
	Gateway   Gateway
	Backends  map[string]*Backend
	Callers   map[string]*Caller
	Memory    map[string]*Memory
	Const     *yamldoc.Node // a map of scalars; nil when there is none
	Limits    Limits
	Closed    map[string]*Closed // dialects under maintenance, by name
	Schedules map[string]*Schedule
}

// Schedule is something that runs at set times.
type Schedule struct {
	Name     string
	At       diag.Span // its name
	Cron     Text
	Timezone *Text  // nil: the gateway's
	Pack     string // where it is not served, the schedule is not either; "": always
	PackAt   diag.Span
	Key      *yamldoc.Node // its name
	Step     *yamldoc.Node // what it does: a map of call, with, body; nil when that cannot be read
}

// Closed is a dialect that may be under maintenance.
type Closed struct {
	At          diag.Span // its name
	Maintenance Text
}

// Gateway is where the gateway listens and keeps things.
type Gateway struct {
	Listen      Text
	AdminListen Text
	AdminToken  Secret
	Data        Text   // folder of what survives a restart
	Mappings    Text   // folder that replaces the built-in mappings whole; "": the built-in ones
	Packs       []Pack // folders whose mappings are served; nil: those of all
	Timezone    Text
	SealKeys    []Secret // the first seals, all open
	RedisURL    Secret
	OrdersURL   Secret // of PostgreSQL, for durable orders
	OrdersKeep  Text   // how long an order that has ended is kept
	Proxies     []Text // addresses of proxies in front; each may hold several
	ProxyHeader Text   // where they say whom they pass on
	TLS         *TLS   // of listen; nil: plain
	AdminTLS    *TLS   // of admin_listen
	Compress    bool   // answers, for those who accept it
	Traces      Text   // requests that `emenda trace` can tell of
	Docs        Text   // true: /docs shows what is offered
}

// Pack is a folder of the mappings folder whose mappings are served.
type Pack struct {
	Name string
	At   diag.Span
}

// Backend is one backend to call.
type Backend struct {
	Name        string
	At          diag.Span // its name
	Contract    string
	ContractAt  diag.Span
	Bare        bool // it has no contract: steps say with request what is sent
	URL         Text
	SignIn      map[string]Secret // by the variables the contract's sign-in names; without one, BareUser and so on
	SignInAt    diag.Span         // the key sign_in, or the backend's name
	SignInKeys  map[string]diag.Span
	Timeout     Text // of one attempt
	AtMost      Text // connections
	IdleTimeout Text
	MaxAnswer   Text
	Failures    Text // in a row, that open the breaker
	Pause       Text // how long it stays open
	Maintenance Text // "": it is called
	TLS         *TLS // nil: the system's authorities, no certificate of ours
}

// Caller is one caller.
type Caller struct {
	Name        string
	At          diag.Span // its name
	Dialect     string
	DialectAt   diag.Span
	App         Text
	Tokens      []Secret // one, or two while one replaces the other
	Permissions []Permission
	Strict      bool // warnings of rules are errors
	Truthful    bool // failures of what is exposed have a status that says so
	Rate        Text // how often it may call; "": as often as it likes
}

// Permission is a glob over permissions: "ura.*".
type Permission struct {
	Glob string
	At   diag.Span
}

// Memory is something mappings remember between requests.
type Memory struct {
	Name     string
	At       diag.Span // its name
	Key      string    // type of the key: string, integer, number, boolean
	Value    []Field   // what is remembered; empty for a count
	Count    bool
	For      string // duration an entry lives, as written; "" with Per
	Per      string // "month", "day", "hour" or ""
	Durable  bool
	Allow    bool // if_down: allow; else steps that need it fail when the store is down
	Personal bool // holds personal data: sealed, never shown
}

// Field is one field of a memory's value.
type Field struct {
	Name string
	Type string // string, integer, number, boolean
	At   diag.Span
}

// Limits bound what one request may take.
type Limits struct {
	Body        Text // bytes of a request's body
	Header      Text // bytes of a request's header
	ReadTimeout Text // for a request to arrive
	IdleTimeout Text // of a connection without a request
	Connections Text // open at once
	Fuel        Text // steps of expressions
	Each        Text // elements of a list of steps
	SignIn      SignInLimit
}

// SignInLimit says when who signs in wrongly has to wait.
type SignInLimit struct {
	Failures Text // so many
	Per      Text // within this time
	Pause    Text // how long to wait then
}

// Version is the version of the language gateway.yaml begins with.
const Version = "1"

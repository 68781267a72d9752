// Package mapping turns YAML files into checked plans: all of the language's
// rules and all of its messages are here. What it gives is immutable; running
// it is internal/flow's work.
package mapping

import (
	"slices"
	"time"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonschema"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// Set is everything a folder of mappings says, checked together.
type Set struct {
	Routes    []*Route
	Exposed   []*Exposed
	Flows     map[string]*Plan
	Dialects  map[string]*Dialect
	Tables    map[string]*expr.Table
	Tests     []*TestFile
	Requests  []*contract.Operation // made of the steps' `request:`; they are in no contract
	Schedules []*Schedule           // in order of name; those of packs that are not served are not among them
}

// Route is a mapping file: a plan and how it is reached.
type Route struct {
	Plan    *Plan
	Dialect *Dialect
	Methods []string
	Path    string // below the dialect's prefixes: "items", "items/{id}"
	Needs   string // permission: "shop.items"
	Timeout time.Duration
	Errors  *ErrorReplies // the dialect's, with this route's replacements
	Repeat  *Repeat       // nil: a repeated request is a new one
	Changes bool          // some step changes something
	// Replaces is the exposed operation in whose place it stands; nil: none.
	Replaces    *contract.Operation
	TokenHeader string // of one whose callers fetch a token: the header it stands in
	At          diag.Span
}

// Exposed is a method and path of a backend that callers reach through the
// gateway as the backend has it.
type Exposed struct {
	Name       string // "app/comercial.tecnologias": as logs and metrics name it
	Method     string
	Path       string // whole, with its {parameters}
	Dialect    *Dialect
	Timeout    time.Duration
	Operations []*ExposedOperation // more than one are told apart by what is received
	MaxBody    int                 // bytes, of one that takes files; 0: as the limits say
	At         diag.Span
}

// ExposedOperation is one operation that is reached so.
type ExposedOperation struct {
	*contract.Operation
	Needs       string // permission
	Gives       Gives
	TokenHeader string // of one that carries a fetched token: the header it stands in; "" for others
	TokenField  string // of one that gives a token: the field of its answer that holds it
}

// Gives is what an exposed operation stands for when it is about the backend's token.
type Gives uint8

// What operations give.
const (
	GivesAnswer Gives = iota
	GivesToken        // the backend's token: callers get one of the gateway's own
	RenewsToken       // likewise, for one that is still good
)

// Repeat says which requests are repeats of one another.
type Repeat struct {
	Key   *expr.Template
	For   time.Duration // how long the first answer is given
	Field string        // what messages call a missing key
	At    diag.Span
}

// Plan is one mapping's or flow's steps, compiled.
type Plan struct {
	Name    string // "shop/items" or "flows.find": as logs and metrics name it
	File    *diag.File
	Form    *diag.File // whose input, lets and rules it has, too; nil: none
	Summary string
	Layout  *expr.Layout
	Slots   Slots
	Input   *Input
	Rules   []*Rule
	Steps   []*Step        // in the file's order; those of `finally` are the last
	Finally int            // how many of them are `finally`'s
	Order   *Order         // of a durable mapping; nil for others
	lasts   bool           // some step is one that only orders can do
	Replies []*Reply       // a mapping's; the last has no When
	Result  *expr.Template // a flow's
	Const   jsonx.Value
}

// Changes tells whether some step changes something.
func (p *Plan) Changes() bool {
	return slices.ContainsFunc(p.Steps, func(s *Step) bool { return s.Changes })
}

// waits tells whether some step calls an operation.
func (p *Plan) waits() bool {
	return slices.ContainsFunc(p.Steps, func(s *Step) bool { return s.Waits })
}

// Slots are where a frame holds what the runner fills in; -1: not used by this plan.
type Slots struct {
	Input, Request, Caller, Const, Now, Warnings, Failures, Error, Order, Answer int
}

// Input is how received fields become `input`.
type Input struct {
	Fields []*InputField
	Type   *expr.Type
	// Document is what the JSON body as a whole must fit, which then is the
	// input as it came, with Fields beside its members; nil: Fields are all.
	Document *Document
}

// Document is a schema that a request's body as a whole must fit.
type Document struct {
	*jsonschema.Schema
	File string // its name in the mappings folder
	At   diag.Span
}

// InputField is one field of `input`.
type InputField struct {
	Name                 string
	Names                []string // accepted names, Name first unless `names` says otherwise
	Type                 *expr.Type
	Required             bool
	Echo                 bool
	Secret               bool
	Default              jsonx.Value // Absent: none
	Format               *expr.Format
	Enum                 []string
	Pattern              func(string) bool
	Min, Max             *jsonx.Decimal
	MinLength, MaxLength int  // in characters; MaxLength 0: no limit
	List                 bool // type array: Items says what of
	Items                *InputField
	Fields               []*InputField // type object
	At                   diag.Span
}

// Rule is one entry of `rules`.
type Rule struct {
	That    *expr.Condition
	Else    []*expr.Template // the message, in each of the dialect's languages
	Pointer *expr.Template   // `at`: gives the JSON Pointer of the field; nil: it is about no single one
	Code    string
	Warn    bool           // level: warn
	Each    *expr.Template // nil: it holds once
	Slot    int            // the `as` name, with Each
	Reads   []Read         // what it reads of the input
	Own     []Read         // what it reads of the value of an element that has a pointer, with Each
	At      diag.Span
}

// DefaultCode is the code of rules that name none.
const DefaultCode = "rule"

// Reply is one entry of `reply`.
type Reply struct {
	When   *expr.Condition
	Status int
	Header []ReplyHeader
	JSON   *expr.Template
	Text   *expr.Template
	File   string // the body, of a file
	Type   string
	Patch  *Patch
	At     diag.Span
}

// ReplyHeader is one header field of a reply.
type ReplyHeader struct {
	Name  string
	Value *expr.Template
}

// ErrorKind is a kind of failure a dialect has words for: a closed list.
type ErrorKind uint8

// The kinds.
const (
	Unreadable ErrorKind = iota
	NotSignedIn
	BadSignIn
	Forbidden
	Limited
	NoRoute
	BadMethod
	TooLarge
	BadInput
	RepeatDiffers
	KindRefused
	KindFailed
	KindTimeout
	KindUnavailable
	StoreDown
	Internal
	kinds
)

// ErrorReplies holds a reply for each kind.
type ErrorReplies [kinds]*ErrorReply

// ErrorReply is a dialect's reply to one kind of failure. Its frame holds
// `error` {kind, title, message, fields, errors, class, permission} and
// `request` {id, path, language}.
type ErrorReply struct {
	Kind           ErrorKind
	Status         int
	Layout         *expr.Layout
	Error, Request int // slots
	JSON           *expr.Template
	Text           string // sent byte for byte
	Type           string
	Challenge      string // of a status 401: what WWW-Authenticate says (RFC 9110, 11.6.1); "" for nothing
	Languages      *Languages
	Titles         []string // in each language
	At             diag.Span
}

// Dialect is how one family of callers speaks.
type Dialect struct {
	Name     string
	File     *diag.File
	Prefixes []string // "/shop", "/api/shop"
	Methods  []string
	Slash    Slash
	Read     []ReadKind
	Charsets []string // tried in order: utf-8, iso-8859-1
	Absent   []string // texts that count as no value
	SignIn   []SignInPlace
	CORS     *CORS // nil: pages of other origins may not call
	Errors   *ErrorReplies
	// Languages are those callers may be answered in; nil: the texts are in one, which has no name here.
	Languages *Languages
	Messages  map[string]*Message // a check's keyword ("required", "type", "enum" …) → text, in the first language
	// Translations are the messages in the second language and those behind it.
	Translations []map[string]*Message
	At           diag.Span
}

// Message is a text with {field}, or with {line} and {column}.
type Message struct {
	Before, After string
	Field         bool
	Text          string // as it is written
}

// Slash says which spellings of a path's end are accepted.
type Slash uint8

// The slash rules.
const (
	SlashEither Slash = iota
	SlashNever
	SlashAlways
)

// ReadKind is a way input may arrive.
type ReadKind uint8

// The kinds.
const (
	ReadForm ReadKind = iota
	ReadMultipart
	ReadJSON
	ReadQuery
)

// Place is where a sign-in field is looked for.
type Place uint8

// The places, in the order of the dialect's list.
const (
	PlaceBody Place = iota
	PlaceQuery
	PlaceHeader
)

// SignInPlace is one entry of a dialect's sign_in.
type SignInPlace struct {
	Place  Place
	Token  string // field or header name
	App    string // field or header name; "" : no app in this dialect
	Scheme string // header: Authorization scheme before the token, "Token"
}

// TestFile is the tests of one mapping or flow.
type TestFile struct {
	Plan  *Plan
	Route *Route // nil for a flow
	Tests []*Test
}

// Test is one entry of `tests`; nodes keep positions for messages.
type Test struct {
	Name         string
	At           diag.Span
	Now          time.Time // zero: a fixed default
	Memory       map[string][]MemoryEntry
	Store        string // StoreIsDown, StoreIsLost; "": it is there
	Upstream     []*TestCall
	TestExchange                          // a mapping's test: the first request
	Again        []TestExchange           // a mapping's test: further requests
	Remember     map[string][]MemoryEntry // `memory` expected afterwards: key under `after`
	Input        *yamldoc.Node            // a flow's test: its input
	Result       *yamldoc.Node            // a flow's test: its expected result
	Events       []TestEvent
	Decisions    []string
	Order        *TestOrder // a durable mapping's test; nil: nothing is expected of it
	Refused      bool       // a flow's test: expected to end refused …
	State        string     // … or in this state
	Message      string     // … and to say this; "" for whatever it says
}

// TestEvent is an event that comes in a test.
type TestEvent struct {
	Event string
	Key   jsonx.Value
	Body  *yamldoc.Node // nil: none
}

// TestOrder is how an order of a test must end.
type TestOrder struct {
	State        string // "none": none is begun
	Undone, Left []string
	ToldUndone   bool // undone is said, if only to be none
	ToldLeft     bool
	Step, Class  string
	Shows        *yamldoc.Node
	Key          *yamldoc.Node // nil: whatever its key is
	Subject      []string      // whom it is about
	ToldSubject  bool
	At           diag.Span
}

// TestExchange is one request of a test and what must come back.
type TestExchange struct {
	Caller  string
	Request *TestRequest
	Reply   *TestReply
}

// MemoryEntry is one remembered value.
type MemoryEntry struct{ Key, Value jsonx.Value }

// TestRequest is the request of a test.
type TestRequest struct {
	Method, Path string
	Header       map[string]string
	Query        map[string]string
	Form         *yamldoc.Node
	Multipart    *yamldoc.Node
	JSON         *yamldoc.Node
	Body         *string // raw
	Times        int
}

// TestCall is one expected upstream call and its answer.
type TestCall struct {
	Operation              *contract.Operation
	ExpectWith, ExpectBody *yamldoc.Node
	ExpectExactly          *yamldoc.Node // the whole body
	JSON                   *yamldoc.Node
	Text                   *string
	Example                *contract.Example
	Status                 int    // 0: 200
	Fail                   string // "timeout", "broken", "refused", "failed", "unavailable"
	Times                  int
	At                     diag.Span
}

// TestReply is what must come back.
type TestReply struct {
	Status   int
	JSON     *yamldoc.Node // exactly this
	Contains *yamldoc.Node // at least these members
	Text     *string       // exactly these bytes
	Header   map[string]string
	At       diag.Span
}

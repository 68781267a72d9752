package mapping

import (
	"time"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
)

// Step is one step.
type Step struct {
	Name    string
	Index   int
	Slot    int   // the body
	Meta    int   // slot of steps.NAME; -1 when nothing reads it
	Deps    []int // steps that must have settled before
	Needs   []int // steps whose body must be there, else this one is skipped
	When    *expr.Condition
	Cases   []*Case // one without When for a plain step; several for `switch`
	Each    *Each
	Timeout time.Duration // of one attempt; 0: the backend's
	Retry   *Retry
	Cache   *Cache
	Claim   *Claim
	Catch   *Catch
	Durable *Durable // nil: nothing that only orders do
	Changes bool     // some case calls an operation or flow that changes something
	Waits   bool     // some case calls an operation, itself or in a flow: it takes a time worth telling
	At      diag.Span
}

// Case is one way a step can go.
type Case struct {
	When   *expr.Condition
	Needs  []int // steps whose body this case needs
	Action Action
	Call   *Call
	Memory *MemoryStep    // Recall, Remember
	Use    *expr.Template // Use
	Fail   *expr.Template // Fail: the message
	Wait   *Wait          // Wait
	Sleep  time.Duration  // Sleep
	At     diag.Span
}

// Action is what a case does.
type Action uint8

// The actions.
const (
	DoCall Action = iota
	DoFlow
	DoRecall
	DoRemember
	DoUse
	DoFail
	DoSkip
	DoWait  // of orders
	DoSleep // of orders
)

// Call is a call of an operation or a flow.
type Call struct {
	Operation *contract.Operation // DoCall
	Flow      *Plan               // DoFlow
	Params    []*expr.Template    // in the order of Operation.Params; nil: not given
	With      *expr.Template      // DoFlow: the object that becomes the flow's input
	Body      *expr.Template
	Text      *TextBody // template: + vars:
	Patch     *Patch    // body passed on with set/delete
	Secrets   bool
	At        diag.Span
}

// TextBody is a body made from a text template.
type TextBody struct {
	Text *expr.Placeholders
	Vars []*expr.Template // in the order of Text.Names
}

// Patch is a body (or reply) that passes a document on with changes.
type Patch struct {
	Base   *expr.Template // the document: `patch: ${…}`
	Set    []PatchSet     // in the file's order
	Delete []string
}

// PatchSet sets one path.
type PatchSet struct {
	Path  string
	Value *expr.Template
}

// MemoryStep is a recall or remember.
type MemoryStep struct {
	Name   string
	Memory *Memory
	Key    *expr.Template
	Value  *expr.Template // remember
}

// Memory is a memory declared in gateway.yaml, as plans use it.
type Memory struct {
	Name     string
	Key      *expr.Type
	Value    *expr.Type // nil for a count
	Count    bool
	For      time.Duration
	Per      string // "", "hour", "day", "month"
	Durable  bool
	Refuse   bool // if_down: refuse
	Personal bool
}

// Each runs a call once per element.
type Each struct {
	List   *expr.Template
	Slot   int // the `as` name
	AtMost int
}

// Retry repeats failed attempts of a call that changes nothing.
type Retry struct {
	Times int
	Every time.Duration
	For   time.Duration // of orders: how long it is tried, in the place of Times; 0: Times says
}

// Cache keeps ok answers of a call that changes nothing, in this process.
type Cache struct {
	Key *expr.Template
	For time.Duration
}

// Claim takes one of a limited number before a call.
type Claim struct {
	Memory *Memory // a count
	Key    *expr.Template
	Limit  *expr.Template
	At     diag.Span
}

// Catch says what happens when a step is not ok.
type Catch struct {
	Entries []*CatchEntry // most exact first: class, status, state, any
}

// CatchEntry is one line of `catch`.
type CatchEntry struct {
	State    contract.State // with Kind CatchState
	Class    string
	Status   int
	Kind     CatchKind
	Continue bool
	Hold     bool // of orders: people decide
	Use      *expr.Template
	Fail     *expr.Template
}

// CatchKind is what a catch entry matches.
type CatchKind uint8

// The kinds, most exact first.
const (
	CatchClass CatchKind = iota
	CatchStatus
	CatchState
	CatchAny
)

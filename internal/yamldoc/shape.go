package yamldoc

import "github.com/emenda-gateway/emenda/internal/diag"

// Form is the family of values a Shape admits.
type Form uint8

// The forms.
const (
	AnyForm       Form = iota // any YAML value (Elem unused); its owner checks it
	ObjectForm                // a map with exactly the Keys of the table
	MapForm                   // a map of free names (checked by Pattern, when set) to Elem
	ListForm                  // a list of Elem
	TextForm                  // text (a plain number, bool or null is refused: "write it in quotes")
	IntForm                   // a whole number
	NumberForm                // a number
	BoolForm                  // true or false
	EnumForm                  // one of Enum
	DurationForm              // 200ms, 4s, 2m, 1h, 7d
	SizeForm                  // 512, 64KB, 30MB
	ConditionForm             // a bare expression, without ${}
	ValueForm                 // any YAML value holding ${} expressions: a template
	NameForm                  // the name of something declared elsewhere; its owner resolves it
	ScalarForm                // any scalar: text, number, bool; kept as text
	AltForm                   // the first of Alts whose Accepts(kind) fits the node's kind
)

// Shape says what a node must be: the one table from which reading, docs/mapping.md
// and the JSON Schema come.
type Shape struct {
	Name    string // as docs name it: "step"
	Form    Form
	Doc     string // one sentence
	Keys    []Key  // ObjectForm
	Elem    *Shape // MapForm, ListForm
	Enum    []string
	Alts    []*Shape
	Pattern string // MapForm: what a key must match (RE2), with KeyDoc as its words
	KeyDoc  string
	Min     int // ListForm, MapForm: fewest elements
}

// Key is one key of an ObjectForm.
type Key struct {
	Name     string
	Shape    *Shape
	Required bool
	Doc      string // one sentence, shown in docs/mapping.md and the JSON Schema
	Later    string // not empty: the key has its place but no meaning yet; using it is an error with these words
}

// Check reports everything about n that is not as s says: unknown key (with
// suggestion), missing key, wrong kind, bad duration, empty text where a name is needed.
func Check(n *Node, s *Shape) diag.List { panic("not built") }

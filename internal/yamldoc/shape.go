package yamldoc

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
	Min     int  // ListForm, MapForm: fewest elements
	Env     bool // scalar forms: text holding ${env: passes; its owner checks it
}

// Key is one key of an ObjectForm.
type Key struct {
	Name     string
	Shape    *Shape
	Required bool
	Doc      string // one sentence, shown in docs/mapping.md and the JSON Schema
	Later    string // not empty: the key has its place but no meaning yet; using it is an error with these words
}

// Accepts tells whether a node of kind k can be what s says; Check tells
// whether it is.
func (s *Shape) Accepts(k Kind) bool {
	if s.Env && k == Text {
		return true
	}
	switch s.Form {
	case AnyForm, ValueForm:
		return true
	case ObjectForm, MapForm:
		return k == Map
	case ListForm:
		return k == List
	case IntForm, NumberForm:
		return k == Number
	case BoolForm:
		return k == Bool
	case SizeForm, ScalarForm:
		return k == Text || k == Number || s.Form == ScalarForm && k == Bool
	case ConditionForm:
		return k == Text || k == Bool
	case AltForm:
		return s.alt(k) != nil
	default:
		return k == Text
	}
}

// alt gives the first of Alts that takes kind k, or nil.
func (s *Shape) alt(k Kind) *Shape {
	for _, a := range s.Alts {
		if a.Accepts(k) {
			return a
		}
	}
	return nil
}

// Key gives the key of an ObjectForm by name, or nil.
func (s *Shape) Key(name string) *Key {
	for i := range s.Keys {
		if s.Keys[i].Name == name {
			return &s.Keys[i]
		}
	}
	return nil
}

// words say what a value of the shape is, as messages and docs do.
func (s *Shape) words() string {
	switch s.Form {
	case ObjectForm, MapForm:
		return "a map"
	case ListForm:
		return "a list"
	case TextForm, ScalarForm:
		return "text"
	case IntForm:
		return "a whole number"
	case NumberForm:
		return "a number"
	case BoolForm:
		return "true or false"
	case EnumForm:
		return "one of " + enumWords(s.Enum)
	case DurationForm:
		return "a duration such as 200ms, 4s, 2m, 1h or 7d"
	case SizeForm:
		return "a size such as 512, 64KB or 30MB"
	case ConditionForm:
		return "a condition"
	case NameForm:
		return "a name"
	case AltForm:
		var words []string
		for _, a := range s.Alts {
			words = append(words, a.words())
		}
		return orWords(words)
	default:
		return "a value"
	}
}

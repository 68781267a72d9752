package expr

// TypeKind is the family of a Type.
type TypeKind uint8

// The type kinds. AnyType is "not known when loading"; it may hold everything.
const (
	AnyType TypeKind = iota
	BoolType
	NumberType
	TextType
	ListType
	ObjectType
	NoneType // the type of nil
	TimeType // `now` and what date functions pass on
)

// Type is what the checker knows of a value. Types are immutable once made.
type Type struct {
	Kind    TypeKind
	Null    bool              // may have no value (absent or null)
	Integer bool              // NumberType: whole numbers only
	Secret  bool              // marked secret, or made of something secret
	Elem    *Type             // ListType; nil: any
	Fields  map[string]*Field // ObjectType
	Order   []string          // ObjectType: field names as declared
	Open    bool              // ObjectType: other fields may be there (type any, no value possible)
	Assumed bool              // ObjectType: fields were read off examples; an unknown one is a warning
	Enum    []string          // TextType: the only texts possible; comparing with another is an error
	Label   string            // how messages name what has this type: "erp.comercial.cliente.dados"
}

// Field is one field of an object type.
type Field struct {
	Type    *Type
	Assumed bool // read off examples: may be used unguarded, and fails by name when missing at run time
	// Required (as a target of a body or with): the field must be given.
	Required bool
}

// Nullable gives t with Null set.
func (t *Type) Nullable() *Type { panic("not built") }

// NotNull gives t without Null.
func (t *Type) NotNull() *Type { panic("not built") }

// String names the type as messages do: "text", "whole number", "list of object", "text or no value".
func (t *Type) String() string { panic("not built") }

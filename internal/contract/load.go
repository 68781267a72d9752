package contract

import (
	"regexp"
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// The rules of diagnostics.
const (
	ruleVersion   = "contract-version"
	ruleReference = "contract-reference"
	ruleOperation = "contract-operation"
	ruleParameter = "contract-parameter"
	ruleBody      = "contract-body"
	ruleSchema    = "contract-schema"
	ruleExample   = "contract-example"
	ruleSignIn    = "contract-sign-in"
	ruleOutcome   = "contract-outcome"
)

// Load reads and checks one contract file: OpenAPI 3.1 with x-emenda
// extensions; keys that are not known are errors, documented examples must fit their schemas.
// The contract holds what could be read even when there are errors; it is nil when nothing could.
func Load(name string, f *diag.File, fns *expr.Functions) (*Contract, diag.List) {
	return LoadFiles(name, []*diag.File{f}, fns)
}

// loader reads one contract. What Check has said about keys and kinds is not said again.
type loader struct {
	root *yamldoc.Node // of all files
	fns  *expr.Functions
	list diag.List
	c    *Contract
	used map[*yamldoc.Node]bool // nodes of components that a $ref named
	open []*yamldoc.Node        // schemas being read, to find circles
	// compiled holds schemas by where they stand, nil while one is being read.
	compiled map[*yamldoc.Node]*Schema
	sections map[*yamldoc.Node]string // the section's title, by path item
	answers  map[string]*Operation    // by what requests are told apart by: method and path
	whens    map[*yamldoc.Node]bool   // conditions of fields; true: a request body has them
	read     int                      // schemas read, each as often as it is referred to
}

// contract reads what Check has seen to be a contract.
func (l *loader) contract() {
	l.version()
	l.objects(l.root.Get("x-emenda-objects"))
	rules := l.outcomes(l.root.Get("x-emenda-outcomes"), true)
	l.paths(l.root.Get("paths"), rules)
	l.signIn(l.root.Get("x-emenda-sign-in"))
	l.components()
	l.misplaced()
	made := checks{}
	for _, op := range l.c.Order {
		made.accepts(op)
	}
}

func (l *loader) version() {
	if n := l.root.Get("openapi"); n != nil && n.Kind == yamldoc.Text && n.Text != "3.1" && !strings.HasPrefix(n.Text, "3.1.") {
		l.list.Errorf(n.Span, ruleVersion, "openapi %s is not read, only 3.1", short(n.Text)).Help = "write openapi: 3.1.0"
	}
	if n := l.root.Get("x-emenda"); n != nil && n.Kind == yamldoc.Number && n.Text != "1" {
		l.list.Errorf(n.Span, ruleVersion, "x-emenda %s is not known to this program, which reads 1", short(n.Text))
	}
}

// short bounds what messages repeat.
func short(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}

var operationID = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$`)

var methods = []string{"get", "put", "post", "delete", "patch"}

func (l *loader) paths(n *yamldoc.Node, rules []*rule) {
	for _, e := range entries(n) {
		path := l.path(e.Key)
		for _, m := range entries(e.Value) {
			if slices.Contains(methods, m.Key.Text) && m.Value.Kind == yamldoc.Map {
				if k := m.Value.KeyOf("when"); k != nil {
					l.list.Errorf(k.Span, ruleOperation, "when has an effect only in x-emenda-operations")
				}
				if op := l.operation(strings.ToUpper(m.Key.Text), path, e, m.Value, rules); op != nil {
					l.answersTo(op, m.Key)
				}
			}
		}
		for _, m := range entries(e.Value.Get("x-emenda-operations")) {
			l.variants(strings.ToUpper(m.Key.Text), path, e, m, rules)
		}
	}
}

// answersTo refuses two operations that the same requests would reach.
func (l *loader) answersTo(op *Operation, at *yamldoc.Node) {
	pattern := op.Method + " "
	for _, s := range op.path {
		if s.param >= 0 || s.name != "" {
			pattern += "{}"
		} else {
			pattern += s.text
		}
	}
	if other := l.answers[pattern]; other != nil {
		l.list.Errorf(at.Span, ruleOperation, "%s %s is described already, in %s", op.Method, short(op.Path), where(other.At)).
			Help = "operations that share a method and path stand in x-emenda-operations, told apart by query or body"
		return
	}
	if l.answers == nil {
		l.answers = map[string]*Operation{}
	}
	l.answers[pattern] = op
}

// entries gives the entries of a map, none for other nodes.
func entries(n *yamldoc.Node) []yamldoc.Entry {
	if n == nil || n.Kind != yamldoc.Map {
		return nil
	}
	return n.Entries
}

// items gives the elements of a list, none for other nodes.
func items(n *yamldoc.Node) []*yamldoc.Node {
	if n == nil || n.Kind != yamldoc.List {
		return nil
	}
	return n.Items
}

// word gives the text of a text scalar, "" for other nodes.
func word(n *yamldoc.Node) string {
	if n == nil || n.Kind != yamldoc.Text {
		return ""
	}
	return n.Text
}

// yes tells whether n is true.
func yes(n *yamldoc.Node) bool { return n != nil && n.Kind == yamldoc.Bool && n.Text == "true" }

func (l *loader) operation(method string, path []segment, item yamldoc.Entry, n *yamldoc.Node, rules []*rule) *Operation {
	op := &Operation{
		Backend: l.c.Name, ID: word(n.Get("operationId")), At: n.FirstLine(), Method: method, Path: item.Key.Text,
		path: path, Examples: map[string]*Example{},
		Changes: yes(n.Get("x-emenda-changes")), Token: yes(n.Get("x-emenda-token")),
	}
	op.name = op.Backend + "." + op.ID
	if id := n.Get("operationId"); op.ID != "" {
		op.At = id.Span
		switch {
		case !operationID.MatchString(op.ID):
			l.list.Errorf(id.Span, ruleOperation, "operationId %q cannot be called", short(op.ID)).
				Help = "use lower-case letters, digits and _ in words joined by dots, such as orders.read"
		case l.c.Operations[op.ID] != nil:
			l.list.Errorf(id.Span, ruleOperation, "operationId %s is already taken in %s", op.ID, where(l.c.Operations[op.ID].At))
		default:
			l.c.Operations[op.ID] = op
			l.c.Order = append(l.c.Order, op)
		}
	}
	l.params(op, item, n)
	l.body(op, n.Get("requestBody"))
	l.responses(op, n.Get("responses"))
	op.rules = slices.Concat(l.outcomes(n.Get("x-emenda-outcomes"), op.Changes), rules, l.good(op, n.Get("x-emenda-good")))
	l.facts(op, item, n)
	if op.Token && l.root.Get("x-emenda-sign-in").Get("token") == nil {
		l.list.Errorf(n.KeyOf("x-emenda-token").Span, ruleSignIn, "no token is described for this operation to carry").
			Help = "x-emenda-sign-in needs token"
	}
	return op
}

// deref follows `$ref`, which must name something of that section of
// components; nil when it cannot be followed, which is reported.
func (l *loader) deref(n *yamldoc.Node, section string, beside ...string) *yamldoc.Node {
	for hops := 0; ; hops++ {
		ref := n.Get("$ref")
		if ref == nil {
			return n
		}
		if ref.Kind != yamldoc.Text {
			return nil
		}
		for i := range n.Entries {
			k := n.Entries[i].Key
			if k.Text != "$ref" && k.Text != "description" && k.Text != "summary" && !slices.Contains(beside, k.Text) {
				l.list.Errorf(k.Span, ruleReference, "%s beside $ref has no effect", short(k.Text)).Help = "remove it, or write the whole in place of $ref"
			}
		}
		if hops > 20 {
			l.list.Errorf(ref.Span, ruleReference, "this reference leads back to itself")
			return nil
		}
		if n = l.find(ref, section); n == nil {
			return nil
		}
	}
}

// find gives what ref names.
func (l *loader) find(ref *yamldoc.Node, section string) *yamldoc.Node {
	prefix := "#/components/" + section + "/"
	name, ok := strings.CutPrefix(ref.Text, prefix)
	if !ok {
		d := l.list.Errorf(ref.Span, ruleReference, "only %sNAME can be referred to here", prefix)
		if !strings.HasPrefix(ref.Text, "#") {
			d.Help = "other files and addresses are not read; copy what you need into components"
		}
		return nil
	}
	name = jsonx.PointerName(name)
	all := l.root.Get("components").Get(section)
	target := all.Get(name)
	if target == nil {
		d := l.list.Errorf(ref.Span, ruleReference, "components has no %s named %q", section, short(name))
		if near := diag.Suggest(name, keysOf(all)); near != "" {
			d.Help = "did you mean " + near + "?"
		}
		return nil
	}
	if l.used == nil {
		l.used = map[*yamldoc.Node]bool{}
	}
	l.used[target] = true
	if target.Kind != yamldoc.Map {
		return nil // Check has said so
	}
	return target
}

func keysOf(n *yamldoc.Node) []string {
	var keys []string
	for _, e := range entries(n) {
		keys = append(keys, e.Key.Text)
	}
	return keys
}

// components reads the schemas nothing refers to, for their mistakes; and warns of what is not used.
func (l *loader) components() {
	for _, s := range entries(l.root.Get("components")) {
		for _, e := range entries(s.Value) {
			if l.used[e.Value] {
				continue
			}
			l.list.Warnf(e.Key.Span, ruleReference, "nothing refers to %s", short(e.Key.Text))
			if s.Key.Text == "schemas" {
				l.typeOf(e.Value, false, "")
				l.schemaOf(e.Value)
			}
		}
	}
}

package mapping_test

import (
	"flag"
	"slices"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/config"
	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/mapping"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

var update = flag.Bool("update", false, "rewrite what the cases of testdata say")

var (
	textT  = &expr.Type{Kind: expr.TextType}
	wholeT = &expr.Type{Kind: expr.NumberType, Integer: true}
	numT   = &expr.Type{Kind: expr.NumberType}
)

// obj makes an object type; a field name may end in ? (may be without value) or ! (required).
func obj(label string, fields ...any) *expr.Type {
	t := &expr.Type{Kind: expr.ObjectType, Fields: map[string]*expr.Field{}, Label: label}
	for i := 0; i < len(fields); i += 2 {
		name, typ := fields[i].(string), fields[i+1].(*expr.Type)
		required := strings.HasSuffix(name, "!")
		if strings.HasSuffix(name, "?") {
			typ = typ.Nullable()
		}
		name = strings.TrimRight(name, "?!")
		t.Order = append(t.Order, name)
		t.Fields[name] = &expr.Field{Type: typ, Required: required}
	}
	return t
}

func listOf(t *expr.Type) *expr.Type { return &expr.Type{Kind: expr.ListType, Elem: t} }

// world is a shop that mappings of the tests call.
func world(t require.TestingT) mapping.World {
	secret := &expr.Type{Kind: expr.TextType, Secret: true}
	item := obj("shop.stock.item", "id", wholeT, "name", textT, "price?", numT, "tags", listOf(textT),
		"maker?", obj("maker", "id", wholeT, "city?", textT))
	shop := &contract.Contract{Name: "shop", Operations: map[string]*contract.Operation{}}
	for _, op := range []*contract.Operation{
		{
			ID: "stock.item", Method: "GET", Answer: item,
			Params:   []*contract.Param{{Name: "id", In: contract.InPath, Type: wholeT, Required: true}, {Name: "lang", In: contract.InQuery, Type: textT}},
			Examples: map[string]*contract.Example{"a chair": {Name: "a chair", Status: 200, Answer: `{"id":1,"name":"chair","tags":[]}`}},
		},
		{ID: "stock.list", Method: "GET", Answer: listOf(item)},
		{ID: "stock.search", Method: "POST", Answer: listOf(item), Body: obj("", "text!", textT, "limit", wholeT), BodyRequired: true},
		{ID: "stock.reserve", Method: "POST", Changes: true, Answer: obj("shop.stock.reserve", "number", wholeT), Body: obj("", "id!", wholeT, "note", textT), BodyRequired: true},
		{ID: "stock.release", Method: "DELETE", Changes: true, AnswerKind: contract.NoAnswer, Params: []*contract.Param{{Name: "number", In: contract.InPath, Type: wholeT, Required: true}}},
		{ID: "user.password", Method: "POST", Changes: true, Answer: obj("shop.user.password", "done", &expr.Type{Kind: expr.BoolType}), Body: obj("", "password!", secret), BodyRequired: true},
		{ID: "user.key", Method: "GET", Answer: obj("shop.user.key", "key", secret, "name", textT)},
	} {
		op.Backend = "shop"
		shop.Operations[op.ID] = op
	}
	fns := functions(t)
	consts, list := yamldoc.Parse(diag.NewFile("gateway.yaml", "limit: 10\ntown: Porto\n"))
	require.Empty(t, list)
	return mapping.World{
		Contracts: map[string]*contract.Contract{"shop": shop},
		Functions: fns,
		Formats: map[string]*expr.Format{"code": {Name: "code", Example: "A1", Normal: func(s string) (string, bool) {
			return strings.ToUpper(s), s != ""
		}}},
		Config: &config.Config{
			Const:    consts,
			Backends: map[string]*config.Backend{"shop": {Name: "shop", Contract: "shop"}, "files": {Name: "files", Bare: true}},
			Callers: map[string]*config.Caller{
				"kiosk": {Name: "kiosk", Dialect: "plain"}, "robot": {Name: "robot", Dialect: "formal"},
			},
			Memory: map[string]*config.Memory{
				"seen": {Name: "seen", Key: "integer", Value: []config.Field{{Name: "id", Type: "integer"}}, For: "1h"},
				"hits": {Name: "hits", Key: "integer", Count: true, Per: "month"},
			},
		},
	}
}

var catalogue = sync.OnceValues(func() (*expr.Functions, error) { return expr.NewFunctions() })

func functions(t require.TestingT) *expr.Functions {
	fns, err := catalogue()
	require.NoError(t, err)
	return fns
}

// base are the files every case has besides its own.
func base(t require.TestingT) []txtar.File {
	a, err := baseFiles()
	require.NoError(t, err)
	return a.Files
}

var baseFiles = sync.OnceValues(func() (*txtar.Archive, error) { return txtar.ParseFile("testdata/base.txtar") })

// load loads a case's files over the base.
func load(t require.TestingT, own []txtar.File) (*mapping.Set, diag.List) {
	texts := map[string]*diag.File{}
	all := map[string]string{}
	for _, f := range append(slices.Clone(base(t)), own...) {
		all[f.Name] = string(f.Data)
	}
	var files []*diag.File
	w := world(t)
	for name, data := range all {
		f := diag.NewFile(name, data)
		if own, ok := strings.CutPrefix(name, "contracts/"); ok {
			own = strings.TrimSuffix(own, ".yaml")
			c, list := contract.Load(own, f, w.Functions)
			require.False(t, list.HasErrors(), list.Text())
			w.Contracts[own] = c
			continue
		}
		if strings.HasSuffix(name, ".yaml") {
			files = append(files, f)
		} else {
			texts[name] = f
		}
	}
	return mapping.Load(files, texts, w)
}

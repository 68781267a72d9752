package mappings_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// named are the places that a rule names beside its own: who changes the first
// may be told at the others, by these codes. A pointer ends with what stands
// here; what several products share stands once.
var named = map[string][]string{
	// The country of a sale is its dealer's: telephones and postal codes are read by it.
	"phone": {"/dealer_id"}, "postal_code": {"/dealer_id"}, "msisdn": {"/dealer_id"}, "landline_number": {"/dealer_id"},
	"account_form": {"/dealer_id"}, "billing_country": {"/dealer_id"}, "bank_unknown": {"/billing_type_id"},
	// Whether lines carry SIM cards is said by the channel, and by the partner.
	"iccid_online": {"/channel"}, "iccid_missing": {"/channel"},
	// The kind of the document says how it is written, and who was born.
	"document_form": {"/document_type_id"}, "document_check": {"/document_type_id"}, "birthdate_missing": {"/document_type_id"},
	// The network says which technology there is, and how long a gescal.
	"territory_technology": {"/ftth", "/adsl"}, "gescal_length": {"/territory_owner"},
	"ftth_or_adsl": {"/ftth", "/adsl"}, "internet_missing": {"/ftth"}, "broadband_missing": {"/broadband"},
	"main_missing": {"/type", "/mobile_lines", "/0", "/broadband"}, "main_twice": {"/type"},
	"iccid_twice": {"/iccid"}, "msisdn_twice": {"/msisdn"},
	"account_missing":   {"/billing_type_id"},
	"client_missing":    {"/type", "/0"},
	"dependentRequired": {"/document_type_id", "/document_value"},
}

// place is one value of a sale: where it is, and what was there.
type place struct {
	pointer, path string
	value         any
}

// placesOf gives every place of a document, itself left out, in order.
func placesOf(v any, pointer, path string) (all []place) {
	add := func(name string, inner any) {
		here := place{pointer + "/" + name, strings.TrimPrefix(path+"."+name, "."), inner}
		all = append(append(all, here), placesOf(inner, here.pointer, here.path)...)
	}
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			add(name, v[name])
		}
	case []any:
		for i := range v {
			add(strconv.Itoa(i), v[i])
		}
	}
	return all
}

// another draws a value for a place: of another kind, or a near one.
func another(t *rapid.T, was any) string {
	values := []string{`null`, `true`, `7`, `-1`, `1e400`, `""`, `" "`, `"undefined"`, `"string"`, `"2020-04-20"`, `"000000000"`, `[]`, `{}`, `[{}]`, `{"type":"client"}`}
	if text, ok := was.(string); ok && text != "" {
		i := rapid.IntRange(0, len([]rune(text))-1).Draw(t, "letter")
		letters := []rune(text)
		values = append(values, quoted(string(letters[:i])+string(letters[i+1:])), quoted(text+text), quoted(strings.ToUpper(text)), quoted(" "+text))
		letters[i] = rapid.SampledFrom([]rune("0129AXé -_/\u0000")).Draw(t, "other letter")
		values = append(values, quoted(string(letters)))
	}
	return rapid.SampledFrom(values).Draw(t, "value")
}

func quoted(text string) string {
	b, _ := json.Marshal(text)
	return string(b)
}

// mutated draws one change of a sale.
func mutated(t *rapid.T, base string, places []place) (sale string, at place, what string) {
	at = rapid.SampledFrom(places).Draw(t, "place")
	switch rapid.IntRange(0, 4).Draw(t, "kind") {
	case 0:
		return edited(t, base, [][2]string{{at.path, ""}}), at, "taken away"
	case 1:
		if _, ok := at.value.(map[string]any); ok {
			at.pointer += "/unheard_of"
			return edited(t, base, [][2]string{{at.path + ".unheard_of", `"x"`}}), at, "a member more"
		}
		fallthrough
	default:
		value := another(t, at.value)
		return edited(t, base, [][2]string{{at.path, value}}), at, value
	}
}

// explains tells whether a fault may come of a change: it is told at the change,
// above it or inside it, or the rule names the field that was changed.
func explains(w wrong, changed string) bool {
	pointer := strings.TrimPrefix(w.Pointer, "#")
	within := func(a, b string) bool { return a == b || strings.HasPrefix(a, b+"/") }
	if within(changed, pointer) || within(pointer, changed) {
		return true
	}
	return slices.ContainsFunc(named[w.Code], func(end string) bool { return strings.HasSuffix(changed, end) })
}

// One change of a valid sale is accepted, and then fits the schema for another
// reader of schemas as well, or it is refused for that change and nothing else.
func TestOneMutationOfASale(t *testing.T) {
	w := startSale(t)
	bases := map[string]string{}
	all := map[string][]place{}
	for _, name := range []string{"documento_reparado.json", "brasil.json"} {
		bases[name] = readSale(t, name)
		var doc any
		require.NoError(t, json.Unmarshal([]byte(bases[name]), &doc))
		all[name] = placesOf(doc, "", "")
	}
	reader := jsonschema.NewCompiler()
	schema, err := reader.Compile("sale/venda.json")
	require.NoError(t, err)
	accepted, refused := 0, 0
	check := func(t *rapid.T) {
		name := rapid.SampledFrom(slices.Sorted(maps.Keys(bases))).Draw(t, "base")
		caller := rapid.SampledFrom([]string{"parceiro", "parceiro_web"}).Draw(t, "caller")
		base := bases[name]
		if caller == "parceiro_web" {
			base = withoutCards(t, base)
		}
		sale, at, what := mutated(t, base, all[name])
		v := w.ask(t, caller, "pt", sale)
		where := fmt.Sprintf("%s: %s", at.pointer, what)
		switch v.Status {
		case http.StatusOK:
			accepted++
			doc, err := jsonschema.UnmarshalJSON(strings.NewReader(sale))
			require.NoError(t, err)
			require.NoError(t, schema.Validate(doc), where)
			for _, warning := range v.Warnings {
				require.True(t, explains(warning, at.pointer), "%s: warned of %s", where, warning)
			}
		case http.StatusUnprocessableEntity:
			refused++
			require.NotEmpty(t, v.Errors, where)
			for _, e := range v.Errors {
				require.True(t, explains(e, at.pointer), "%s: told %s", where, e)
			}
		default:
			require.Fail(t, "neither accepted nor refused", "%s: %s", where, v.text)
		}
	}
	for range 10 { // a hundred mutations each
		rapid.Check(t, check)
	}
	t.Logf("%d accepted, %d refused", accepted, refused)
	require.Positive(t, refused)
}

// withoutCards gives the sale as an online partner sends it.
func withoutCards(t require.TestingT, sale string) string {
	for _, path := range []string{saleMain + "iccid", saleMore + "iccid"} {
		sale = edited(t, sale, [][2]string{{path, ""}})
	}
	return sale
}

package mappings_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The places of the repaired example that variants change.
const (
	saleClient  = "clients.attributes.0."
	saleBand    = "products.broadband."
	salePlace   = "products.broadband.installation_info."
	saleMain    = "products.broadband.mobile_lines.0."
	saleMore    = "products.mobile_lines."
	saleFixed   = "products.broadband.landline."
	salePort    = "products.broadband.mobile_lines.0.portability_info."
	saleFixPort = "products.broadband.landline.portability_info."
)

// wrongSale is the repaired example with one thing that is not right.
type wrongSale struct {
	name  string
	edits [][2]string
	want  []string // code and pointer of each fault
}

// one makes a variant of one change and one fault.
func one(name, path, value, code, pointer string) wrongSale {
	return wrongSale{name, [][2]string{{path, value}}, []string{code + " #" + pointer}}
}

// unlike makes a variant whose only fault is told where the change is.
func unlike(name, path, value, code string) wrongSale {
	return one(name, path, value, code, "/"+strings.ReplaceAll(path, ".", "/"))
}

var gescal37 = "4600116356130000100000000000110000000"

var wrongSales = []wrongSale{
	// What the schema says.
	unlike("no sales info", "sales_info", "", "required"),
	unlike("no channel", "sales_info.channel", "", "required"),
	unlike("no dealer", "sales_info.dealer_id", "", "required"),
	unlike("no clients", "clients", "", "required"),
	unlike("no payment", "payment", "", "required"),
	unlike("no products", "products", "", "required"),
	unlike("another kind of sale", "sales_type", `"energy"`, "enum"),
	unlike("nobody among the clients", "clients.attributes", `[]`, "minItems"),
	unlike("no name", saleClient+"name", "", "required"),
	unlike("an empty name", saleClient+"name", `""`, "minLength"),
	unlike("no document", saleClient+"document_value", "", "required"),
	unlike("a document as a number", saleClient+"document_value", `35317901`, "type"),
	unlike("a kind of document as a text", saleClient+"document_type_id", `"1"`, "type"),
	unlike("no telephone", saleClient+"contact_phone", "", "required"),
	unlike("an e-mail without a domain", saleClient+"email", `"testtest"`, "format"),
	unlike("a date as people write it", saleClient+"birthdate", `"22/01/1971"`, "format"),
	unlike("a day that is none", saleClient+"birthdate", `"1971-02-30"`, "format"),
	unlike("a gender of two letters", saleClient+"gender", `"MM"`, "maxLength"),
	unlike("no address", saleClient+"address", "", "required"),
	unlike("no street", saleClient+"address.street_name", "", "required"),
	unlike("no postal code", saleClient+"address.postal_code", "", "required"),
	unlike("a field that nobody knows", saleClient+"nickname", `"N"`, "additionalProperties"),
	unlike("a misspelt product", "products.mobile_line", `{}`, "additionalProperties"),
	unlike("null for a product", "products.tv", `null`, "type"),
	unlike("no billing", "payment.billing_type_id", "", "required"),
	unlike("a whole card number", "payment.tpv_response.card_number", `"4111111111111111"`, "pattern"),
	unlike("a month that is none", "payment.tpv_response.expiry_date", `"1321"`, "pattern"),
	unlike("an amount in words", "payment.tpv_response.amount", `"thirty"`, "pattern"),
	unlike("no owner of the network", saleBand+"territory_owner", "", "required"),
	unlike("no installation", saleBand+"installation_info", "", "required"),
	unlike("no gescal", salePlace+"address.gescal", "", "required"),
	unlike("no name of the contact", salePlace+"contact.name", "", "required"),
	unlike("a document without its kind", salePlace+"contact.document_type_id", "", "dependentRequired"),
	unlike("a kind without a document", salePlace+"contact.document_value", "", "dependentRequired"),
	unlike("a product as a text", saleBand+"ftth.product_id", `"2345"`, "type"),
	unlike("half a product", saleBand+"ftth.product_id", `2345.5`, "type"),
	unlike("no product", saleFixed+"product_id", "", "required"),
	unlike("a truth as a text", saleFixed+"wants_communications", `"true"`, "type"),
	unlike("a promotion without id", saleFixed+"promotions.0.id", "", "required"),
	unlike("promotions that are no list", saleFixed+"promotions", `{"id":55}`, "type"),
	unlike("a line of another type", saleMain+"type", `"extra"`, "enum"),
	unlike("a line without type", saleMore+"type", "", "required"),
	unlike("lines as a text", saleBand+"mobile_lines", `"two"`, "type"),
	unlike("a line as a text", saleMain[:len(saleMain)-1], `"main"`, "type"),
	unlike("a scheduled date that is none", salePort+"scheduled_date", `"soon"`, "format"),
	unlike("an e-mail of television without a domain", saleBand+"tv.registration_email", `"tester"`, "format"),

	// Who sells, and to whom.
	unlike("an unknown dealer", "sales_info.dealer_id", `"C99999"`, "dealer_unknown"),
	unlike("an unknown channel", "sales_info.channel", `"channel9"`, "channel_unknown"),
	one("nobody is the client", saleClient+"type", `"user"`, "client_missing", "/clients/attributes"),
	{"two are the client", [][2]string{{"clients.attributes.1", `{"type":"client","name":"N","document_type_id":4,"document_value":"AB12345","birthdate":"1970-01-01","contact_phone":"611111112","address":{"street_name":"S","locality":"L","postal_code":"28028"}}`}}, []string{"client_twice #/clients/attributes/0/type", "client_twice #/clients/attributes/1/type"}},
	unlike("a person without date of birth", saleClient+"birthdate", "", "birthdate_missing"),
	unlike("born in time to come", saleClient+"birthdate", `"2999-01-22"`, "birthdate_future"),
	unlike("a donor born in time to come", salePort+"donor_user.birthdate", `"2999-01-22"`, "birthdate_future"),
	unlike("an unknown kind of document", saleClient+"document_type_id", `77`, "document_type"),
	one("a NIF as a CIF", saleClient+"document_type_id", `3`, "document_form", "/clients/attributes/0/document_value"),
	unlike("a NIF too short", saleClient+"document_value", `"3531790K"`, "document_form"),
	unlike("a contact's NIF without letter", salePlace+"contact.document_value", `"12341234"`, "document_form"),
	unlike("a donor's NIF without letter", salePort+"donor_user.document_value", `"11111111"`, "document_form"),
	unlike("a NIF without letter where the SIM card goes", saleMain+"expedition_info.document_value", `"11111111"`, "document_form"),
	unlike("a client's telephone too short", saleClient+"contact_phone", `"61111111"`, "phone"),
	unlike("a contact's telephone of another country", salePlace+"contact.phone", `"+5531987654321"`, "phone"),
	unlike("a delivery's telephone with letters", saleBand+"delivery_info.contact.phone", `"6333x3333"`, "phone"),
	unlike("a donor's telephone too long", saleFixPort+"donor_user.contact_phone", `"6555555550"`, "phone"),
	unlike("a television's telephone", saleBand+"tv.contact_phone", `"string"`, "phone"),
	unlike("a television's number", saleBand+"tv.number_associated", `"string"`, "phone"),
	unlike("a province that is none", saleClient+"address.postal_code", `"53000"`, "postal_code"),
	unlike("a postal code too short", salePlace+"address.postal_code", `"2802"`, "postal_code"),
	unlike("a delivery's postal code", saleBand+"delivery_info.address.postal_code", `"00000"`, "postal_code"),
	unlike("undefined for a street", saleClient+"address.street_name", `"undefined"`, "undefined_word"),
	unlike("undefined inside a supplement", salePlace+"address.supplement", `"1 Undefined IZQ"`, "undefined_word"),
	unlike("undefined for a number", saleClient+"address.number", `"undefined"`, "undefined_word"),
	unlike("undefined in an observation", saleBand+"delivery_info.address.observation", `"undefined, Madrid"`, "undefined_word"),
	unlike("undefined for a country", saleMain+"expedition_info.address.country", `"undefined"`, "undefined_word"),

	// How it is paid.
	unlike("an unknown billing", "payment.billing_type_id", `9`, "billing_unknown"),
	unlike("no account to debit", "payment.info.bank_account", "", "account_missing"),
	unlike("a blank account", "payment.info.bank_account", `"  "`, "account_missing"),
	unlike("an account too short", "payment.info.bank_account", `"2100041845020005133"`, "account_form"),
	unlike("an unknown bank", "payment.info.bank_account", `"9999 0000 65 0123456789"`, "bank_unknown"),
	unlike("a bank of another country", "payment.info.bank_account", `"DE89370400440532013000"`, "bank_unknown"),

	// What is sold, and where it is installed.
	unlike("nothing is sold", "products", `{}`, "products_none"),
	unlike("an unknown fibre", saleBand+"ftth.product_id", `1`, "product_unknown"),
	unlike("an unknown television", saleBand+"tv.product_id", `1`, "product_unknown"),
	unlike("a television's product as a telephone", saleFixed+"product_id", `4356`, "product_unknown"),
	unlike("an unknown mobile product", saleMore+"product_id", `99`, "product_unknown"),
	unlike("an unknown package", saleBand+"bundle_id", `999`, "bundle_unknown"),
	{"fibre and copper", [][2]string{{saleBand + "adsl", `{"product_id":3424}`}}, []string{"ftth_or_adsl #/products/broadband/ftth", "ftth_or_adsl #/products/broadband/adsl"}},
	{"fibre inside and beside", [][2]string{{"products.ftth", `{"product_id":2345}`}}, []string{"ftth_or_adsl #/products/broadband/ftth", "ftth_or_adsl #/products/ftth"}},
	{"two telephones", [][2]string{{"products.landline", `{"product_id":543}`}}, []string{"landline_twice #/products/broadband/landline", "landline_twice #/products/landline"}},
	{"two televisions", [][2]string{{"products.tv", `{"product_id":4356}`}}, []string{"tv_twice #/products/broadband/tv", "tv_twice #/products/tv"}},
	one("a package without internet", saleBand+"ftth", "", "internet_missing", "/products/broadband"),
	{"internet without a place", [][2]string{{"products", `{"ftth":{"product_id":2345}}`}}, []string{"broadband_missing #/products/broadband"}},
	unlike("an unknown network", saleBand+"territory_owner", `"FIBMM99"`, "territory_unknown"),
	{"copper in a fibre network", [][2]string{{saleBand + "ftth", ""}, {saleBand + "adsl", `{"product_id":3424}`}}, []string{"territory_technology #/products/broadband/territory_owner"}},
	unlike("a gescal without floor and door", salePlace+"address.gescal", `"`+gescal37[:17]+`"`, "gescal_length"),
	unlike("a gescal whose blanks were trimmed", salePlace+"address.gescal", `"`+gescal37[:36]+`"`, "gescal_length"),
	one("a gescal of 37 where 17 are known", saleBand+"territory_owner", `"NEBA01"`, "gescal_length", "/products/broadband/installation_info/address/gescal"),
	unlike("a gescal with a sign", salePlace+"address.gescal", `"`+gescal37[:20]+"-"+gescal37[21:]+`"`, "gescal_form"),
	unlike("a gescal with a letter in its province", salePlace+"address.gescal", `"A`+gescal37[1:]+`"`, "gescal_form"),
	unlike("a blank floor", salePlace+"address.gescal", `"`+gescal37[:26]+"   "+gescal37[29:]+`"`, "gescal_floor"),
	unlike("a blank door", salePlace+"address.gescal", `"`+gescal37[:29]+`        "`, "gescal_floor"),
	unlike("an unknown connection", saleBand+"ftth.connection_type", `"X"`, "connection_type"),

	// The lines.
	{"an additional line without a main one", [][2]string{{saleMain + "type", `"additional"`}}, []string{"main_missing #/products/broadband/mobile_lines/0/type", "main_missing #/products/mobile_lines/type"}},
	{"two main lines", [][2]string{{saleMore + "type", `"main"`}}, []string{"main_twice #/products/broadband/mobile_lines/0/type", "main_twice #/products/mobile_lines/type"}},
	unlike("offline without a SIM card", saleMore+"iccid", "", "iccid_missing"),
	unlike("offline with an empty SIM card", saleMain+"iccid", `""`, "iccid_missing"),
	{"online with SIM cards", [][2]string{{"sales_info.channel", `"web"`}}, []string{"iccid_online #/products/broadband/mobile_lines/0/iccid", "iccid_online #/products/mobile_lines/iccid"}},
	unlike("a SIM card too short", saleMain+"iccid", `"893404241912032086"`, "iccid_form"),
	unlike("a donor's SIM card with letters", salePort+"iccid", `"893404000000000000X"`, "iccid_form"),
	{"one SIM card for two lines", [][2]string{{saleMore + "iccid", `"8934042419120320860"`}}, []string{"iccid_twice #/products/broadband/mobile_lines/0/iccid", "iccid_twice #/products/mobile_lines/iccid"}},
	unlike("a number of letters", saleMore+"msisdn", `"string"`, "msisdn"),
	unlike("a fixed number for a mobile line", saleMore+"msisdn", `"911111111"`, "msisdn"),
	{"one number for two lines", [][2]string{{saleMore + "msisdn", `"612123123"`}}, []string{"msisdn_twice #/products/broadband/mobile_lines/0/msisdn", "msisdn_twice #/products/mobile_lines/msisdn"}},
	unlike("a mobile number for a fixed line", saleFixed+"number", `"612123199"`, "landline_number"),

	// Numbers that are brought along.
	unlike("a portability without its number", saleMain+"msisdn", "", "portability_number"),
	unlike("a portability without its fixed number", saleFixed+"number", "", "portability_number"),
	unlike("a portability without operator", salePort+"operator_id", "", "portability_operator"),
	unlike("a portability of a blank operator", saleFixPort+"operator_id", `" "`, "portability_operator"),
	unlike("an unknown operator", salePort+"operator_id", `"999"`, "operator_unknown"),
	unlike("a portability without operation", saleFixPort+"operation_type", "", "portability_operation"),
	unlike("a portability without donor", salePort+"donor_user", "", "portability_donor"),
	unlike("a donor without a name", saleFixPort+"donor_user", `{"document_type_id":1,"document_value":"11111111H"}`, "portability_donor"),
	unlike("a donor without a document", saleFixPort+"donor_user", `{"name":"USER"}`, "portability_donor"),
	unlike("a day that has gone by", salePort+"scheduled_date", `"2020-04-20"`, "scheduled_past"),
	unlike("a day that has gone by, of a telephone", saleFixPort+"scheduled_date", `"2020-04-20"`, "scheduled_past"),
}

// checkDigits are what partners are warned of, and strict ones refused.
var checkDigits = []wrongSale{
	unlike("a NIF's letter", saleClient+"document_value", `"12341234J"`, "document_check"),
	unlike("a contact's letter", salePlace+"contact.document_value", `"12341234J"`, "document_check"),
	unlike("a donor's letter", salePort+"donor_user.document_value", `"12341234J"`, "document_check"),
	{"a NIE's letter", [][2]string{{saleClient + "document_type_id", `2`}, {saleClient + "document_value", `"X1234567M"`}}, []string{"document_check #/clients/attributes/0/document_value"}},
	{"a CIF's control", [][2]string{{saleClient + "document_type_id", `3`}, {saleClient + "document_value", `"A58818502"`}}, []string{"document_check #/clients/attributes/0/document_value"}},
	{"a CPF's digits", [][2]string{{saleClient + "document_type_id", `5`}, {saleClient + "document_value", `"12312312312"`}}, []string{"document_check #/clients/attributes/0/document_value"}},
	{"a CNPJ's digits", [][2]string{{saleClient + "document_type_id", `6`}, {saleClient + "document_value", `"12ABC34501DE36"`}}, []string{"document_check #/clients/attributes/0/document_value"}},
	unlike("an account's digits", "payment.info.bank_account", `"00492345281234512345"`, "account_check"),
	unlike("an IBAN's digits", "payment.info.bank_account", `"ES91 2100 0418 4502 0005 1333"`, "account_check"),
	unlike("a BIC of ten", "payment.info.swift_bic", `"SWIFT12345"`, "bic_form"),
	one("an IMEI of eight", saleMain+"terminals.0.imei", `"12331425"`, "imei", "/products/broadband/mobile_lines/0/terminals"),
	one("an IMEI's digit", saleBand+"ftth.terminals.0.imei", `"490154203237517"`, "imei", "/products/broadband/ftth/terminals"),
	unlike("the donor's SIM card", salePort+"iccid", `"8934040000000000003"`, "iccid_check"),
}

// rightSales are the repaired example with something that may be so as well.
var rightSales = []wrongSale{
	{name: "a NIE", edits: [][2]string{{saleClient + "document_type_id", `2`}, {saleClient + "document_value", `"X1234567L"`}}},
	{name: "a company, which was never born", edits: [][2]string{{saleClient + "document_type_id", `3`}, {saleClient + "document_value", `"A58818501"`}, {saleClient + "birthdate", ""}}},
	{name: "a passport", edits: [][2]string{{saleClient + "document_type_id", `4`}, {saleClient + "document_value", `"AB 123456"`}}},
	{name: "an IBAN", edits: [][2]string{{"payment.info.bank_account", `"ES91 2100 0418 4502 0005 1332"`}}},
	{name: "a billing without account", edits: [][2]string{{"payment.billing_type_id", `2`}, {"payment.info", ""}}},
	{name: "gescal17 where that is known", edits: [][2]string{{saleBand + "territory_owner", `"NEBA01"`}, {salePlace + "address.gescal", `"` + gescal37[:17] + `"`}}},
	{name: "the other fibre", edits: [][2]string{{saleBand + "territory_owner", `"FIBMM02"`}}},
	{name: "copper", edits: [][2]string{{saleBand + "ftth", ""}, {"products.adsl", `{"product_id":3424}`}, {saleBand + "territory_owner", `"MASMOVIL"`}, {salePlace + "address.gescal", `"` + gescal37[:17] + `"`}}},
	{name: "blanks inside a gescal", edits: [][2]string{{salePlace + "address.gescal", `"` + gescal37[:17] + "         " + gescal37[26:29] + "D       " + `"`}}},
	{name: "a connection", edits: [][2]string{{saleBand + "ftth.connection_type", `"NV"`}}},
	{name: "a donor who is the client", edits: [][2]string{{salePort + "donor_user", `{"type":"client"}`}}},
	{name: "an empty donor's SIM card", edits: [][2]string{{salePort + "iccid", `""`}}},
	{name: "a day to come", edits: [][2]string{{salePort + "scheduled_date", `"2999-04-20"`}}},
	{name: "a new number", edits: [][2]string{{saleMore + "msisdn", ""}}},
	{name: "telephones with what people write", edits: [][2]string{{saleClient + "contact_phone", `"+34 611 111 111"`}}},
	{name: "only mobile", edits: [][2]string{{"products", `{"mobile_lines":{"type":"main","product_id":12,"iccid":"8934042419120320860"}}`}}},
	{name: "a street that only holds the letters", edits: [][2]string{{saleClient + "address.street_name", `"Calle Undefinedo"`}}},
	{name: "online without SIM cards", edits: [][2]string{{"sales_info.channel", `"web"`}, {saleMain + "iccid", ""}, {saleMore + "iccid", ""}}},
}

// Each rule broken alone is told by its code and its place, and nothing else is.
func TestWrongSales(t *testing.T) {
	w := startSale(t)
	base := readSale(t, "documento_reparado.json")
	require.GreaterOrEqual(t, len(wrongSales), 60)
	names := map[string]bool{}
	for _, c := range wrongSales {
		require.False(t, names[c.name], c.name)
		names[c.name] = true
		t.Run(c.name, func(t *testing.T) {
			for _, language := range []string{"pt", "es"} {
				v := w.ask(t, "parceiro", language, edited(t, base, c.edits))
				require.Equal(t, http.StatusUnprocessableEntity, v.Status, v.text)
				require.Equal(t, c.want, told(v.Errors))
				for _, e := range v.Errors {
					require.NotEmpty(t, e.Detail)
				}
			}
		})
	}
	for _, c := range checkDigits {
		t.Run(c.name, func(t *testing.T) {
			v := w.ask(t, "parceiro", "es", edited(t, base, c.edits))
			require.True(t, v.Valid, v.text)
			require.Equal(t, c.want, told(v.Warnings))
			online := append([][2]string{{saleMain + "iccid", ""}, {saleMore + "iccid", ""}}, c.edits...)
			v = w.ask(t, "parceiro_web", "es", edited(t, base, online))
			require.Equal(t, http.StatusUnprocessableEntity, v.Status, "a strict partner")
			require.Equal(t, c.want, told(v.Errors))
		})
	}
	for _, c := range rightSales {
		t.Run(c.name, func(t *testing.T) {
			v := w.ask(t, "parceiro", "pt", edited(t, base, c.edits))
			require.True(t, v.Valid, v.text)
			require.Empty(t, v.Warnings)
		})
	}
}

// Faults of the schema and of rules are told together, where the rules' own
// values are fine; no value that was sent is told back.
func TestWrongSalesAtOnce(t *testing.T) {
	w := startSale(t)
	base := readSale(t, "documento_reparado.json")
	v := w.ask(t, "parceiro", "es", edited(t, readSale(t, "brasil.json"), [][2]string{{"payment", `{"billing_type_id":1,"info":{"bank_account":"21000418450200051332"}}`}}))
	require.Equal(t, []string{"billing_country #/payment/billing_type_id"}, told(v.Errors))

	v = w.ask(t, "parceiro", "pt", edited(t, base, [][2]string{
		{"sales_info.logistic", `"QUOTED"`}, {saleClient + "email", `"QUOTED"`}, {saleBand + "territory_owner", `"QUOTED"`},
		{saleMain + "product_id", `"QUOTED"`}, {saleMore + "msisdn", `"QUOTED"`}, {saleMore + "type", `"main"`},
	}))
	require.ElementsMatch(t, []string{
		"type #/sales_info/logistic", "format #/clients/attributes/0/email", "type #/products/broadband/mobile_lines/0/product_id",
		"territory_unknown #/products/broadband/territory_owner", "msisdn #/products/mobile_lines/msisdn",
		"main_twice #/products/broadband/mobile_lines/0/type", "main_twice #/products/mobile_lines/type",
	}, told(v.Errors))
	require.NotContains(t, v.text, "QUOTED")
}

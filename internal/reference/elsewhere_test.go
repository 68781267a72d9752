package reference

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// notes are keys for people: no run differs without them.
var notes = []string{
	"mapping.summary", "mapping.tests", "flow.summary", "form.summary", "flow.tests", "dialect.summary", "table.summary", "expose.summary",
	"contract.tags", "info.description", "tag.description", "path.summary", "path.description", "section.description",
	"parameter.description", "parameter.deprecated", "parameter.example",
	"schema.title", "schema.description", "schema.deprecated", "schema.format", "schema.default", "schema.example", "schema.examples",
	"operation.summary", "operation.description", "operation.tags", "operation.deprecated",
	"request body.description", "response.description", "example.summary", "example.description",
}

// elsewhere are keys whose effect lies outside what tests of mappings see (time,
// connections, listening), and the test that shows it.
var elsewhere = map[string]string{
	"exposed contract.timeout": "internal/exchange/exposed_test.go: TestExposed",
	"route.timeout":            "internal/flow/order_test.go: TestDeadline",
	"step.timeout":             "internal/flow/order_test.go: TestTimeoutsAndRetriesAreHandedOver",
	"retry.every":              "internal/flow/order_test.go: TestTimeoutsAndRetriesAreHandedOver",
	"step.at_most":             "internal/flow/each_test.go: TestEachReadingRunsTogether",
	"dialect.slash":            "routes/serve_test.go: TestAnswers",
	"dialect.cors":             "routes/cors_test.go: TestCORS",
	"cors.headers":             "routes/cors_test.go: TestCORS",
	"cors.max_age":             "routes/cors_test.go: TestCORS",
	"gateway.compress":         "routes/compress_test.go: TestCompress",

	"operation.x-emenda-cacheable":   "internal/contract/facts_test.go: TestFacts",
	"operation.x-emenda-credentials": "internal/contract/facts_test.go: TestFacts",
	"schema.x-emenda-names":          "internal/contract/facts_test.go: TestFacts",
	"schema.x-emenda-max-bytes":      "internal/contract/facts_test.go: TestFacts",
	"schema.x-emenda-required-when":  "internal/contract/facts_test.go: TestMissing",

	"sign-in.basic":     "internal/backend/wire_test.go: TestRequestOnTheWire",
	"sign-in.body":      "internal/backend/signbody_test.go: TestSignInInTheBody",
	"sign-in.header":    "internal/backend/signheader_test.go: TestSignInInTheHeader",
	"sign-in.signature": "internal/backend/signature_test.go: TestSignature",
	"signature.prefix":  "internal/backend/signature_test.go: TestSignature",
	"token.first":       "internal/backend/inturn_test.go: TestTokensInTurn",
	"token.with":        "internal/backend/inturn_test.go: TestTokensInTurn",
	"token.next":        "internal/backend/inturn_test.go: TestTokensInTurn",
	"secret.optional":   "internal/snapshot/tokenless_test.go: TestTokenless",
	"token.prefix":      "internal/backend/client_test.go: TestTokenIsRenewedOnce",
	"token.renew":       "internal/backend/client_test.go: TestTokenIsRenewedOnce",
	"token.life":        "internal/backend/client_test.go: TestOneTokenForAll",

	"gateway.yaml.orders":      "internal/durable/durable_test.go: TestDatabaseIsAway",
	"orders.database":          "internal/durable/durable_test.go: TestDatabaseIsAway",
	"orders.keep":              "internal/durable/durable_test.go: TestWhatEndedLongAgoIsEmptied",
	"gateway.yaml.schedules":   "internal/durable/schedules_test.go: TestScheduleRunsOnceAmongReplicas",
	"schedule.timezone":        "internal/config/schedule_test.go: TestSchedulesResolved",
	"schedule.pack":            "internal/snapshot/schedules_test.go: TestSchedulesThatRun",
	"gateway.listen":           "internal/config/config_test.go: TestShippedFile",
	"gateway.admin_listen":     "internal/config/config_test.go: TestShippedFile",
	"gateway.admin_token":      "routes/life_test.go: TestAdminToken",
	"gateway.trusted_proxies":  "routes/address_test.go: TestClientAddress",
	"gateway.proxy_header":     "routes/address_test.go: TestClientAddress",
	"gateway.docs":             "routes/docs_test.go: TestDocs",
	"gateway.traces":           "routes/trace_test.go: TestTrace",
	"gateway.tls":              "routes/tls_test.go: TestTLS",
	"gateway.admin_tls":        "routes/tls_test.go: TestAdminTLS",
	"tls.client_ca":            "routes/tls_test.go: TestClientCertificates",
	"backend.tls":              "internal/backend/tls_test.go: TestTLS",
	"backend tls.ca":           "internal/backend/tls_test.go: TestTLS",
	"backend tls.certificate":  "internal/backend/tls_test.go: TestTLS",
	"backend tls.key":          "internal/backend/tls_test.go: TestTLS",
	"backend tls.server_name":  "internal/backend/tls_test.go: TestTLS",
	"gateway.mappings":         "cmd/emenda/script_test.go: TestScript",
	"gateway.packs":            "internal/snapshot/packs_test.go: TestPacks",
	"backend.sign_in":          "internal/backend/wire_test.go: TestRequestOnTheWire",
	"backend.timeout":          "internal/backend/wire_test.go: TestSlowAndCancelled",
	"backend.at_most":          "internal/backend/client_test.go: TestNoFreeConnection",
	"backend.idle_timeout":     "internal/backend/client_test.go: TestKeepAliveAndIdleTimeout",
	"backend.max_answer":       "internal/backend/wire_test.go: TestAnswers",
	"backend.breaker":          "internal/backend/breaker_test.go: TestBreaker",
	"breaker.failures":         "internal/backend/breaker_test.go: TestBreaker",
	"breaker.pause":            "internal/backend/breaker_test.go: TestBreakerLetsOneThrough",
	"backend.maintenance":      "internal/snapshot/maintenance_test.go: TestMaintenance",
	"gateway.yaml.maintenance": "internal/snapshot/maintenance_test.go: TestMaintenance",
	"memory.if_down":           "internal/flow/nested_test.go: TestStoreDown",
	"memory.durable":           "internal/store/journal_test.go: TestDurableMemory",
	"memory.personal":          "internal/store/journal_test.go: TestPersonalKeysAreNotListed",
	"gateway.data":             "internal/snapshot/store_test.go: TestOpenStore",
	"gateway.seal_key":         "internal/snapshot/store_test.go: TestOpenStore",
	"gateway.yaml.redis":       "internal/snapshot/store_test.go: TestOpenStore",
	"limits.body":              "routes/serve_test.go: TestUnreadableRequests",
	"limits.header":            "routes/serve_test.go: TestUnreadableRequests",
	"limits.read_timeout":      "routes/life_test.go: TestServerHasTimeouts",
	"caller.status":            "internal/exchange/truthful_test.go: TestTruthful",
	"caller.rate":              "internal/store/rate_test.go: TestRate",
	"limits.sign_in":           "internal/store/signins_test.go: TestSignIns",
	"sign-in limit.failures":   "internal/store/signins_test.go: TestSignIns",
	"sign-in limit.per":        "internal/store/signins_test.go: TestSignIns",
	"sign-in limit.pause":      "internal/store/signins_test.go: TestSignIns",
	"limits.idle_timeout":      "routes/life_test.go: TestServerHasTimeouts",
	"limits.connections":       "routes/crowd_test.go: TestTooManyConnections",
}

func TestElsewhere(t *testing.T) {
	for id, where := range elsewhere {
		t.Run(id, func(t *testing.T) {
			require.True(t, slices.ContainsFunc(Keys(), func(k KeyID) bool { return k.String() == id }), "no such key")
			file, test, _ := strings.Cut(where, ": ")
			text, err := os.ReadFile(filepath.Join("../..", file))
			require.NoError(t, err)
			require.Contains(t, string(text), "func "+test+"(")
		})
	}
}

// forbidden is a key that only forbids: with this change the checker refuses
// the cases, in these words, and without the key it does not.
type forbidden struct {
	key, file string
	old, new  string // the change
	message   string
	at        string // the last of the key's path: which of its uses counts
}

var forbids = []forbidden{
	{"response.x-emenda-source", "flows/order_of.yaml", "owner?.name", "owner?.nickname", "warning: ", "people/{id}/get/responses/200"},
	{"input field.secret", "input.yaml", "trace: ${?input.trace}\n", "trace: ${?input.trace}\n      pin: ${?input.pin}\n", "secret", ""},
	{"request body.required", "switch.yaml", "call: shop.orders.create\n        body: { title: Emma }", "call: shop.orders.create", "needs a body", "orders/post/requestBody"},
	{"schema.enum", "contracts/demo.yaml", "value: { id: 8, title: Atlas, price: 12.50, state: open, lines: [{ book: Atlas, count: 1 }] }", "value: { id: 8, title: Atlas, price: 12.50, state: lost, lines: [{ book: Atlas, count: 1 }] }", "example", "state"},
	{"schema.const", "contracts/demo.yaml", "value: { id: 8, title: Atlas, price: 12.50, state: open, lines: [{ book: Atlas, count: 1 }] }", "value: { id: 8, kind: letter, title: Atlas, price: 12.50, state: open, lines: [{ book: Atlas, count: 1 }] }", "example", "kind"},
	{"schema.pattern", "contracts/demo.yaml", "value: { id: 8, title: Atlas, price: 12.50, state: open, lines: [{ book: Atlas, count: 1 }] }", "value: { id: 8, note: \"<\", title: Atlas, price: 12.50, state: open, lines: [{ book: Atlas, count: 1 }] }", "example", "note"},
	{"schema.minLength", "contracts/demo.yaml", "value: { id: 8, title: Atlas, price: 12.50, state: open, lines: [{ book: Atlas, count: 1 }] }", "value: { id: 8, title: \"\", price: 12.50, state: open, lines: [{ book: Atlas, count: 1 }] }", "example", "title"},
	{"schema.maxLength", "contracts/demo.yaml", "value: { id: 8, title: Atlas, price: 12.50, state: open, lines: [{ book: Atlas, count: 1 }] }", "value: { id: 8, title: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA, price: 12.50, state: open, lines: [{ book: Atlas, count: 1 }] }", "example", "title"},
	{"schema.minimum", "contracts/demo.yaml", "value: { id: 8, title: Atlas, price: 12.50, state: open, lines: [{ book: Atlas, count: 1 }] }", "value: { id: 0, title: Atlas, price: 12.50, state: open, lines: [{ book: Atlas, count: 1 }] }", "example", "id"},
	{"schema.maximum", "contracts/demo.yaml", "value: { id: 8, title: Atlas, price: 12.50, state: open, lines: [{ book: Atlas, count: 1 }] }", "value: { id: 8, title: Atlas, price: 10001, state: open, lines: [{ book: Atlas, count: 1 }] }", "example", "price"},
	{"schema.exclusiveMinimum", "contracts/demo.yaml", "value: { id: 8, title: Atlas, price: 12.50, state: open, lines: [{ book: Atlas, count: 1 }] }", "value: { id: 8, title: Atlas, price: -1, state: open, lines: [{ book: Atlas, count: 1 }] }", "example", "price"},
	{"schema.exclusiveMaximum", "contracts/demo.yaml", "value: { id: 8, title: Atlas, price: 12.50, state: open, lines: [{ book: Atlas, count: 1 }] }", "value: { id: 1000000, title: Atlas, price: 12.50, state: open, lines: [{ book: Atlas, count: 1 }] }", "example", "id"},
	{"schema.maxItems", "contracts/demo.yaml", "value: { id: 8, title: Atlas, price: 12.50, state: open, lines: [{ book: Atlas, count: 1 }] }", "value: { id: 8, title: Atlas, price: 12.50, state: open, lines: [{ book: A, count: 1 }, { book: B, count: 1 }, { book: C, count: 1 }] }", "example", "lines"},
	{"schema.anyOf", "contracts/demo.yaml", "value: { id: 8, title: Atlas, price: 12.50, state: open, lines: [{ book: Atlas, count: 1 }] }", "value: { id: 8, reference: true, title: Atlas, price: 12.50, state: open, lines: [{ book: Atlas, count: 1 }] }", "example", "reference"},
	{"schema.oneOf", "contracts/demo.yaml", "value: { id: 8, title: Atlas, price: 12.50, state: open, lines: [{ book: Atlas, count: 1 }] }", "value: { id: 8, buyer: true, title: Atlas, price: 12.50, state: open, lines: [{ book: Atlas, count: 1 }] }", "example", "buyer"},
}

func TestForbids(t *testing.T) {
	c, cov := opened(t)
	w, err := newBench(c)
	require.NoError(t, err)
	for _, f := range forbids {
		t.Run(f.key, func(t *testing.T) {
			uses := slices.DeleteFunc(slices.Collect(func(yield func(Use) bool) {
				for id, all := range cov.Keys {
					for _, u := range all {
						if id.String() == f.key && !yield(u) {
							return
						}
					}
				}
			}), func(u Use) bool {
				return f.at != "" && !strings.HasSuffix(strings.Join(u.Path, "/"), f.at)
			})
			require.NotEmpty(t, uses)
			u := uses[0]
			change := func(name, text string) string {
				if name != f.file {
					return text
				}
				require.Equal(t, 1, strings.Count(text, f.old), "%q in %s", f.old, name)
				return strings.Replace(text, f.old, f.new, 1)
			}
			require.Contains(t, w.said(change), f.message)
			require.NotContains(t, w.said(func(name, text string) string {
				if name == u.File.Name {
					text = u.Without()
				}
				return change(name, text)
			}), f.message)
		})
	}
}

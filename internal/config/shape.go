package config

import "github.com/emenda-gateway/emenda/internal/yamldoc"

// Shape is the table of gateway.yaml's keys: reading, the docs and the JSON
// Schema come from it.
var Shape = gatewayShape()

// What stands where nothing is said.
const (
	defaultListen      = "127.0.0.1:8080"
	defaultAdminListen = "127.0.0.1:8081"
	defaultData        = "./data"
	defaultTimezone    = "America/Sao_Paulo"
	defaultProxyHeader = "X-Forwarded-For"
	defaultTraces      = "1000"
	defaultTimeout     = "3s"
	defaultAtMost      = "64"
	defaultIdleTimeout = "10s"
	defaultMaxAnswer   = "8MB"
	defaultFailures    = "5"
	defaultPause       = "5s"
	defaultWrong       = "100"
	defaultWrongPer    = "1m"
	defaultWrongPause  = "1m"
	defaultBody        = "1MB"
	defaultHeader      = "16KB"
	defaultReadTimeout = "10s"
	defaultKeep        = "90d"
	defaultKeepAlive   = "75s"
	defaultConnections = "4096"
	defaultFuel        = "100000"
	defaultEach        = "1000"
)

const (
	identifier = `[A-Za-z_][A-Za-z0-9_]*`
	nameWords  = "a name: letters, digits and _"
)

var (
	textOrEnv     = &yamldoc.Shape{Form: yamldoc.ScalarForm, Env: true}
	intOrEnv      = &yamldoc.Shape{Form: yamldoc.IntForm, Env: true}
	textsOrEnv    = &yamldoc.Shape{Form: yamldoc.AltForm, Alts: []*yamldoc.Shape{textOrEnv, {Form: yamldoc.ListForm, Elem: textOrEnv}}}
	durationOrEnv = &yamldoc.Shape{Form: yamldoc.DurationForm, Env: true}
	sizeOrEnv     = &yamldoc.Shape{Form: yamldoc.SizeForm, Env: true}
	boolOrEnv     = &yamldoc.Shape{Form: yamldoc.BoolForm, Env: true}
	boolean       = &yamldoc.Shape{Form: yamldoc.BoolForm}
	anything      = &yamldoc.Shape{Form: yamldoc.AnyForm}
	name          = &yamldoc.Shape{Form: yamldoc.NameForm}
	valueType     = &yamldoc.Shape{Form: yamldoc.EnumForm, Enum: []string{"string", "integer", "number", "boolean"}}

	secret = &yamldoc.Shape{
		Name: "secret", Form: yamldoc.ObjectForm,
		Doc: "{ secret: NAME } takes the environment variable NAME, or the file that NAME_FILE names",
		Keys: []yamldoc.Key{{
			Name: "secret", Required: true, Shape: name,
			Doc: "The environment variable that holds the secret.",
		}},
	}
	// maybeSecret is one of several that a sign-in can do with.
	maybeSecret = object(secret.Name, secret.Doc, secret.Keys[0], yamldoc.Key{
		Name: "optional", Shape: boolean, Doc: "Whether the backend is served without it too, where its contract's sign-in can do without; else the backend is left out while it is unset.",
	})
	secrets = &yamldoc.Shape{Form: yamldoc.AltForm, Doc: "{ secret: NAME } takes the environment variable NAME, or the file that NAME_FILE names", Alts: []*yamldoc.Shape{
		secret, {Form: yamldoc.ListForm, Elem: secret, Min: 1},
	}}
)

func object(name, doc string, keys ...yamldoc.Key) *yamldoc.Shape {
	return &yamldoc.Shape{Name: name, Form: yamldoc.ObjectForm, Doc: doc, Keys: keys}
}

func mapOf(elem *yamldoc.Shape) *yamldoc.Shape {
	return &yamldoc.Shape{Form: yamldoc.MapForm, Elem: elem, Pattern: identifier, KeyDoc: nameWords}
}

func gatewayShape() *yamldoc.Shape {
	return object("gateway.yaml", "Where the gateway listens, whom it calls and who may call it.",
		yamldoc.Key{Name: "emenda", Shape: &yamldoc.Shape{Form: yamldoc.ScalarForm}, Required: true, Doc: "The version of the language: 1."},
		yamldoc.Key{Name: "gateway", Shape: gatewayKeys(), Doc: "Where the gateway listens and keeps things."},
		yamldoc.Key{Name: "redis", Doc: "The store replicas share; without it, this process.", Shape: object("redis", "The store replicas share.",
			yamldoc.Key{Name: "url", Shape: secret, Required: true, Doc: "redis://…; unset means none."},
		)},
		yamldoc.Key{Name: "backends", Shape: mapOf(backendShape()), Doc: "The backends by name."},
		yamldoc.Key{Name: "callers", Shape: mapOf(callerShape()), Doc: "Who may call, by name."},
		yamldoc.Key{Name: "memory", Shape: mapOf(memoryShape()), Doc: "What mappings remember between requests, by name."},
		yamldoc.Key{
			Name: "const", Shape: mapOf(&yamldoc.Shape{Form: yamldoc.ScalarForm}),
			Doc: "Constants that mappings read as const.NAME; they are fixed, without ${env:…}.",
		},
		yamldoc.Key{Name: "limits", Shape: limitsShape(), Doc: "What one request may take."},
		yamldoc.Key{Name: "maintenance", Shape: mapOf(textOrEnv), Doc: "Dialects under maintenance, by name: true, or a sentence for callers. All their routes answer `unavailable` with it as `error.message`, whoever calls. Live with the next reload."},
		yamldoc.Key{Name: "schedules", Shape: mapOf(scheduleShape()), Doc: "What runs at set times, by name. Of all replicas that share the orders' database one runs it, once a time; a time at which no replica was there is not made up for, but told in the log and by `emenda schedules`. A change is live with the next reload."},
		yamldoc.Key{Name: "orders", Doc: "Where the orders of durable mappings are kept, and how long.", Shape: object("orders", "Where the orders of durable mappings are kept.",
			yamldoc.Key{Name: "database", Shape: secret, Doc: "postgres://…, which replicas share; unset means SQLite, in the data folder."},
			yamldoc.Key{Name: "keep", Shape: durationOrEnv, Doc: "How long an order that has ended is kept, with what it was made of; without it, " + defaultKeep + "."},
		)},
	)
}

func gatewayKeys() *yamldoc.Shape {
	return object("gateway", "Where the gateway listens and keeps things.",
		yamldoc.Key{Name: "listen", Shape: textOrEnv, Doc: "Address and port for callers; without it, " + defaultListen + "."},
		yamldoc.Key{Name: "admin_listen", Shape: textOrEnv, Doc: "Address and port for health, metrics and administration; without it, " + defaultAdminListen + "."},
		yamldoc.Key{Name: "admin_token", Shape: secret, Doc: "The bearer token of the admin listener; needed when it is not on this machine alone."},
		yamldoc.Key{Name: "data", Shape: textOrEnv, Doc: "The folder of what survives a restart; without it, " + defaultData + "."},
		yamldoc.Key{Name: "mappings", Shape: textOrEnv, Doc: "A folder that replaces the built-in mappings whole."},
		yamldoc.Key{Name: "packs", Shape: &yamldoc.Shape{Form: yamldoc.ListForm, Elem: name}, Doc: "The packs that are served: names of folders of the mappings folder. A mapping in another folder is neither checked nor served, nor is a flow that stands beside one there, and a backend that only such mappings call needs no settings; mappings that stand in no folder are always served; tables, dialects, contracts, and flows of folders that hold no mapping are there for all. Without it, every folder is served."},
		yamldoc.Key{Name: "timezone", Shape: textOrEnv, Doc: "The zone of dates and of memory's days and months; without it, " + defaultTimezone + "."},
		yamldoc.Key{Name: "seal_key", Shape: secrets, Doc: "What stored values are sealed with: 32 bytes in base64, made when unset and nothing is shared; two while one replaces the other."},
		yamldoc.Key{Name: "trusted_proxies", Shape: textsOrEnv, Doc: "Addresses or networks (10.0.0.0/8) of the proxies in front, as a list or with commas between: what they say of the client's address is believed. Without it, nobody is."},
		yamldoc.Key{Name: "tls", Shape: listenerTLSShape(), Doc: "The files of TLS for callers; without it, the listener is plain."},
		yamldoc.Key{Name: "admin_tls", Shape: listenerTLSShape(), Doc: "The same for the admin listener."},
		yamldoc.Key{Name: "proxy_header", Shape: textOrEnv, Doc: "The field they say it in, X-Forwarded-For or Forwarded (RFC 7239); no other is looked at, since clients can send it. Without it, " + defaultProxyHeader + "."},
		yamldoc.Key{Name: "compress", Shape: boolean, Doc: "true: answers of JSON or text above 1400 bytes are compressed with gzip for those who accept it. Without it, none is: a proxy in front often does it, and over TLS the size of a compressed answer can tell what is in it to who may choose a part of it. Live with the next reload."},
		yamldoc.Key{Name: "docs", Shape: boolOrEnv, Doc: "true: `/docs` on the callers' listener shows what is offered, to be read and tried in a browser, and `/docs/openapi.json` is it as an OpenAPI document; anybody who reaches the listener may read it, and needs credentials to try it. Without it, the variable EMENDA_DOCS says so, which `--sandbox` sets; else false."},
		yamldoc.Key{Name: "traces", Shape: intOrEnv, Doc: "How many of the last requests `emenda trace` can tell of, in memory of at most 16 MB; 0: none. Without it, " + defaultTraces + "."},
	)
}

func backendShape() *yamldoc.Shape {
	return object("backend", "A backend to call.",
		yamldoc.Key{Name: "contract", Shape: name, Doc: "The contract it answers by; without one, steps reach it with `request`."},
		yamldoc.Key{Name: "url", Shape: textOrEnv, Required: true, Doc: "Scheme, host and optional base path: https://backend.example."},
		yamldoc.Key{Name: "sign_in", Shape: mapOf(maybeSecret), Doc: "Secrets by the variables the contract's sign-in names; without a contract, `user` and `password` (HTTP Basic), `bearer` (Authorization: Bearer) or none."},
		yamldoc.Key{Name: "timeout", Shape: durationOrEnv, Doc: "How long one attempt may take; without it, " + defaultTimeout + "."},
		yamldoc.Key{Name: "at_most", Shape: intOrEnv, Doc: "How many connections at once; as many calls again wait for one, for a moment, and those above end unavailable. Without it, " + defaultAtMost + "."},
		yamldoc.Key{Name: "idle_timeout", Shape: durationOrEnv, Doc: "When an idle connection is closed: below the backend's own; without it, " + defaultIdleTimeout + "."},
		yamldoc.Key{Name: "max_answer", Shape: sizeOrEnv, Doc: "The largest answer taken; without it, " + defaultMaxAnswer + ". What is large of all answers under way is 64MB at most, or eight times this: above it calls end unavailable."},
		yamldoc.Key{Name: "breaker", Doc: "When to stop calling for a while.", Shape: object("breaker", "When to stop calling a backend for a while.",
			yamldoc.Key{Name: "failures", Shape: intOrEnv, Doc: "How many failures in a row; without it, " + defaultFailures + "."},
			yamldoc.Key{Name: "pause", Shape: durationOrEnv, Doc: "How long, before one trial; without it, " + defaultPause + "."},
		)},
		yamldoc.Key{Name: "tls", Shape: backendTLSShape(), Doc: "The files of TLS towards it; without them, the authorities of the system are trusted."},
		yamldoc.Key{Name: "maintenance", Shape: textOrEnv, Doc: "true, or a sentence for callers: it is not called, its steps end failed, class unavailable, and `error.message` of the dialect's `unavailable` is the sentence. Live with the next reload."},
	)
}

func callerShape() *yamldoc.Shape {
	return object("caller", "Someone who may call.",
		yamldoc.Key{Name: "dialect", Shape: name, Required: true, Doc: "The dialect it speaks."},
		yamldoc.Key{Name: "app", Shape: textOrEnv, Doc: "The application name it sends, in dialects that have one."},
		yamldoc.Key{Name: "token", Shape: secrets, Required: true, Doc: "Its token; a list of two while one replaces the other."},
		yamldoc.Key{
			Name: "permissions", Required: true, Doc: `What it may do: "ura.*".`,
			Shape: &yamldoc.Shape{Form: yamldoc.ListForm, Elem: &yamldoc.Shape{Form: yamldoc.TextForm}},
		},
		yamldoc.Key{Name: "strict", Shape: boolean, Doc: "Warnings of rules are errors for it."},
		yamldoc.Key{Name: "status", Shape: &yamldoc.Shape{Form: yamldoc.EnumForm, Enum: []string{"unchanged", "truthful"}}, Doc: "`truthful`: where an exposed operation is refused or fails, whatever status the backend dresses that in, it is answered with a status that says so (404, 422, 502 …) and a problem document (RFC 9457); what the gateway refuses itself likewise, with the `errors` of each field. Without it, `unchanged`: the backend's answers as they came, the dialect's replies."},
		yamldoc.Key{Name: "rate", Shape: textOrEnv, Doc: "How many requests in a time, as 50/s, 600/m or 1000/h, of all replicas together while they have a store; so many may come at once. Those above are answered `limited`. Without it, as many as it likes."},
	)
}

func scheduleShape() *yamldoc.Shape {
	return object("schedule", "Something that runs at set times.",
		yamldoc.Key{Name: "cron", Shape: textOrEnv, Required: true, Doc: "When: minute, hour, day, month, weekday, as `*/30 * * * *`, or @hourly, @daily and the like. A run may go on until the next is due."},
		yamldoc.Key{Name: "timezone", Shape: textOrEnv, Doc: "The zone of these times; without it, gateway.timezone."},
		yamldoc.Key{Name: "call", Shape: name, Required: true, Doc: "What runs: BACKEND.OPERATION, or flows.NAME. A flow that only durable mappings may call, or that claims, may not."},
		yamldoc.Key{Name: "with", Shape: anything, Doc: "The operation's parameters, or the flow's input: constants."},
		yamldoc.Key{Name: "body", Shape: anything, Doc: "The body that the operation is sent: constants."},
		yamldoc.Key{Name: "pack", Shape: name, Doc: "The pack it belongs to: where gateway.packs does not name that, it does not run. Without it, it runs everywhere."},
	)
}

func memoryShape() *yamldoc.Shape {
	return object("memory", "Something remembered between requests.",
		yamldoc.Key{Name: "key", Shape: valueType, Required: true, Doc: "The type of the key."},
		yamldoc.Key{Name: "value", Shape: &yamldoc.Shape{Form: yamldoc.MapForm, Elem: valueType, Pattern: identifier, KeyDoc: nameWords, Min: 1}, Doc: "The fields remembered and their types."},
		yamldoc.Key{Name: "count", Shape: boolean, Doc: "true: a number that claims count up, instead of a value."},
		yamldoc.Key{Name: "for", Shape: &yamldoc.Shape{Form: yamldoc.DurationForm}, Doc: "How long an entry is kept."},
		yamldoc.Key{Name: "per", Shape: &yamldoc.Shape{Form: yamldoc.EnumForm, Enum: []string{"month", "day", "hour"}}, Doc: "Counts begin again with each; instead of for."},
		yamldoc.Key{Name: "durable", Shape: boolean, Doc: "Survives a restart."},
		yamldoc.Key{Name: "if_down", Shape: &yamldoc.Shape{Form: yamldoc.EnumForm, Enum: []string{"refuse", "allow"}}, Doc: "What steps that need it do when the store is down; without it, refuse."},
		yamldoc.Key{Name: "personal", Shape: boolean, Doc: "Holds personal data: sealed, never shown."},
	)
}

func limitsShape() *yamldoc.Shape {
	return object("limits", "What one request may take.",
		yamldoc.Key{Name: "body", Shape: sizeOrEnv, Doc: "The largest body; without it, " + defaultBody + ". What is large of the requests that are arriving is 64MB at most in all, or eight times this: above it they are answered `unavailable`."},
		yamldoc.Key{Name: "header", Shape: sizeOrEnv, Doc: "The largest header; without it, " + defaultHeader + "."},
		yamldoc.Key{Name: "read_timeout", Shape: durationOrEnv, Doc: "How long a request may take to arrive; without it, " + defaultReadTimeout + "."},
		yamldoc.Key{Name: "idle_timeout", Shape: durationOrEnv, Doc: "How long a kept connection may be without a request; without it, " + defaultKeepAlive + "."},
		yamldoc.Key{Name: "connections", Shape: intOrEnv, Doc: "How many connections at once: at that number a new one takes the place of the one that has waited longest for a request, or is answered `unavailable` when all are being answered. Without it, " + defaultConnections + "."},
		yamldoc.Key{Name: "fuel", Shape: intOrEnv, Doc: "How much work its expressions may do, counted in elements of lists; without it, " + defaultFuel + "."},
		yamldoc.Key{Name: "each", Shape: intOrEnv, Doc: "How many elements a step may be repeated for; without it, " + defaultEach + "."},
		yamldoc.Key{Name: "sign_in", Doc: "When an address that signs in wrongly again and again has to wait.", Shape: object("sign-in limit", "When an address that signs in wrongly again and again has to wait.",
			yamldoc.Key{Name: "failures", Shape: intOrEnv, Doc: "So many wrong sign-ins from one address; one alone is enough for an address while so many come for one caller, wherever from. Without it, " + defaultWrong + "."},
			yamldoc.Key{Name: "per", Shape: durationOrEnv, Doc: "Within this time; without it, " + defaultWrongPer + "."},
			yamldoc.Key{Name: "pause", Shape: durationOrEnv, Doc: "How long it is answered `limited` then; an address from which somebody has signed in never is. Without it, " + defaultWrongPause + "."},
		)},
	)
}

package contract

import "github.com/emenda-gateway/emenda/internal/yamldoc"

// The texts that keys with a place but no meaning are refused with.
const (
	noServers   = "not read: a backend's host comes from gateway.yaml alone, so that no contract can send requests elsewhere"
	noSecurity  = "not read: x-emenda-sign-in says how the gateway signs in, x-emenda-token which operations carry the token"
	noCallbacks = "not understood: a mapping of its own takes what the backend sends"
	noNullable  = `OpenAPI 3.0's word: write type: [string, "null"]`
	noStyle     = "not understood: lists in a query repeat their name"
)

// Shape is what a contract file may hold: the one table its reader, its
// checks and docs/contracts.md come from. It is a subset of OpenAPI 3.1; every
// other key is an error.
var Shape = shapes.contract

// SectionShape is what the other files of a contract that is a folder may hold.
var SectionShape = shapes.section

var shapes = contractShapes()

// object makes a shape with these keys.
func object(name, doc string, keys ...yamldoc.Key) *yamldoc.Shape {
	return &yamldoc.Shape{Name: name, Form: yamldoc.ObjectForm, Doc: doc, Keys: keys}
}

func key(name string, s *yamldoc.Shape, doc string) yamldoc.Key {
	return yamldoc.Key{Name: name, Shape: s, Doc: doc}
}

func must(name string, s *yamldoc.Shape, doc string) yamldoc.Key {
	return yamldoc.Key{Name: name, Shape: s, Doc: doc, Required: true}
}

func later(name, words string) yamldoc.Key {
	return yamldoc.Key{Name: name, Shape: anything, Doc: "Refused.", Later: words}
}

func mapOf(name, doc string, elem *yamldoc.Shape) *yamldoc.Shape {
	return &yamldoc.Shape{Name: name, Form: yamldoc.MapForm, Doc: doc, Elem: elem}
}

func listOf(elem *yamldoc.Shape) *yamldoc.Shape {
	return &yamldoc.Shape{Form: yamldoc.ListForm, Elem: elem}
}

func enum(words ...string) *yamldoc.Shape {
	return &yamldoc.Shape{Form: yamldoc.EnumForm, Enum: words}
}

var (
	anything = &yamldoc.Shape{Form: yamldoc.AnyForm}
	text     = &yamldoc.Shape{Form: yamldoc.TextForm}
	name     = &yamldoc.Shape{Form: yamldoc.NameForm}
	whole    = &yamldoc.Shape{Form: yamldoc.IntForm}
	number   = &yamldoc.Shape{Form: yamldoc.NumberForm}
	boolean  = &yamldoc.Shape{Form: yamldoc.BoolForm}
)

// fieldName is what a field may be called that sign-in sets: a plain step of a path.
const fieldName = `^[A-Za-z_][A-Za-z0-9_-]*$`

var typeNames = []string{"string", "integer", "number", "boolean", "array", "object", "null"}

func contractShapes() (all struct{ contract, section *yamldoc.Shape }) {
	schema := schemaShape()
	example := object("example", "A documented example.",
		key("$ref", text, "An example of components."),
		key("summary", text, "What it shows."),
		key("description", text, "More about it."),
		key("value", anything, "The example itself."),
		key("x-emenda-exception", text, "Why it does not fit its schema, as it was documented; one that fits needs no reason."),
	)
	examples := mapOf("examples", "Documented examples by name; mapping tests answer with `example: NAME`.", example)
	media := object("media type", "The body in one media type.",
		key("schema", schema, "What the body must fit."),
		key("example", anything, "One documented example; its name is `example`."),
		key("examples", examples, "Documented examples, each by its name."),
	)
	content := mapOf("content", "Bodies by media type; exactly one.", media)
	content.Min = 1
	param := object("parameter", "A parameter of a path, a query or a header.",
		key("$ref", text, "A parameter of components."),
		key("name", name, "Its name on the wire."),
		key("in", enum("path", "query", "header"), "Where it goes."),
		key("description", text, "What it is."),
		key("required", boolean, "It must be given; path parameters always must."),
		key("deprecated", boolean, "A note; nothing else."),
		key("schema", schema, "What it must fit: a scalar, in a query also a list of scalars."),
		key("example", anything, "A documented value, of every example of the operation."),
		key("examples", examples, "Documented values by the name of the example they belong to."),
		key("x-emenda-exception", text, "Why a secret goes into the URL: the backend wants it there. Mappings may then send one so."),
		later("style", noStyle), later("explode", noStyle),
	)
	body := object("request body", "The body of a request.",
		key("$ref", text, "A request body of components."),
		key("description", text, "What it is."),
		key("required", boolean, "It must be given."),
		key("content", content, "application/json or application/x-www-form-urlencoded."),
	)
	response := object("response", "An answer by status.",
		key("$ref", text, "A response of components."),
		key("description", text, "When it comes."),
		key("content", content, "application/json, text/plain or application/pdf; left out when no body is expected."),
		key("x-emenda-source", enum("documented", "inferred"),
			"`documented` (default): an unknown field is an error; `inferred`: read off examples, an unknown field is a warning."),
	)
	responses := mapOf("responses", "Answers by exact status.", response)
	responses.Pattern, responses.KeyDoc, responses.Min = `^[1-5][0-9][0-9]$`, "an exact status such as \"200\"", 1
	outcomes := listOf(object("outcome", "A rule that says what an answer means; the first that holds counts.",
		must("when", &yamldoc.Shape{Form: yamldoc.ConditionForm},
			"Bare expression over `answer` (the body; rules that read it are passed over when it cannot be read) and `status`."),
		must("is", enum("ok", "refused", "failed", "unknown"), "What the answer means; `failed` of an operation that changes something is taken at its word, `unknown` of one that changes nothing is `failed`."),
		key("class", name, "Class of the refusal or failure; left out, `business`, of `unknown` `bad_answer`."),
		key("message", &yamldoc.Shape{Form: yamldoc.ValueForm}, "The backend's words: a value with ${} over `answer` and `status`."),
	))
	duration := &yamldoc.Shape{Form: yamldoc.DurationForm}
	condition := &yamldoc.Shape{Form: yamldoc.ConditionForm}
	credentials := object("credentials", "The fields of the body that say which end customer calls.",
		must("user", name, "The field with the user's name."),
		must("password", name, "The field with the password; it is secret."),
	)
	operation := object("operation", "One operation.",
		key("when", condition, "In x-emenda-operations, and needed there: a bare expression over `query` and `body` of a request; it is this operation if none before it is."),
		must("operationId", name, "Its name, unique in the contract: `orders.read`."),
		key("summary", text, "What it does."),
		key("description", text, "More about it."),
		key("tags", listOf(text), "Notes; nothing else."),
		key("deprecated", boolean, "A note; nothing else."),
		key("parameters", listOf(param), "Its parameters."),
		key("requestBody", body, "Its body."),
		must("responses", responses, "Its answers; those of status 2xx say what a good one is."),
		must("x-emenda-changes", boolean, "Whether it changes anything; what changes something is never sent twice. The method says nothing about it."),
		key("x-emenda-token", boolean, "It carries the fetched token."),
		key("x-emenda-outcomes", outcomes, "What its answers mean, before the contract's own rules."),
		key("x-emenda-good", condition, "Bare expression over `answer`: what a good answer of status 2xx fulfils. One that no rule knows and that does not is `unknown`, of an operation that changes nothing `failed`."),
		key("x-emenda-failures", examples, "Documented answers that are none of the good ones; the rules must know them, whatever their status."),
		key("x-emenda-credentials", credentials, "The body carries an end customer's user name and password."),
		key("x-emenda-cacheable", duration, "How long an answer may be kept for all; only where nothing changes and nothing is secret."),
		later("security", noSecurity), later("servers", noServers), later("callbacks", noCallbacks),
	)
	variants := mapOf("variants", "Operations that share a method and path, by method: two or more.", listOf(operation))
	variants.Pattern, variants.KeyDoc = `^(get|put|post|delete|patch)$`, "a method: get, put, post, delete or patch"
	item := object("path", "The operations of one path.",
		key("summary", text, "A note."),
		key("description", text, "A note."),
		key("parameters", listOf(param), "Parameters of all operations of the path."),
		key("get", operation, "GET."), key("put", operation, "PUT."), key("post", operation, "POST."),
		key("delete", operation, "DELETE."), key("patch", operation, "PATCH."),
		key("x-emenda-operations", variants, "Several operations of one method; the first whose `when` holds is meant."),
		later("servers", noServers),
	)
	paths := mapOf("paths", "Paths below the backend's URL.", item)
	paths.Pattern, paths.KeyDoc = `^/.*$`, "a path beginning with /"
	tokenBody := mapOf("token's body", "The body that a token is obtained with.", text)
	tokenBody.Min, tokenBody.Pattern, tokenBody.KeyDoc = 1, fieldName, "a field of the body: letters, digits, _ and -"
	token := object("token", "A token fetched with an operation, or known from the start, and sent in a header or in a field of the body.",
		key("header", name, "The header it goes in; this or `field`."),
		key("field", &yamldoc.Shape{Form: yamldoc.NameForm, Pattern: fieldName}, "The field of the body it goes in, set as those of `body`; in place of `header`."),
		key("placeholder", &yamldoc.Shape{Form: yamldoc.NameForm, Pattern: `^_[A-Z0-9_]+_$`}, "What stands in `field` of text templates where the token goes, _NAME_: mappings need not declare it."),
		key("prefix", text, "Stands before the token, e.g. \"Bearer \"."),
		key("first", name, "Sign-in variable that may hold the first token, to be used until another takes its place; this or `obtain`, or both."),
		key("obtain", name, "The operation that gives a token."),
		key("with", tokenBody, "The body that `obtain` is asked with: texts, and sign-in variables as ${NAME}."),
		key("renew", name, "The operation that renews one; tried once, then `obtain`."),
		key("value", &yamldoc.Shape{Form: yamldoc.ValueForm}, "The token, read from `answer` of `obtain` and `renew`; needed with them."),
		key("next", &yamldoc.Shape{Form: yamldoc.ValueForm}, "The token that holds from then on, read from `answer` of any request that carried one; most answers have none. An answer of class sign_in then refuses the token."),
		key("life", &yamldoc.Shape{Form: yamldoc.DurationForm}, "How long a token lives whose expiry cannot be read; 1h when left out."),
	)
	bodyFields := mapOf("body fields", "Sign-in variables by the field that carries them.", name)
	bodyFields.Min, bodyFields.Pattern, bodyFields.KeyDoc = 1, fieldName, "a field of the body: letters, digits, _ and -"
	headerFields := mapOf("header fields", "Sign-in variables by the header field that carries them.", name)
	headerFields.Min, headerFields.Pattern, headerFields.KeyDoc = 1, `^[A-Za-z][A-Za-z0-9-]*$`, "a header field: letters, digits and -"
	signIn := object("sign-in", "How the backend knows the gateway; the values come from gateway.yaml.",
		key("basic", object("basic", "HTTP Basic on every operation.",
			must("user", name, "Sign-in variable with the user."),
			must("password", name, "Sign-in variable with the password.")), "HTTP Basic on every operation."),
		key("header", headerFields, "Sign-in variables by the header field that carries them, as they are, on every operation: `{ Authorization: key }` sends a key without a word before it. No mapping, test, explanation or log sees them."),
		key("body", bodyFields, "Sign-in variables by the field that carries them, in the body of every operation that has one. They are set when the request is sent, over what it may have there: no mapping, test, explanation or log sees them."),
		key("token", token, "A token on operations with x-emenda-token."),
		key("signature", object("signature", "Every request is signed: HMAC-SHA-256 of its timestamp (seconds since 1970, in digits), a full stop and its body as it is sent, in hexadecimal digits.",
			must("key", name, "Sign-in variable with the key, the bytes of its text."),
			must("header", name, "The header field that the signature goes in."),
			must("timestamp", name, "The header field that the timestamp goes in; each attempt has its own."),
			key("prefix", text, "Stands before the signature, e.g. \"sha256=\"."),
		), "A signature on every operation, over a timestamp and the body: who has the key knows who sent it, that it is whole, and when."),
	)
	components := object("components", "Parts that `$ref` names, `#/components/schemas/Name` and so on.",
		key("schemas", mapOf("schemas", "Schemas.", schema), "Schemas by name."),
		key("parameters", mapOf("parameters", "Parameters.", param), "Parameters by name."),
		key("requestBodies", mapOf("request bodies", "Bodies.", body), "Request bodies by name."),
		key("responses", mapOf("components' responses", "Responses.", response), "Responses by name."),
		key("examples", examples, "Examples by name."),
		later("securitySchemes", noSecurity),
	)
	info := object("info", "About the contract.",
		must("title", text, "Its title."),
		must("version", text, "Version of what it describes."),
		key("description", text, "More about it."),
	)
	all.contract = object("contract", "A backend's contract: a subset of OpenAPI 3.1 with x-emenda extensions.",
		must("openapi", text, "3.1.0 or another 3.1."),
		must("x-emenda", whole, "1, the version of the extensions."),
		must("info", info, "About the contract."),
		key("tags", listOf(object("tag", "A note.", must("name", name, "Its name."), key("description", text, "A note."))), "Notes; nothing else."),
		key("x-emenda-sign-in", signIn, "How the backend knows the gateway."),
		key("x-emenda-outcomes", outcomes, "What answers of all operations mean, after an operation's own rules and before HTTP's."),
		key("x-emenda-objects", mapOf("objects", "What belongs to somebody.", text), "Kinds of things that fields name (x-emenda-names), each with a word about it."),
		key("paths", paths, "The operations. Needed, unless the contract is a folder and its sections hold them."),
		key("components", components, "Parts used in several places, in all files of the contract."),
		later("servers", noServers), later("security", noSecurity), later("webhooks", noCallbacks),
	)
	all.section = object("section", "A part of a contract that is a folder, contracts/NAME/, beside the file that begins with openapi.",
		must("x-emenda-section", name, "Its title: the tag of its operations that name none."),
		key("description", text, "More about it."),
		key("paths", paths, "Operations."),
		key("components", components, "Parts, for all files of the contract."),
	)
	return all
}

// schemaShape is the JSON Schema words that are understood.
func schemaShape() *yamldoc.Shape {
	s := object("schema", "What a value must be: a subset of JSON Schema 2020-12.")
	oneType := enum(typeNames...)
	s.Keys = []yamldoc.Key{
		key("$ref", text, "A schema of components; only description, x-emenda-secret, x-emenda-names and x-emenda-required-when may stand beside it."),
		key("type", &yamldoc.Shape{Form: yamldoc.AltForm, Alts: []*yamldoc.Shape{oneType, listOf(oneType)}},
			`One type or a list of types; "null" in the list: the value may be null.`),
		key("title", text, "A note."),
		key("description", text, "A note."),
		key("deprecated", boolean, "A note."),
		key("properties", mapOf("properties", "Fields of an object.", s), "Fields of an object."),
		key("required", listOf(text), "Fields that are always there."),
		key("additionalProperties", boolean, "true: other fields may be there; an object with properties is closed when left out."),
		key("items", s, "What each element is."),
		key("enum", listOf(anything), "The only values possible."),
		key("const", anything, "The only value possible."),
		key("format", text, "A note on a text: date, a date pattern such as dd-MM-yyyy, email …"),
		key("pattern", text, "What a text must match (RE2)."),
		key("minLength", whole, "Fewest characters."), key("maxLength", whole, "Most characters."),
		key("minimum", number, "Least number."), key("maximum", number, "Greatest number."),
		key("exclusiveMinimum", number, "A number below all."), key("exclusiveMaximum", number, "A number above all."),
		key("minItems", whole, "Fewest elements."), key("maxItems", whole, "Most elements."),
		key("anyOf", listOf(s), "One of these at least; its type is not known when loading."),
		key("oneOf", listOf(s), "Exactly one of these; its type is not known when loading."),
		key("default", anything, "A note: what the backend takes when the value is left out."),
		key("example", anything, "A note; not checked."), key("examples", listOf(anything), "Notes; not checked."),
		key("x-emenda-required-when", &yamldoc.Shape{Form: yamldoc.ConditionForm}, "Bare expression over the request's `body` and `query`: when it holds, the field must be there."),
		key("x-emenda-names", name, "The value names one of x-emenda-objects: whose data it is."),
		key("x-emenda-max-bytes", &yamldoc.Shape{Form: yamldoc.SizeForm}, "Most bytes that the base64 text may hold when decoded."),
		key("x-emenda-secret", boolean, "Secret: flows only into fields so marked; never into logs, memory, URLs, replies."),
		later("nullable", noNullable),
	}
	return s
}

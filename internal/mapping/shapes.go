package mapping

import "github.com/emenda-gateway/emenda/internal/yamldoc"

// Version is the language version files begin with: `emenda: 1`.
const Version = "1"

// The tables of keys: reading, docs/mapping.md and the JSON Schema come from them.
var (
	// MappingShape is a file with `route:`.
	MappingShape = mappingShape()
	// FlowShape is a file with `flow:`.
	FlowShape = flowShape()
	// FormShape is a file with `form:`.
	FormShape = formShape()
	// DialectShape is a file with `dialect:`.
	DialectShape = dialectShape()
	// TableShape is a file with `table:`.
	TableShape = tableShape()
	// ExposeShape is a file with `expose:`.
	ExposeShape = exposeShape()
)

// Shapes that are the same wherever they stand.
var (
	text      = &yamldoc.Shape{Form: yamldoc.TextForm}
	texts     = &yamldoc.Shape{Form: yamldoc.ListForm, Elem: text}
	scalar    = &yamldoc.Shape{Form: yamldoc.ScalarForm}
	integer   = &yamldoc.Shape{Form: yamldoc.IntForm}
	number    = &yamldoc.Shape{Form: yamldoc.NumberForm}
	boolean   = &yamldoc.Shape{Form: yamldoc.BoolForm}
	name      = &yamldoc.Shape{Form: yamldoc.NameForm}
	duration  = &yamldoc.Shape{Form: yamldoc.DurationForm}
	condition = &yamldoc.Shape{Form: yamldoc.ConditionForm}
	value     = &yamldoc.Shape{Form: yamldoc.ValueForm}
	anything  = &yamldoc.Shape{Form: yamldoc.AnyForm}
)

// identifier is what names in expressions look like.
const identifier = `^[A-Za-z_][A-Za-z0-9_]*$`

// placeholderName is what the placeholders of text templates look like.
const placeholderName = `^_[A-Z0-9_]+_$`

func key(name string, s *yamldoc.Shape, doc string) yamldoc.Key {
	return yamldoc.Key{Name: name, Shape: s, Doc: doc}
}

func required(k yamldoc.Key) yamldoc.Key {
	k.Required = true
	return k
}

func object(name, doc string, keys ...yamldoc.Key) *yamldoc.Shape {
	return &yamldoc.Shape{Name: name, Form: yamldoc.ObjectForm, Doc: doc, Keys: keys}
}

func mapOf(elem *yamldoc.Shape, pattern, keyDoc string) *yamldoc.Shape {
	return &yamldoc.Shape{Form: yamldoc.MapForm, Elem: elem, Pattern: pattern, KeyDoc: keyDoc}
}

func listOf(elem *yamldoc.Shape) *yamldoc.Shape {
	return &yamldoc.Shape{Form: yamldoc.ListForm, Elem: elem}
}

func enum(values ...string) *yamldoc.Shape {
	return &yamldoc.Shape{Form: yamldoc.EnumForm, Enum: values}
}

func oneOf(alts ...*yamldoc.Shape) *yamldoc.Shape {
	return &yamldoc.Shape{Form: yamldoc.AltForm, Alts: alts}
}

func versionKey() yamldoc.Key {
	return required(key("emenda", scalar, "The version of the language; the first key of every file."))
}

func summaryKey() yamldoc.Key {
	return key("summary", text, "What the file is for, in one line; shown by `emenda routes` and in the docs.")
}

var httpMethods = []string{"GET", "POST", "PUT", "PATCH", "DELETE"}

func mappingShape() *yamldoc.Shape {
	return object("mapping", "A mapping says how a request becomes requests to backends and an answer.",
		versionKey(),
		summaryKey(),
		required(key("route", oneOf(routeShape(), routeList()), "Where requests come in: one route, or a list of them, each of a dialect of its own, whose callers all have the same done. Of a durable mapping one caller's orders are its own, whatever the route.")),
		key("input", inputShape(), "The fields a request may bring, with JSON Schema's words."),
		key("rules", listOf(ruleShape()), "What must hold between fields; all faults are told at once."),
		key("let", letShape(), "Named values, computed once, when first used."),
		key("steps", stepsShape(), "The calls and what lies between them."),
		key("reply", repliesShape(), "The answers: the first whose `when` holds once all steps settled; the last has no `when`. A durable mapping has none: `order.accepted` is its answer."),
		key("mode", enum("durable"), "`durable`: a request begins an order, whose steps run one by one, each recorded, through crashes and restarts, until all is done or all is undone."),
		key("order", orderShape(), "What makes two requests the same order, how long it may take, and what is answered and shown."),
		key("finally", stepsShape(), "Steps that run at every end of an order, whatever its state."),
		key("tests", testsShape(false), "Requests, the backends' answers and what must come back; run by `emenda test` and before every reload."),
	)
}

func flowShape() *yamldoc.Shape {
	return object("flow", "A flow is steps that mappings share: called like an operation, as `flows.NAME`.",
		versionKey(),
		required(key("flow", name, "The flow's name.")),
		summaryKey(),
		key("input", inputShape(), "What callers give in `with:`."),
		key("let", letShape(), "Named values, computed once, when first used."),
		key("steps", stepsShape(), "The calls and what lies between them."),
		required(key("result", value, "The value calls of the flow answer with.")),
		key("tests", testsShape(true), "Inputs, the backends' answers and the result that must come out."),
	)
}

func formShape() *yamldoc.Shape {
	return object("form", "A form is what several mappings take and check alike: `input: { form: NAME }` takes its input, its lets and its rules.",
		versionKey(),
		required(key("form", name, "The form's name.")),
		summaryKey(),
		key("input", inputShape(), "The fields a request may bring, with JSON Schema's words."),
		key("rules", listOf(ruleShape()), "What must hold between fields; all faults are told at once."),
		key("let", letShape(), "Named values, computed once, when first used."),
	)
}

func routeShape() *yamldoc.Shape {
	return object("route", "How requests reach the mapping.",
		key("path", text, "The path below the dialect's prefixes, / for a prefix itself; `{name}` takes a segment as the input field of that name."),
		required(key("dialect", name, "The dialect callers speak here.")),
		key("method", oneOf(enum(httpMethods...), listOf(enum(httpMethods...))), "The method or methods; without it, the dialect's."),
		key("timeout", duration, "How long a request may take in all; without it, 30s."),
		key("needs", text, "The permission a caller must have; without it, `<dialect>.<path>`."),
		key("errors", errorsShape(), "Replaces single kinds of the dialect's errors."),
		key("repeat", object("repeat", "Which requests are repeats: once something that changes was sent, they get the first answer.",
			required(key("key", value, "What makes two requests of one caller the same; without a value, bad input.")),
			required(key("for", duration, "How long the first answer is given.")),
		), "Gives a repeated request the first answer: while that one is under way it waits, and what was sent is not sent again."),
		key("operation", text, "An operation, as `backend.operation`, in whose place the mapping stands: its method and path are the route's, what it takes is the input unless `input` says otherwise."),
	)
}

func routeList() *yamldoc.Shape {
	s := listOf(routeShape())
	s.Min = 1
	return s
}

func orderShape() *yamldoc.Shape {
	return object("order", "What a durable mapping says of its orders.",
		required(key("key", value, "What makes two requests of one caller the same order; the same key with another body is refused.")),
		required(key("deadline", duration, "How long an order may take in all; what still runs then is undone, or held for people.")),
		key("subject", value, "The documents of the people an order is about, a text or a list: `emenda privacy` finds it by them."),
		key("shows", value, "What is shown of an order while it runs and afterwards; steps that have not settled have no value."),
		required(key("accepted", object("accepted", "The answer to who begins an order, and to who sends it again.",
			key("status", integer, "The HTTP status; without it, 202."),
			key("header", mapOf(value, "", ""), "Header fields."),
			key("json", value, "The body, as JSON; `order` holds id and state."),
			key("type", text, "The Content-Type; without it, application/json."),
		), "The answer to who begins an order, and to who sends it again. `Prefer: wait=N` waits so many seconds for the order's end first.")),
	)
}

func letShape() *yamldoc.Shape {
	return mapOf(value, identifier, "a name: letters, digits and _")
}

func ruleShape() *yamldoc.Shape {
	return object("rule", "Something that must hold for the input.",
		required(key("that", condition, "A bare condition over `input`, `caller` and `let` names made of them.")),
		required(key("else", value, "The message when it does not hold; in a dialect with `languages`, one for each of them.")),
		key("at", value, "JSON Pointer of the field the message is about."),
		key("code", name, "A word for programs, which stays when the message changes; without it, `rule`."),
		key("each", value, "A list: the rule must hold for each element, and is told for each for which it does not."),
		key("as", name, "The name of the element in the rule."),
		key("level", enum("error", "warn"), "`warn` adds to `warnings` instead, and is an error for strict callers."),
	)
}

func inputShape() *yamldoc.Shape {
	// `schema: file.json` and `form: name` are texts under these keys; fields are maps.
	schema := &yamldoc.Shape{Name: "schema file", Form: yamldoc.TextForm}
	return mapOf(oneOf(fieldShape(), schema), "", "")
}

func fieldShape() *yamldoc.Shape {
	field := object("input field", "One field of the input.")
	field.Keys = []yamldoc.Key{
		required(key("type", enum("string", "integer", "number", "boolean", "array", "object"), "The kind of value; text that spells one is converted.")),
		key("format", name, "A named format (a plugin's): checks the text and puts it in normal form."),
		key("required", boolean, "The field must have a value."),
		key("default", anything, "The value when none is given."),
		key("names", texts, "The names the field is accepted under, the preferred one first."),
		key("enum", listOf(scalar), "The only values allowed."),
		key("pattern", text, "What the text must match (RE2)."),
		key("minimum", number, "The smallest number allowed."),
		key("maximum", number, "The greatest number allowed."),
		key("minLength", integer, "The fewest characters allowed."),
		key("maxLength", integer, "The most characters allowed."),
		key("items", field, "What the elements of an array are."),
		key("properties", mapOf(field, "", ""), "The fields of an object."),
		key("echo", boolean, "Sent back as it came; no part of what makes a repeated request the same."),
		key("secret", boolean, "Flows only into fields so marked: never into logs, memory, URLs, replies."),
	}
	return field
}

func repliesShape() *yamldoc.Shape {
	s := listOf(object("reply", "One answer.",
		key("when", condition, "A bare condition; every reply but the last has one."),
		key("status", integer, "The HTTP status, 100 to 599; without it, 200."),
		key("header", mapOf(value, "", ""), "Header fields."),
		key("json", value, "The body, as JSON."),
		key("text", value, "The body, as text."),
		key("file", text, "The body: a file of the mappings folder, byte for byte."),
		key("type", text, "The Content-Type; without it, what json, text or file say."),
		key("patch", value, "A document to pass on, with the changes of `set` and `delete`."),
		key("set", mapOf(value, "", ""), "Paths of the patched document and their new values."),
		key("delete", texts, "Paths to drop from the patched document."),
	))
	s.Min = 1
	return s
}

package mapping

import "github.com/emenda-gateway/emenda/internal/yamldoc"

func testsShape(flow bool) *yamldoc.Shape {
	entries := mapOf(listOf(object("memory entry", "One remembered value.",
		required(key("key", anything, "The entry's key.")),
		required(key("value", anything, "The value; of a count, the number.")),
	)), "", "")
	keys := []yamldoc.Key{
		required(key("name", text, "What the test shows.")),
		key("now", scalar, "The time of the request (RFC 3339)."),
		key("memory", entries, "What is remembered before."),
		key("store", enum(StoreIsDown, StoreIsLost), "The store cannot be reached: at all (`down`), or from when the request has begun (`lost`)."),
		key("upstream", listOf(testCallShape()), "The calls that must be made and their answers: those of one operation in order; one too many or too few fails."),
		key("after", entries, "What must be remembered afterwards."),
		key("events", listOf(object("event", "An event that comes.",
			required(key("event", name, "Its name.")),
			required(key("key", scalar, "What it is about.")),
			key("body", anything, "Its body."),
		)), "Events that waits meet; a wait that meets none runs out."),
		key("decisions", listOf(enum("retry", "continue", "undo")), "What people decide of what is held for them, one after the other; after the last, nobody decides."),
	}
	if flow {
		keys = append(keys,
			key("input", anything, "The flow's input."),
			key("result", anything, "The result that must come out, exactly."),
			key("refused", boolean, "The flow must end refused."),
			key("message", text, "What the flow must say where it does not end ok."),
			key("state", enum("ok", "refused", "failed", "unknown"), "The state the flow must end in."),
		)
	} else {
		keys = append(keys,
			key("caller", name, "A caller of gateway.yaml, as whom the request is made without its credentials."),
			required(key("request", testRequestShape(), "The request.")),
			required(key("reply", testReplyShape(), "What must come back.")),
			key("again", listOf(object("further request", "A request after the first one, which finds what that left.",
				key("caller", name, "Who makes it; without it, the first one's caller."),
				required(key("request", testRequestShape(), "The request.")),
				required(key("reply", testReplyShape(), "What must come back.")),
			)), "Further requests, one after the other: repeats, and what is like them."),
			key("order", object("expected order", "How the order of the first request must end.",
				required(key("state", enum("done", "undone", "stuck", "held", "none"), "Its state; `none`: no order is begun.")),
				key("undone", texts, "The steps that were undone, in their order; those of flows as flow/step, of an each as step[0]."),
				key("left", texts, "The steps that are left for people."),
				key("step", text, "The step that ended it."),
				key("class", text, "The class of what ended it."),
				key("shows", anything, "Members of what is shown at the end, at least."),
				key("key", anything, "What makes another request the same order (order.key), exactly."),
				key("subject", texts, "Whom it is about (order.subject), exactly."),
			), "How the order must end: of durable mappings."),
		)
	}
	return listOf(object("test", "One test.", keys...))
}

func testReplyShape() *yamldoc.Shape {
	return object("expected reply", "What must come back.",
		key("status", integer, "The HTTP status."),
		key("json", anything, "The body, exactly."),
		key("contains", anything, "Members the body must have at least."),
		key("text", text, "The body, byte for byte."),
		key("header", mapOf(scalar, "", ""), "Header fields that must be there."),
	)
}

func testRequestShape() *yamldoc.Shape {
	return object("test request", "The request of a test.",
		key("method", enum(httpMethods...), "The method; without it, the route's first."),
		key("path", text, "The whole path; without it, the route's, below the dialect's first prefix."),
		key("header", mapOf(scalar, "", ""), "Header fields."),
		key("query", mapOf(scalar, "", ""), "Query fields."),
		key("form", mapOf(anything, "", ""), "Fields of an application/x-www-form-urlencoded body."),
		key("multipart", mapOf(anything, "", ""), "Fields of a multipart/form-data body."),
		key("json", anything, "A JSON body; `{ $file: testdata/x.json }` takes a file."),
		key("body", text, "A raw body."),
		key("times", integer, "How often the request is sent, one after the other."),
	)
}

func testCallShape() *yamldoc.Shape {
	return object("upstream call", "One call a backend must see.",
		required(key("call", name, "The operation; of a `request`, what it says in one: `files GET /v1/items/{id}`.")),
		key("expect", object("expected call", "What the call must bring, at least.",
			key("with", mapOf(anything, "", ""), "Parameters."),
			key("body", anything, "Members the body must have at least."),
			key("exactly", anything, "The whole body: nothing else is sent."),
		), "What the call must bring, at least."),
		required(key("answer", object("answer", "What the backend answers.",
			key("status", integer, "The HTTP status; without it, 200."),
			key("json", anything, "A JSON body; `{ $file: testdata/x.json }` takes a file."),
			key("text", text, "A body of text, whatever it is."),
			key("example", text, "An example of the contract, by name."),
			key("fail", enum(failNames...), "No answer: what went wrong instead."),
		), "What the backend answers.")),
		key("times", integer, "How often the call is made so; without it, once."),
	)
}

// How a test can do without the store.
const (
	StoreIsDown = "down"
	StoreIsLost = "lost"
)

// failNames are the ways a backend of a test can fail.
var failNames = []string{"timeout", "broken", "refused", "failed", "unavailable"}

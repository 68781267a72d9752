package mapping

import (
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

func stepsShape() *yamldoc.Shape {
	return mapOf(stepShape(), identifier, "a step's name: letters, digits and _")
}

// actionKeys are what a step and a case of a switch can do.
func actionKeys() []yamldoc.Key {
	return []yamldoc.Key{
		key("call", name, "The operation (`backend.operation`) or flow (`flows.name`) to call."),
		key("request", requestShape(), "A request to a backend without a contract."),
		key("with", value, "The operation's parameters, the values of the request's path, or the flow's input."),
		key("body", value, "The request's body."),
		key("template", text, "A text file of the mappings folder with `_NAME_` placeholders that becomes the body."),
		key("vars", mapOf(value, placeholderName, "a placeholder: _NAME_"), "The values of the template's placeholders."),
		key("patch", value, "A document to pass on as the body, with the changes of `set` and `delete`."),
		key("set", mapOf(value, "", ""), "Paths of the patched document and their new values."),
		key("delete", texts, "Paths to drop from the patched document."),
		key("recall", name, "The memory to read; of a count, the number (0 when there is none)."),
		key("remember", name, "The memory to write."),
		key("key", value, "The key of recall or remember."),
		key("value", value, "The value to remember."),
		key("use", value, "The value that becomes the step's body, without a call."),
		key("fail", value, "Ends the run as refused, with this text."),
		key("wait", object("wait", "Waits for an event.",
			required(key("event", name, "The event's name.")),
			required(key("key", value, "What the event is about: a text or a number.")),
			required(key("for", duration, "How long to wait; then the step is failed, class timeout.")),
		), "In durable mappings: waits for an event that `orders.emit` tells, which may come first; its body is the step's."),
		key("sleep", duration, "In durable mappings: waits for a time."),
	}
}

func lookupShape() *yamldoc.Shape {
	return object("lookup", "Finds out whether a call took effect whose answer was lost.",
		required(key("call", name, "The operation or flow that looks; it changes nothing.")),
		key("with", value, "Its parameters, or the flow's input."),
		key("body", value, "Its body."),
		required(key("found", value, "What shows that the call took effect, made of `answer`; without value, it did not.")),
		key("use", value, "The step's body then, made of `found`; without it, what was found."),
		key("after", duration, "How long a lost call is given to take effect before it is looked for; without it, 5s."),
	)
}

func undoShape() *yamldoc.Shape {
	return object("undo", "What takes a step back. It is made again when its answer was lost: to take back twice must do no harm.",
		key("when", condition, "A bare condition; when it does not hold, nothing is to be taken back."),
		required(key("call", name, "The operation or flow that takes it back.")),
		key("with", value, "Its parameters, or the flow's input."),
		key("body", value, "Its body."),
		key("retry", retryShape(), "How often it is tried; without it, 4 times, 15s apart."),
	)
}

func retryShape() *yamldoc.Shape {
	return object("retry", "Repeats attempts.",
		key("times", integer, "How many attempts more."),
		key("every", duration, "The pause between two; without it, 100ms."),
		key("for", duration, "In durable mappings, in the place of times: how long it is tried."),
	)
}

func stepShape() *yamldoc.Shape {
	keys := []yamldoc.Key{
		key("when", condition, "A bare condition; when it does not hold, the step is skipped."),
		key("switch", casesShape(), "Several ways to go: the first whose `when` holds; the last has none."),
	}
	keys = append(keys, actionKeys()...)
	keys = append(keys,
		key("each", value, "A list: the step is done once for each element, and its body is the list of answers."),
		key("as", name, "The name of the element in the step's values."),
		key("at_most", integer, "How many elements are under way at once; without it, 1 when something changes, else 8."),
		key("catch", catchShape(), "What happens when the step does not end ok, by class, status, state or `any`."),
		key("timeout", duration, "How long one attempt may take; without it, the backend's."),
		key("retry", retryShape(), "Repeats failed attempts of a call that changes nothing. In durable mappings also of one that changes something, where it surely was not done."),
		key("cache", object("cache", "Keeps ok answers in this process.",
			required(key("key", value, "What tells one answer from another.")),
			required(key("for", duration, "How long an answer is kept.")),
		), "Keeps ok answers of a call that changes nothing."),
		key("claim", object("claim", "Takes one of a limited number before the call; over the limit the step is refused, class limit.",
			required(key("memory", name, "The count it is taken of.")),
			required(key("key", value, "Whose count.")),
			required(key("limit", value, "How many may be taken in all.")),
		), "Takes one of a limited number before something is changed; given back when that is refused or surely not done, kept when its answer is lost."),
		key("after", oneOf(name, listOf(name)), "Steps that must have settled before this one starts."),
		key("parallel", boolean, "A step that changes something no longer waits for the steps above it."),
	)
	keys = append(keys,
		key("idempotency_key", value, "In durable mappings: the value of the header Idempotency-Key, by which the backend knows a repeated call; a call whose answer was lost is then made again."),
		key("lookup", lookupShape(), "In durable mappings: finds out whether a call whose answer was lost took effect."),
		key("undo", oneOf(enum("none"), undoShape()), "In durable mappings: what takes the step back; `none` where nothing does. It sees `answer`, the step's body."),
		key("commit", boolean, "In durable mappings: from this step on nothing is undone; what fails is held for people."),
		key("poll", object("poll", "Repeats a call that only reads until something holds.",
			required(key("until", condition, "A bare condition; `answer` is the call's answer.")),
			required(key("every", duration, "The pause between two calls.")),
			required(key("for", duration, "How long it is tried; then the step is failed, class timeout.")),
		), "In durable mappings: repeats a call that only reads until something holds."),
	)
	return object("step", "One step; its name stands for the answer's body.", keys...)
}

func casesShape() *yamldoc.Shape {
	keys := []yamldoc.Key{
		key("when", condition, "A bare condition; every case but the last has one."),
	}
	keys = append(keys, actionKeys()...)
	keys = append(keys,
		key("skip", boolean, "`true` skips the step."),
	)
	s := listOf(object("case", "One way a switch can go.", keys...))
	s.Min = 1
	return s
}

func catchShape() *yamldoc.Shape {
	s := mapOf(oneOf(
		enum("continue", "hold"), // hold: of durable mappings
		object("catch", "What happens instead.",
			key("use", value, "A value that becomes the step's body; `error` holds class, status, message and, where the backend refused with one, the answer without secrets."),
			key("fail", value, "Ends the run as refused, with this text; `error` holds class, status, message and, where the backend refused with one, the answer without secrets."),
		),
	), "", "")
	s.Min = 1
	return s
}

package mapping

import (
	"fmt"

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
	}
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
		key("retry", object("retry", "Repeats failed attempts of a call that changes nothing.",
			required(key("times", integer, "How many attempts more.")),
			key("every", duration, "The pause between two; without it, 100ms."),
		), "Repeats failed attempts of a call that changes nothing."),
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
	for _, l := range []struct{ name, words, doc string }{
		{"idempotency_key", fmt.Sprintf(laterOrder, "idempotency_key"), "A key that lets a changing call be repeated."},
		{"lookup", fmt.Sprintf(laterOrder, "lookup"), "Finds out whether a lost call took effect."},
		{"undo", fmt.Sprintf(laterOrder, "undo"), "What takes the step back."},
		{"commit", fmt.Sprintf(laterOrder, "commit"), "From here on nothing is undone."},
		{"wait", fmt.Sprintf(laterOrder, "wait"), "Waits for an event."},
		{"emit", fmt.Sprintf(laterOrder, "emit"), "Tells an event to waiting orders."},
		{"poll", fmt.Sprintf(laterOrder, "poll"), "Repeats a reading call until something holds."},
		{"sleep", fmt.Sprintf(laterOrder, "sleep"), "Waits for a time."},
	} {
		keys = append(keys, later(l.name, l.words, l.doc))
	}
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
		enum("continue", "hold"),
		object("catch", "What happens instead.",
			key("use", value, "A value that becomes the step's body; `error` holds class, status, message and, where the backend refused with one, the answer without secrets."),
			key("fail", value, "Ends the run as refused, with this text; `error` holds class, status, message and, where the backend refused with one, the answer without secrets."),
		),
	), "", "")
	s.Min = 1
	return s
}

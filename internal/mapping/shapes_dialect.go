package mapping

import "github.com/emenda-gateway/emenda/internal/yamldoc"

func dialectShape() *yamldoc.Shape {
	return object("dialect", "A dialect is how one family of callers speaks: paths, sign-in, reading, errors.",
		versionKey(),
		required(key("dialect", name, "The dialect's name.")),
		summaryKey(),
		required(key("prefixes", nonEmpty(texts), "What paths of its routes begin with.")),
		required(key("methods", nonEmpty(listOf(enum(httpMethods...))), "The methods of its routes, unless they say otherwise.")),
		key("slash", enum("either", "never", "always"), "Whether paths end with a slash; without it, either. Never answered with a redirect."),
		required(key("read", nonEmpty(listOf(enum(readNames...))), "How input may arrive.")),
		key("charset", nonEmpty(listOf(enum("utf-8", "iso-8859-1"))), "The charsets of received texts, tried in order; without it, utf-8."),
		key("absent", listOf(scalar), "Texts of fields that count as no value."),
		required(key("sign_in", nonEmpty(listOf(signInShape())), "Where credentials are looked for, in this order.")),
		key("cors", corsShape(), "Which pages of other origins may call from a browser; without it, none."),
		required(key("errors", errorsShape(), "The reply to each kind of failure.")),
		key("languages", nonEmpty(texts), "The languages callers may be answered in (BCP 47), the first where they ask for none of them: Accept-Language chooses, Content-Language says which. `messages`, `titles` and the `else` of rules then say each text in all of them."),
		key("messages", mapOf(inLanguages(), "", ""), "A check's keyword and its message; `{field}` is the field's name. `unreadable` is for requests that cannot be read at all, of these `media_type` for a Content-Type or Content-Encoding that is not read, `syntax` for JSON that breaks its rules, at `{line}` and `{column}`."),
		key("titles", mapOf(inLanguages(), "", ""), "A kind of failure and its title, as `error.title`; without one, the status's own words."),
	)
}

// inLanguages is a text, or one for each language.
func inLanguages() *yamldoc.Shape { return oneOf(text, mapOf(text, "", "a language")) }

func nonEmpty(s *yamldoc.Shape) *yamldoc.Shape {
	c := *s
	c.Min = 1
	return &c
}

func signInShape() *yamldoc.Shape {
	fields := func(what string) *yamldoc.Shape {
		return object("sign-in "+what, "The names credentials have there.",
			required(key("token", text, "The "+what+" that holds the token.")),
			key("app", text, "The "+what+" that holds the application's name."),
		)
	}
	return object("sign-in place", "One place credentials may stand.",
		key("body", fields("body field"), "Fields of the body."),
		key("query", fields("query field"), "Fields of the query; they never reach logs."),
		key("header", object("sign-in header", "The names credentials have there.",
			required(key("token", text, "The header that holds the token.")),
			key("scheme", text, "The word before the token: `Token`, `Bearer`."),
			key("app", text, "The header that holds the application's name."),
		), "Header fields."),
	)
}

func errorsShape() *yamldoc.Shape {
	return mapOf(oneOf(
		name,
		object("error reply", "The reply to one kind of failure, or the name of a kind to inherit from.",
			required(key("status", integer, "The HTTP status, 100 to 599.")),
			key("json", value, "The body as JSON; `error` holds kind, title, class, message, fields, errors (each with pointer, code and detail) and, of `forbidden`, the permission that is missing, `request` its id, path and language."),
			key("text", text, "The body, sent byte for byte."),
			key("type", text, "The Content-Type; without it, what json or text say."),
		),
	), "", "")
}

func tableShape() *yamldoc.Shape {
	row := oneOf(mapOf(scalarOrNull(), identifier, "a column: letters, digits and _"), scalar)
	return object("table", "A table of constants, read with `table(\"name\", key)`; keys are text.",
		versionKey(),
		required(key("table", name, "The table's name.")),
		summaryKey(),
		key("unknown", oneOf(mapOf(scalarOrNull(), identifier, "a column: letters, digits and _"), text),
			"What other keys give: `error` (the default), `none`, or a row."),
		required(key("rows", nonEmpty(mapOf(row, "", "")), "The rows by key.")),
	)
}

// scalarOrNull admits every constant a column can hold.
func scalarOrNull() *yamldoc.Shape { return anything }

func exposeShape() *yamldoc.Shape {
	return object("expose", "Offers operations of a backend as they are: checked against its contract, signed in by the gateway, passed on byte for byte.",
		versionKey(),
		summaryKey(),
		required(key("expose", object("exposed contract", "What is offered, in which dialect, to whom.",
			required(key("contract", name, "The backend whose contract it is.")),
			required(key("dialect", name, "The dialect callers speak here; one of its prefixes must begin each path.")),
			required(key("needs", nonEmpty(mapOf(text, "", "an operation, or several with `*` for any text: `orders.*`")),
				"The permission each operation needs: the most exact name holds. What none names is not offered.")),
			key("timeout", duration, "How long a request may take in all; without it, 30s."),
		), "The operations.")),
	)
}

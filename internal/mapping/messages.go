package mapping

import (
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// DefaultMessages are the messages of checks a dialect says nothing of. Their
// keys, MessageUnreadable, MessageMediaType and MessageSyntax are all the keywords there are;
// {field} stands for the field's name.
var DefaultMessages = map[string]string{
	"required":             "{field} is missing",
	"type":                 "{field} is of the wrong type",
	"format":               "{field} is not valid",
	"enum":                 "{field} is not one of the values allowed",
	"pattern":              "{field} is not valid",
	"minimum":              "{field} is too small",
	"maximum":              "{field} is too great",
	"minLength":            "{field} is too short",
	"maxLength":            "{field} is too long",
	"minItems":             "{field} has too few elements",
	"maxItems":             "{field} has too many elements",
	"minProperties":        "{field} has too few members",
	"maxProperties":        "{field} has too many members",
	"additionalProperties": "{field} is not known here",
	"anyOf":                "{field} is none of what is allowed",
	"variant":              "the request is none of those that are known here",
	"repeated":             "{field} is given more than once",
}

// sameMessage are the words of JSON Schema that share another's message.
var sameMessage = map[string]string{
	"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum", "const": "enum", "oneOf": "anyOf",
	"dependentRequired": "required", "false": "additionalProperties",
}

// MessageUnreadable is the keyword of the message of requests that cannot be
// read. A dialect without one has none: what says where the fault lies stands instead.
const MessageUnreadable = "unreadable"

// MessageMediaType is the keyword of the message of requests whose Content-Type
// or Content-Encoding is not read here, is malformed or is not what the body is
// in. A dialect without one has MessageUnreadable's.
const MessageMediaType = "media_type"

// MessageSyntax is the keyword of the message of JSON that breaks JSON's rules,
// with {line} and {column}. A dialect without one has MessageUnreadable's.
const MessageSyntax = "syntax"

// unreadables are the keywords of messages of requests that cannot be read.
var unreadables = []string{MessageUnreadable, MessageMediaType, MessageSyntax}

// Message gives the message of a check's keyword in a language; nil when there is none.
func (d *Dialect) Message(lang int, keyword string) *Message {
	if same := sameMessage[keyword]; same != "" {
		keyword = same
	}
	if lang > 0 && lang <= len(d.Translations) {
		if m := d.Translations[lang-1][keyword]; m != nil {
			return m
		}
	}
	return d.Messages[keyword]
}

// messages reads the messages of a dialect.
func (l *loader) messages(d *Dialect, owner, n *yamldoc.Node) {
	all := make([]map[string]*Message, 1)
	if d.Languages != nil {
		all = make([]map[string]*Message, max(1, len(d.Languages.Names)))
	}
	for i := range all {
		all[i] = make(map[string]*Message, len(DefaultMessages))
		for k, t := range DefaultMessages {
			all[i][k] = messageOf(t)
		}
	}
	d.Messages, d.Translations = all[0], all[1:]
	said := map[string]bool{}
	if n != nil {
		for i := range n.Entries {
			e := &n.Entries[i]
			keyword := e.Key.Text
			if DefaultMessages[keyword] == "" && !slices.Contains(unreadables, keyword) {
				l.unknown(e.Key.Span, "unknown-key", "keyword", keyword, append(keysOf(DefaultMessages), unreadables...))
				continue
			}
			said[keyword] = true
			l.strangers(e.Value, d.Languages)
			for lang, t := range l.inEach(e.Value, d.Languages, "the message of "+keyword) {
				if l.messageFits(keyword, t) {
					all[lang][keyword] = messageOf(t.Text)
				}
			}
		}
	}
	if d.Languages == nil {
		return
	}
	// The messages that stand where a dialect says nothing are in a language that it may not have.
	var lacking []string
	for _, k := range keysOf(DefaultMessages) {
		if !said[k] {
			lacking = append(lacking, k)
		}
	}
	if len(lacking) > 0 {
		l.list.Errorf(owner.Span, "language", "messages says nothing of %s", strings.Join(lacking, ", ")).
			Help = "a dialect with languages says every message in each of them"
	}
}

// messageFits checks what stands in braces in a message.
func (l *loader) messageFits(keyword string, n *yamldoc.Node) bool {
	text := n.Text
	if keyword == MessageSyntax {
		rest := strings.NewReplacer("{line}", "\x00line\x00", "{column}", "\x00column\x00").Replace(text)
		if strings.IndexByte(rest, '{') >= 0 {
			l.list.Errorf(n.Span, "message", "only {line} and {column} are replaced in the message of %s", MessageSyntax)
			return false
		}
		return true
	}
	if at := strings.Index(text, "{field}"); at >= 0 && slices.Contains(unreadables, keyword) {
		l.list.Errorf(n.SpanOf(at, at+len("{field}")), "message", "a request that cannot be read has no field to name")
		return false
	}
	if strings.Count(text, "{field}") > 1 {
		l.list.Errorf(n.Span, "message", "{field} may stand once in a message")
		return false
	}
	if at := strings.IndexByte(strings.Replace(text, "{field}", "\x00field\x00", 1), '{'); at >= 0 {
		l.list.Errorf(n.SpanOf(at, len(text)), "message", "only {field} is replaced in a message")
		return false
	}
	return true
}

func messageOf(t string) *Message {
	before, after, found := strings.Cut(t, "{field}")
	return &Message{Before: before, After: after, Field: found, Text: t}
}

// At gives the message of a place in a text.
func (m *Message) At(line, column string) string {
	return strings.NewReplacer("{line}", line, "{column}", column).Replace(m.Text)
}

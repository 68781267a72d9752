package contract

import (
	"slices"
	"strings"
)

// KnownID tells whether calls can name an operation so.
func KnownID(id string) bool { return operationID.MatchString(id) }

// KnownFormat tells whether schemas may name a format so.
func KnownFormat(format string) bool {
	return slices.Contains(formats, format) || datePattern.MatchString(format)
}

// TypeOfWord gives the type that a word of schemas says something of; "" for words of any.
func TypeOfWord(word string) string { return wordsFor[word] }

// HeaderTaken tells whether the gateway sets a header field itself.
func HeaderTaken(name string) bool { return slices.Contains(notHeaders, strings.ToLower(name)) }

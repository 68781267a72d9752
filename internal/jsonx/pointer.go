package jsonx

import "strings"

var (
	toToken   = strings.NewReplacer("~", "~0", "/", "~1")
	fromToken = strings.NewReplacer("~1", "/", "~0", "~")
)

// PointerToken spells a member's name as a part of a JSON Pointer (RFC 6901, 3).
func PointerToken(name string) string { return toToken.Replace(name) }

// PointerName gives the name that a part of a JSON Pointer spells.
func PointerName(token string) string { return fromToken.Replace(token) }

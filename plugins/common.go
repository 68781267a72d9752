package plugins

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/emenda-gateway/emenda/internal/expr"
)

// commonFormats are the formats of no country.
func commonFormats() []*expr.Format {
	return []*expr.Format{
		{
			Name: "digits", Example: "0042", Help: "digits only; blanks around them are dropped",
			Normal: func(text string) (string, bool) {
				t := strings.TrimSpace(text)
				return t, allOf(t, isDigit)
			},
		},
		{
			Name: "email", Example: "ana@example.com", Help: "an e-mail address; blanks around it are dropped",
			Normal: normalEmail,
		},
		{
			Name: "date", Example: "2026-01-31", Help: "a date written yyyy-MM-dd",
			Normal: func(text string) (string, bool) { return dateBy(text, time.DateOnly) },
		},
		{
			Name: "date-time", Example: "2026-01-31T10:00:00-03:00", Help: "a time of RFC 3339, with its zone",
			Normal: func(text string) (string, bool) {
				_, err := time.Parse(time.RFC3339, text)
				return text, err == nil
			},
		},
		{
			Name: "date_dmy", Example: "31/01/2026", Help: "a date written dd/MM/yyyy, dd-MM-yyyy, ddMMyyyy or yyyy-MM-dd, brought to the last",
			Normal: func(text string) (string, bool) {
				return dateBy(text, "02/01/2006", "02-01-2006", "02012006", time.DateOnly)
			},
		},
		{
			Name: "uuid", Example: "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", Help: "a UUID, brought to small letters",
			Normal: normalUUID,
		},
	}
}

// dateBy brings a date written by one of layouts to yyyy-MM-dd.
func dateBy(text string, layouts ...string) (string, bool) {
	t := strings.TrimSpace(text)
	for _, layout := range layouts {
		// Parse takes a day of one digit for two; the length keeps the format strict.
		if len(t) != len(layout) {
			continue
		}
		if day, err := time.Parse(layout, t); err == nil {
			return day.Format(time.DateOnly), true
		}
	}
	return text, false
}

// normalEmail accepts what mail systems deliver to in practice, not all that
// RFC 5322 allows: no comments, no quotes, a domain with a dot.
func normalEmail(text string) (string, bool) {
	t := strings.TrimSpace(text)
	name, domain, ok := strings.Cut(t, "@")
	if !ok || name == "" || len(name) > 64 || len(domain) > 253 || !utf8.ValidString(t) ||
		strings.ContainsFunc(t, func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`"(),:;<>[\]`, r) }) ||
		name[0] == '.' || strings.HasSuffix(name, ".") || strings.Contains(name, "..") {
		return text, false
	}
	labels := strings.Split(domain, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || strings.HasSuffix(label, "-") || strings.Contains(label, "@") {
			return text, false
		}
	}
	return t, len(labels) > 1
}

func normalUUID(text string) (string, bool) {
	t := strings.ToLower(strings.TrimSpace(text))
	if len(t) != 36 {
		return text, false
	}
	for i := range len(t) {
		c := t[i]
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return text, false
			}
		default:
			if !isDigit(c) && (c < 'a' || c > 'f') {
				return text, false
			}
		}
	}
	return t, true
}

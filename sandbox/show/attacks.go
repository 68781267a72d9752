package main

import (
	"strings"
	"unicode/utf8"
)

// marker stands in received values; it must show up nowhere but in the backend.
const marker = "Zqxmarkxqz"

// attacks are texts that break out of places where nobody escaped them.
var attacks = []string{
	`"`, `\`, `\"`, `"}`, `","cpfcnpj":"11144477735`, `"},{"x":"1`, `\u0022`, `\\"`, `'`, "`",
	"\r\n", "\n", "\r", "\r\nX-Evil: 1", "\r\n\r\nGET /ws/evil HTTP/1.1\r\nHost: x\r\n\r\n", "\t", "\x00", "\x1b[31m", "\x7f",
	"../", "../../ws/auth/token/gerar", "..%2f..%2fws", "%2f", "%2F..%2F", "%00", "%0d%0aX-Evil:%201", "//", `..\`, "?x=1&y=2", "#fragment", ";x=1", "&cpfcnpj=11144477735", "&token=x",
	"__proto__", "constructor.prototype", "toString", "${input.x}", "${const}", "$${x}", "${?x}", "{{7*7}}", "#{7}", "_TOKEN_", "_TOKEN_DINAMICO_", "%s%n%d",
	"é日本語😀", "\u202e\u200b", "\ufeff", "\u2028", "１２３", "Jo\xe3o", "\xff\xfe", "\xed\xa0\x80", "\xc0\xaf",
	"'; DROP TABLE x;--", "<script>alert(1)</script>", "]]>", "null", "true", "[]", "{}", "-1", "1e9", "0x1F", "NaN",
}

// large are values of about a megabyte, the bound of a body.
var large = map[string]string{
	"900,000 letters":    strings.Repeat("x", 900_000),
	"900,000 quotes":     strings.Repeat(`"`, 900_000),
	"more than 1 MB":     strings.Repeat("y", 1<<20+1),
	"200,000 digits":     strings.Repeat("7", 200_000),
	"100,000 deep lists": strings.Repeat("[", 100_000),
}

// document is what a lookup sends for a received cpfcnpj, by the rule of the
// specification: punctuation is dropped; letters stay only in a CNPJ with right
// check digits. ok is false when nothing is left.
func document(received string) (string, bool) {
	var code, digits strings.Builder
	for _, c := range decoded(received) {
		switch {
		case c >= '0' && c <= '9':
			digits.WriteRune(c)
			code.WriteRune(c)
		case c >= 'a' && c <= 'z':
			code.WriteRune(c - 'a' + 'A')
		case c >= 'A' && c <= 'Z' || c >= 0x80:
			code.WriteRune(c)
		}
	}
	if rightCNPJ(code.String()) {
		return code.String(), true
	}
	return digits.String(), digits.Len() > 0
}

// decoded reads bytes that are no UTF-8 as ISO-8859-1.
func decoded(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		b.WriteRune(rune(s[i]))
	}
	return b.String()
}

// rightCNPJ checks the two check digits of a CNPJ, letters counting their
// ASCII code less 48.
func rightCNPJ(code string) bool {
	if len(code) != 14 || strings.Count(code, code[:1]) == 14 {
		return false
	}
	for check := 12; check < 14; check++ {
		sum, weight := 0, 2
		for i := check - 1; i >= 0; i-- {
			c := code[i]
			if c >= 0x80 || c > '9' && check == 13 && i == 12 {
				return false
			}
			sum += int(c-48) * weight
			if weight++; weight > 9 {
				weight = 2
			}
		}
		want := byte('0')
		if rest := sum % 11; rest > 1 {
			want = byte('0' + 11 - rest)
		}
		if code[check] != want {
			return false
		}
	}
	return true
}

// contractNumber is what a lookup sends for a received contrato: blanks around
// digits, nothing else, at least 1.
func contractNumber(received string) (string, bool) {
	digits := strings.Trim(received, " \t\r\n")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return "", false
	}
	digits = strings.TrimLeft(digits, "0")
	return digits, digits != ""
}

package observe

// Mask gives text with what may be personal or secret hidden: every word with
// five or more digits, every word with an @, and every word of twenty or more
// letters and digits; a word goes on over the characters . - _ + and %. It is for text whose
// origin is not known, such as the path of a request that no route knows;
// values that are known to be personal are not logged at all.
func Mask(text string) string {
	var out []byte
	for i := 0; i < len(text); {
		j := i
		for j < len(text) && wordByte(text[j]) {
			j++
		}
		if j == i {
			out = append(out, text[i])
			i++
			continue
		}
		out = appendMaskedWord(out, text[i:j])
		i = j
	}
	return string(out)
}

func wordByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80 ||
		c == '.' || c == '-' || c == '_' || c == '@' || c == '+' || c == '%'
}

func appendMaskedWord(out []byte, word string) []byte {
	digits, plain, at := 0, 0, false
	for i := 0; i < len(word); i++ {
		switch c := word[i]; {
		case c >= '0' && c <= '9':
			digits++
			plain++
		case c == '@' || c == '%' && i+2 < len(word) && word[i+1:i+3] == "40":
			at = true
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80:
			plain++
		}
	}
	if digits >= 5 || at || plain >= 20 {
		return append(out, "***"...)
	}
	return append(out, word...)
}

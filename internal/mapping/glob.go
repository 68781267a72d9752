package mapping

// GlobMatches tells whether text is what glob names, in which `*` stands for
// any text, none included. It goes back to the last star only, so it takes at
// most len(glob) × len(text) steps.
func GlobMatches(glob, text string) bool {
	g, t, star, back := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case g < len(glob) && glob[g] == '*':
			star, back = g, t
			g++
		case g < len(glob) && glob[g] == text[t]:
			g++
			t++
		case star >= 0:
			back++
			g, t = star+1, back
		default:
			return false
		}
	}
	for g < len(glob) && glob[g] == '*' {
		g++
	}
	return g == len(glob)
}

package diag

import "strings"

// Suggest gives the name of among closest to name, or "" when none is near;
// the limit grows with the length of name. Only letter case apart is nearest
// of all.
func Suggest(name string, among []string) string {
	lower := []rune(strings.ToLower(name))
	limit := len(lower) / 3
	if len(lower) > 2 {
		limit = max(limit, 1)
	}
	limit = min(limit, 6)
	best, bestCost := "", -1
	for _, other := range among {
		if other == name {
			continue
		}
		o := []rune(strings.ToLower(other))
		if d := len(o) - len(lower); d > limit || -d > limit {
			continue
		}
		cost := distance(lower, o)
		if cost > limit {
			continue
		}
		if bestCost < 0 || cost < bestCost || cost == bestCost && other < best {
			best, bestCost = other, cost
		}
	}
	return best
}

// distance counts the insertions, deletions, replacements and swaps of
// neighbours that turn a into b.
func distance(a, b []rune) int {
	before := make([]int, len(b)+1) // two rows up, for swaps
	prev := make([]int, len(b)+1)
	row := make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i, ra := range a {
		row[0] = i + 1
		for j, rb := range b {
			cost := 1
			if ra == rb {
				cost = 0
			}
			row[j+1] = min(prev[j]+cost, prev[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && ra == b[j-1] && a[i-1] == rb {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, prev, row = prev, row, before
	}
	return prev[len(b)]
}

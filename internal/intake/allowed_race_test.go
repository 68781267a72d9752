//go:build race

package intake

// allowed is bounded no further: the race detector empties pools at will.
const allowed = 100

//go:build race

package flow_test

// allowed is bounded no further: the race detector empties pools at will.
const allowed = 1000

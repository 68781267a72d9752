//go:build !race

package flow_test

// allowed is how much a run of calls in a row may allocate.
const allowed = 0

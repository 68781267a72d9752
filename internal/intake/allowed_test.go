//go:build !race

package intake

// allowed is how much a usual request may allocate.
const allowed = 0

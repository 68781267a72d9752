// Package routes is HTTP in: a Fiber app built from a snapshot, swapped whole
// behind one listener, and the admin listener beside it. It turns what arrives
// into an intake.Request, has it answered by internal/exchange, and writes the
// answer; every failure, those of the HTTP layer included, is told in the words
// of the dialect whose prefix the path has.
package routes

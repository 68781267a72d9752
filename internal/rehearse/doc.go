// Package rehearse stands in for what is outside of an exchange when nothing is
// to be sent: a book of answers for the backends, a memory and turns for the
// store. The tests of mappings and explanations both run on it.
package rehearse

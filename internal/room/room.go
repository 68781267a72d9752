// Package room bounds the memory that large bodies take together: who needs
// more than a little asks before it is made, and gives it back.
package room

import "sync/atomic"

// Least is the room there is at least, in bytes: nothing larger is sure to find any.
const Least = 64 << 20

// several is how many of the largest there is room for at least.
const several = 8

// Room is memory that is shared. It is safe for concurrent use.
type Room struct{ left atomic.Int64 }

// New gives room for several bodies of the largest size there may be, in bytes.
func New(largest int) *Room {
	r := new(Room)
	r.left.Store(max(Least, several*int64(largest)))
	return r
}

// Take takes n bytes, if there are as many.
func (r *Room) Take(n int) bool {
	if r.left.Add(int64(-n)) >= 0 {
		return true
	}
	r.Give(n)
	return false
}

// Give gives n bytes back.
func (r *Room) Give(n int) { r.left.Add(int64(n)) }

// Left gives how many bytes nobody has taken.
func (r *Room) Left() int { return int(r.left.Load()) }

package load

import (
	"math/bits"
	"time"
)

// fine is how many buckets an octave has, as a power of two: 1 part in 64.
const fine = 6

// Histogram counts durations in buckets that grow with them, so that a
// quantile is right to 1.6 % from microseconds to hours, in a fixed room.
type Histogram struct {
	buckets [(64 - fine + 1) << fine]uint32
	n       int
	most    time.Duration
}

// Add counts a duration; what is below zero counts as zero.
func (h *Histogram) Add(d time.Duration) {
	d = max(d, 0)
	h.buckets[bucket(uint64(d))]++
	h.n++
	h.most = max(h.most, d)
}

// Merge adds what another counted.
func (h *Histogram) Merge(o *Histogram) {
	for i, n := range o.buckets {
		h.buckets[i] += n
	}
	h.n += o.n
	h.most = max(h.most, o.most)
}

// Count tells how many durations were counted.
func (h *Histogram) Count() int { return h.n }

// Quantile gives the duration that a share q of all stays within; zero when none were counted.
func (h *Histogram) Quantile(q float64) time.Duration {
	want := max(int(q*float64(h.n)+0.5), 1)
	seen := 0
	for i, n := range h.buckets {
		if seen += int(n); seen >= want {
			return min(time.Duration(upper(i)), h.most)
		}
	}
	return h.most
}

// bucket is where a value is counted: the first 64 have one each, every octave above has 64.
func bucket(v uint64) int {
	octave := bits.Len64(v>>fine) - 1
	if octave < 0 {
		return int(v)
	}
	return (octave+1)<<fine + int(v>>octave)&(1<<fine-1)
}

// upper is the greatest value of a bucket.
func upper(i int) uint64 {
	octave := i>>fine - 1
	if octave < 0 {
		return uint64(i)
	}
	return (uint64(i&(1<<fine-1)|1<<fine)+1)<<octave - 1
}

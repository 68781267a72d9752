package jsonx

import (
	"math"
	"math/big"
	"math/bits"
	"strconv"
)

const (
	maxExponent = 6144   // of a number ParseDecimal reads, as in IEEE decimal128
	maxDigits   = 10_000 // of a number written in plain notation
	quoDigits   = 34     // of a quotient
)

// Decimal is an exact decimal number: coefficient × 10^-scale, with a fast path for coefficients in 64 bits.
// It is bounded: a number that takes more than 10,000 digits in plain notation
// is refused, see OK. The zero Decimal is 0.
type Decimal struct {
	coef  int64
	scale int32
	over  bool     // refused
	big   *big.Int // the coefficient when it is beyond 64 bits; never changed
}

// refused is the result of every operation that goes out of bounds, or has such an operand.
var refused = Decimal{over: true}

// OK tells whether d is a number: false for a result, or a result of a result,
// that would have needed more than 10,000 digits.
func (d Decimal) OK() bool { return !d.over }

// ParseDecimal reads a JSON number's digits; ok is false when text is no JSON number or its exponent is beyond ±6144 (comparing such numbers is Compare's work).
// Digits behind the point are kept, zeros too: they are the scale. A number of more than 10,000 digits is refused as well.
func ParseDecimal(text string) (d Decimal, ok bool) {
	if len(text) <= 18 { // whole numbers and plain fractions, which nearly all are
		if d, ok := parsePlain(text); ok {
			return d, true
		}
	}
	if !IsNumber(text) {
		return Decimal{}, false
	}
	n := takeApart(text)
	exp, ok := n.smallExp()
	if !ok || exp > maxExponent || exp < -maxExponent || len(text) > 2*maxDigits {
		return Decimal{}, false
	}
	behind := int64(len(n.frac)) // digits behind the point as written
	if n.whole == "" {
		behind -= n.lead
	}
	if n.zero() {
		return Decimal{scale: int32(min(max(behind-exp, 0), maxDigits))}, true
	}
	var coef big.Int
	if _, ok := coef.SetString(n.whole+n.frac, 10); !ok {
		return Decimal{}, false
	}
	if n.negative {
		coef.Neg(&coef)
	}
	d = fromBig(&coef, behind-exp)
	return d, d.OK()
}

// parsePlain reads up to 18 characters of a number without exponent.
func parsePlain(s string) (Decimal, bool) {
	i, negative := 0, false
	if s != "" && s[0] == '-' {
		negative = true
		i = 1
	}
	first := i
	var d Decimal
	point := -1
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			d.coef = d.coef*10 + int64(c-'0')
		case c == '.' && point < 0:
			point = i
		default:
			return Decimal{}, false
		}
	}
	whole := len(s) - first
	if point >= 0 {
		whole = point - first
		d.scale = int32(len(s) - point - 1)
		if d.scale == 0 {
			return Decimal{}, false
		}
	}
	if whole == 0 || whole > 1 && s[first] == '0' {
		return Decimal{}, false
	}
	if negative {
		d.coef = -d.coef
	}
	return d, true
}

// IsNumber tells whether s is a number as JSON spells it.
func IsNumber(s string) bool {
	i := 0
	digits := func() bool {
		from := i
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		return i > from
	}
	if i < len(s) && s[i] == '-' {
		i++
	}
	if i < len(s) && s[i] == '0' {
		i++
	} else if !digits() {
		return false
	}
	if i < len(s) && s[i] == '.' {
		if i++; !digits() {
			return false
		}
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		if i++; i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		if !digits() {
			return false
		}
	}
	return i == len(s)
}

// fromBig gives coef × 10^-scale, or refused; it keeps coef.
func fromBig(coef *big.Int, scale int64) Decimal {
	if scale > maxDigits || scale < -maxDigits {
		if coef.Sign() == 0 {
			return Decimal{}
		}
		return refused
	}
	if coef.IsInt64() {
		return bounded(Decimal{coef: coef.Int64(), scale: int32(scale)})
	}
	digits := int64(float64(coef.BitLen()) * math.Log10(2)) // at most one too few
	if digits > maxDigits || digits-scale > maxDigits {
		return refused
	}
	return Decimal{big: coef, scale: int32(scale)}
}

// bounded refuses a small coefficient whose scale makes it too long to write.
func bounded(d Decimal) Decimal {
	if d.coef == 0 {
		if d.scale < 0 {
			d.scale = 0
		}
	} else if d.scale < -(maxDigits - 20) {
		return refused
	}
	if d.scale > maxDigits {
		return refused
	}
	return d
}

// integer gives the coefficient as a big integer, not to be changed.
func (d Decimal) integer() *big.Int {
	if d.big != nil {
		return d.big
	}
	return big.NewInt(d.coef)
}

var pow10 = func() (p [19]int64) {
	p[0] = 1
	for i := 1; i < len(p); i++ {
		p[i] = p[i-1] * 10
	}
	return p
}()

func bigPow10(n int32) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
}

// shift64 gives c × 10^n when that fits.
func shift64(c int64, n int32) (int64, bool) {
	if n >= int32(len(pow10)) {
		return 0, c == 0
	}
	return mul64(c, pow10[n])
}

func mul64(x, y int64) (int64, bool) {
	hi, lo := bits.Mul64(magnitude64(x), magnitude64(y))
	if hi != 0 || lo > math.MaxInt64 {
		return 0, false
	}
	if x < 0 != (y < 0) {
		return -int64(lo), true
	}
	return int64(lo), true
}

func magnitude64(x int64) uint64 {
	if x < 0 {
		return -uint64(x)
	}
	return uint64(x)
}

// align gives both coefficients at the larger of the scales; ok is false when they do not fit.
func align(d, e Decimal) (x, y int64, scale int32, ok bool) {
	if d.big != nil || e.big != nil {
		return 0, 0, 0, false
	}
	x, y, scale, ok = d.coef, e.coef, d.scale, true
	switch {
	case d.scale < e.scale:
		scale = e.scale
		x, ok = shift64(x, e.scale-d.scale)
	case d.scale > e.scale:
		y, ok = shift64(y, d.scale-e.scale)
	}
	return x, y, scale, ok
}

// alignBig is align with integers of any size.
func alignBig(d, e Decimal) (x, y *big.Int, scale int32) {
	x, y, scale = d.integer(), e.integer(), d.scale
	switch {
	case d.scale < e.scale:
		scale = e.scale
		x = new(big.Int).Mul(x, bigPow10(e.scale-d.scale))
	case d.scale > e.scale:
		y = new(big.Int).Mul(y, bigPow10(d.scale-e.scale))
	}
	return x, y, scale
}

// Add gives d + e, with as many digits behind the point as the operand that has more: 1.10 + 1 is 2.10.
func (d Decimal) Add(e Decimal) Decimal {
	if d.over || e.over {
		return refused
	}
	if x, y, scale, ok := align(d, e); ok {
		if sum := x + y; (x^sum)&(y^sum) >= 0 {
			return bounded(Decimal{coef: sum, scale: scale})
		}
	}
	x, y, scale := alignBig(d, e)
	return fromBig(new(big.Int).Add(x, y), int64(scale))
}

// Sub gives d - e, with digits behind the point as Add.
func (d Decimal) Sub(e Decimal) Decimal { return d.Add(e.negated()) }

func (d Decimal) negated() Decimal {
	switch {
	case d.big != nil:
		return fromBig(new(big.Int).Neg(d.big), int64(d.scale))
	case d.coef == math.MinInt64:
		return fromBig(new(big.Int).Neg(big.NewInt(d.coef)), int64(d.scale))
	}
	d.coef = -d.coef
	return d
}

// Mul gives d × e, with as many digits behind the point as both operands have together: 1.10 × 1.10 is 1.2100.
func (d Decimal) Mul(e Decimal) Decimal {
	if d.over || e.over {
		return refused
	}
	scale := int64(d.scale) + int64(e.scale)
	if d.big == nil && e.big == nil {
		if p, ok := mul64(d.coef, e.coef); ok {
			if scale < -maxDigits || scale > maxDigits {
				return fromBig(big.NewInt(p), scale)
			}
			return bounded(Decimal{coef: p, scale: int32(scale)})
		}
	}
	return fromBig(new(big.Int).Mul(d.integer(), e.integer()), scale)
}

// Quo gives d ÷ e rounded half to even at 34 significant digits; ok is false for e = 0.
// An exact quotient has no zeros at its end beyond those d has more than e behind the point: 1 ÷ 4 is 0.25, 6.0 ÷ 2 is 3.0.
func (d Decimal) Quo(e Decimal) (Decimal, bool) {
	if d.over || e.over || e.sign() == 0 {
		return refused, false
	}
	ideal := max(int64(d.scale)-int64(e.scale), 0)
	if d.sign() == 0 {
		return Decimal{}, true
	}
	x, y := new(big.Int).Abs(d.integer()), new(big.Int).Abs(e.integer())
	// Shift so that the integer quotient has 34 digits or one more.
	shift := int64(quoDigits) + decimalLen(y) - decimalLen(x)
	if shift > 0 {
		x.Mul(x, bigPow10(int32(shift)))
	} else if shift < 0 {
		y = new(big.Int).Mul(y, bigPow10(int32(-shift)))
	}
	scale := int64(d.scale) - int64(e.scale) + shift
	q, r := new(big.Int).QuoRem(x, y, new(big.Int))
	if decimalLen(q) > quoDigits {
		var last big.Int
		q.QuoRem(q, big.NewInt(10), &last)
		scale--
		r.Add(r, last.Mul(&last, y)) // the remainder of dividing by ten times y
		y = new(big.Int).Mul(y, big.NewInt(10))
	}
	if exact := r.Sign() == 0; !exact {
		if c := r.Lsh(r, 1).Cmp(y); c > 0 || c == 0 && q.Bit(0) == 1 {
			q.Add(q, big.NewInt(1))
		}
	}
	for ten, next, rest := big.NewInt(10), new(big.Int), new(big.Int); scale > ideal; scale-- {
		if next.QuoRem(q, ten, rest); rest.Sign() != 0 {
			break
		}
		q, next = next, q
	}
	if d.sign() != e.sign() {
		q.Neg(q)
	}
	if scale < ideal && ideal <= maxDigits { // zeros the operands had
		q.Mul(q, bigPow10(int32(ideal-scale)))
		scale = ideal
	}
	res := fromBig(q, scale)
	return res, res.OK()
}

// decimalLen gives the number of digits of a positive integer.
func decimalLen(x *big.Int) int64 {
	n := int64(float64(x.BitLen()-1) * math.Log10(2)) // this, or one more, is the exponent of its power of ten
	if x.CmpAbs(bigPow10(int32(n+1))) >= 0 {
		n++
	}
	return n + 1
}

// Rem gives the remainder of the truncated division; ok is false for e = 0.
// It has the sign of d and digits behind the point as Add.
func (d Decimal) Rem(e Decimal) (Decimal, bool) {
	if d.over || e.over || e.sign() == 0 {
		return refused, false
	}
	if x, y, scale, ok := align(d, e); ok {
		if y == -1 { // MinInt64 by -1
			return bounded(Decimal{scale: scale}), true
		}
		return bounded(Decimal{coef: x % y, scale: scale}), true
	}
	x, y, scale := alignBig(d, e)
	res := fromBig(new(big.Int).Rem(x, y), int64(scale))
	return res, res.OK()
}

func (d Decimal) sign() int {
	if d.big != nil {
		return d.big.Sign()
	}
	return order(d.coef, 0)
}

// Cmp orders d and e: -1, 0, 1. What is refused stands before every number.
func (d Decimal) Cmp(e Decimal) int {
	if d.over || e.over {
		switch {
		case d.over && e.over:
			return 0
		case d.over:
			return -1
		}
		return 1
	}
	if x, y, _, ok := align(d, e); ok {
		return order(x, y)
	}
	if s, t := d.sign(), e.sign(); s != t {
		return order(int64(s), int64(t))
	}
	x, y, _ := alignBig(d, e)
	return x.Cmp(y)
}

// Int64 gives the number when it is whole and fits.
func (d Decimal) Int64() (int64, bool) {
	switch {
	case d.over:
		return 0, false
	case d.big == nil && d.scale == 0, d.big == nil && d.coef == 0:
		return d.coef, true
	case d.big == nil && d.scale < 0:
		return shift64(d.coef, -d.scale)
	case d.big == nil:
		if d.scale >= int32(len(pow10)) || d.coef%pow10[d.scale] != 0 {
			return 0, false
		}
		return d.coef / pow10[d.scale], true
	case d.scale <= 0:
		return 0, false
	}
	q, r := new(big.Int).QuoRem(d.big, bigPow10(d.scale), new(big.Int))
	return q.Int64(), r.Sign() == 0 && q.IsInt64()
}

// Append appends the canonical digits: plain notation, no trailing zeros behind the point beyond those the operands had, "0" for zero.
// Nothing is appended for what is refused.
func (d Decimal) Append(dst []byte) []byte {
	if d.over {
		return dst
	}
	if d.sign() == 0 {
		return append(dst, '0')
	}
	from := len(dst)
	if d.big != nil {
		dst = d.big.Append(dst, 10)
	} else {
		dst = strconv.AppendInt(dst, d.coef, 10)
	}
	if dst[from] == '-' {
		from++
	}
	for n := d.scale; n < 0; n++ {
		dst = append(dst, '0')
	}
	if d.scale <= 0 {
		return dst
	}
	// Zeros in front until a digit stands before the point.
	if lack := int(d.scale) + 1 - (len(dst) - from); lack > 0 {
		digits := len(dst) - from
		for n := 0; n < lack; n++ {
			dst = append(dst, '0')
		}
		copy(dst[from+lack:], dst[from:from+digits])
		for n := range lack {
			dst[from+n] = '0'
		}
	}
	dst = append(dst, 0)
	point := len(dst) - 1 - int(d.scale)
	copy(dst[point+1:], dst[point:])
	dst[point] = '.'
	return dst
}

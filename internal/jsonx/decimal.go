package jsonx

// Decimal is an exact decimal number: coefficient × 10^-scale, with a fast path for coefficients in 64 bits.
type Decimal struct {
	coef  int64 //nolint:unused // the builder decides
	scale int32 //nolint:unused // the builder decides
}

// ParseDecimal reads a JSON number's digits; ok is false when text is no JSON number or its exponent is beyond ±6144 (comparing such numbers is Compare's work).
func ParseDecimal(text string) (d Decimal, ok bool) { panic("not built") }

// Add gives d + e.
func (d Decimal) Add(e Decimal) Decimal { panic("not built") }

// Sub gives d - e.
func (d Decimal) Sub(e Decimal) Decimal { panic("not built") }

// Mul gives d × e.
func (d Decimal) Mul(e Decimal) Decimal { panic("not built") }

// Quo gives d ÷ e rounded half to even at 34 significant digits; ok is false for e = 0.
func (d Decimal) Quo(e Decimal) (Decimal, bool) { panic("not built") }

// Rem gives the remainder of the truncated division; ok is false for e = 0.
func (d Decimal) Rem(e Decimal) (Decimal, bool) { panic("not built") }

// Cmp orders d and e: -1, 0, 1.
func (d Decimal) Cmp(e Decimal) int { panic("not built") }

// Int64 gives the number when it is whole and fits.
func (d Decimal) Int64() (int64, bool) { panic("not built") }

// Append appends the canonical digits: plain notation, no trailing zeros behind the point beyond those the operands had, "0" for zero.
func (d Decimal) Append(dst []byte) []byte { panic("not built") }

// CompareNumbers orders two JSON numbers by sign, magnitude and digits, whatever their exponents, without building them.
func CompareNumbers(a, b string) int { panic("not built") }

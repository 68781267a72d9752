package jsonx

import (
	"bytes"
	"strconv"
	"strings"
)

// number is a JSON number taken apart: digits whole+frac without leading
// zeros, the point behind the first lead of them, times ten to the exponent.
type number struct {
	negative    bool
	whole, frac string
	lead        int64  // digits before the point; negative: zeros behind it
	exp         string // as written, without "+" and leading zeros
	expNegative bool
}

func takeApart(s string) number {
	var n number
	if s != "" && s[0] == '-' {
		n.negative = true
		s = s[1:]
	}
	if e := strings.IndexAny(s, "eE"); e >= 0 {
		n.exp = s[e+1:]
		s = s[:e]
		if n.exp != "" && (n.exp[0] == '-' || n.exp[0] == '+') {
			n.expNegative = n.exp[0] == '-'
			n.exp = n.exp[1:]
		}
		n.exp = strings.TrimLeft(n.exp, "0")
	}
	n.whole = s
	if p := strings.IndexByte(s, '.'); p >= 0 {
		n.whole, n.frac = s[:p], s[p+1:]
	}
	n.whole = strings.TrimLeft(n.whole, "0")
	n.lead = int64(len(n.whole))
	if n.whole == "" {
		all := len(n.frac)
		n.frac = strings.TrimLeft(n.frac, "0")
		n.lead = int64(len(n.frac) - all)
	}
	return n
}

// zero tells whether no digit is other than 0.
func (n *number) zero() bool { return n.whole == "" && n.frac == "" }

func (n *number) digits() int { return len(n.whole) + len(n.frac) }

// digit gives the i-th significant digit; zeros follow behind the last.
func (n *number) digit(i int) byte {
	if i < len(n.whole) {
		return n.whole[i]
	}
	if i -= len(n.whole); i < len(n.frac) {
		return n.frac[i]
	}
	return '0'
}

// smallExp gives the exponent when it has at most 17 digits, so that adding lead to it cannot overflow.
func (n *number) smallExp() (e int64, ok bool) {
	if len(n.exp) > 17 {
		return 0, false
	}
	for i := 0; i < len(n.exp); i++ {
		e = e*10 + int64(n.exp[i]-'0')
	}
	if n.expNegative {
		e = -e
	}
	return e, true
}

// magnitude compares where the first digits of two numbers stand.
func (n *number) magnitude(o *number) int {
	x, xok := n.smallExp()
	y, yok := o.smallExp()
	if xok && yok {
		return order(x+n.lead, y+o.lead)
	}
	xNegative, xDigits := n.bigMagnitude()
	yNegative, yDigits := o.bigMagnitude()
	if xNegative != yNegative {
		return sign(xNegative)
	}
	c := order(int64(len(xDigits)), int64(len(yDigits)))
	if c == 0 {
		c = bytes.Compare(xDigits, yDigits)
	}
	if xNegative {
		return -c
	}
	return c
}

// bigMagnitude gives exponent + lead as a sign and digits, for exponents
// beyond 64 bits. It adds on the digits as written, so that a hostile exponent
// costs time linear in its length; lead is smaller than any such exponent.
func (n *number) bigMagnitude() (negative bool, digits []byte) {
	if e, ok := n.smallExp(); ok {
		digits = strconv.AppendInt(nil, e+n.lead, 10)
		if digits[0] == '-' {
			return true, digits[1:]
		}
		return false, digits
	}
	carry := n.lead
	if n.expNegative {
		carry = -carry
	}
	digits = append([]byte{'0'}, n.exp...)
	for i := len(digits) - 1; i >= 0 && carry != 0; i-- {
		carry += int64(digits[i] - '0')
		digit := (carry%10 + 10) % 10
		digits[i] = '0' + byte(digit)
		carry = (carry - digit) / 10
	}
	return n.expNegative, bytes.TrimLeft(digits, "0")
}

func order(x, y int64) int {
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

// CompareNumbers orders two JSON numbers by sign, magnitude and digits, whatever their exponents, without building them.
func CompareNumbers(a, b string) int {
	if a == b {
		return 0
	}
	x, y := takeApart(a), takeApart(b)
	switch {
	case x.zero() && y.zero():
		return 0
	case x.zero():
		return sign(!y.negative)
	case y.zero():
		return sign(x.negative)
	case x.negative != y.negative:
		return sign(x.negative)
	}
	c := x.magnitude(&y)
	for i, n := 0, max(x.digits(), y.digits()); c == 0 && i < n; i++ {
		c = order(int64(x.digit(i)), int64(y.digit(i)))
	}
	if x.negative {
		return -c
	}
	return c
}

// sign gives -1 when the first is the smaller, else 1.
func sign(smaller bool) int {
	if smaller {
		return -1
	}
	return 1
}

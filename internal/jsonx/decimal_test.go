package jsonx

import (
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func decimal(t require.TestingT, s string) Decimal {
	d, ok := ParseDecimal(s)
	require.True(t, ok, s)
	return d
}

func show(d Decimal) string { return string(d.Append(nil)) }

func TestDecimalText(t *testing.T) {
	for in, want := range map[string]string{
		"0": "0", "-0": "0", "0.00": "0", "0e5": "0", "1.10": "1.10", "-1.5": "-1.5", "1e3": "1000", "1.25e1": "12.5", "1E-3": "0.001",
		"-12e-5": "-0.00012", "9007199254740993": "9007199254740993", "12345678901234567890": "12345678901234567890",
		"-9223372036854775808": "-9223372036854775808", "9223372036854775808.10": "9223372036854775808.10",
		"0.000000000000000000000000000001": "0.000000000000000000000000000001", "1.500e2": "150.0", "100": "100",
		"-12345678901234567890e-25": "-0.0000012345678901234567890",
	} {
		require.Equal(t, want, show(decimal(t, in)), in)
		require.Equal(t, "x"+want, string(decimal(t, in).Append([]byte("x"))))
	}
	require.Equal(t, "1"+strings.Repeat("0", 6144), show(decimal(t, "1e6144")))
	for _, in := range []string{"", "-", "+1", "01", "1.", ".5", "1e", "1e+", "NaN", "0x1", "1 ", "--1", "1e6145", "1e-6145", "1e99999999999999999999", "1.2.3", "-.1", strings.Repeat("9", 10_002), "0." + strings.Repeat("9", 10_002)} {
		_, ok := ParseDecimal(in)
		require.False(t, ok, in)
	}
}

func TestDecimalArithmetic(t *testing.T) {
	quo := func(d, e Decimal) Decimal { q, _ := d.Quo(e); return q }
	rem := func(d, e Decimal) Decimal { r, _ := d.Rem(e); return r }
	for name, c := range map[string]struct {
		op         func(d, e Decimal) Decimal
		a, b, want string
	}{
		"tenths":               {Decimal.Add, "0.1", "0.2", "0.3"},
		"scale of the larger":  {Decimal.Add, "1.10", "1", "2.10"},
		"beyond 64 bits":       {Decimal.Add, "9223372036854775807", "1", "9223372036854775808"},
		"back into 64 bits":    {Decimal.Sub, "9223372036854775808", "1", "9223372036854775807"},
		"least":                {Decimal.Sub, "0", "-9223372036854775808", "9223372036854775808"},
		"zero":                 {Decimal.Sub, "1.10", "1.1", "0"},
		"far apart":            {Decimal.Add, "1e20", "0.1", "100000000000000000000.1"},
		"scales add":           {Decimal.Mul, "1.10", "1.10", "1.2100"},
		"signs":                {Decimal.Mul, "-3", "0.5", "-1.5"},
		"large":                {Decimal.Mul, "12345678901234567890", "10", "123456789012345678900"},
		"exact":                {quo, "1", "4", "0.25"},
		"thirds":               {quo, "1", "3", "0.3333333333333333333333333333333333"},
		"two thirds":           {quo, "-2", "3", "-0.6666666666666666666666666666666667"},
		"keeps zeros":          {quo, "6.0", "2", "3.0"},
		"whole":                {quo, "100", "10", "10"},
		"below one":            {quo, "1", "0.5", "2"},
		"zero by":              {quo, "0.0", "7", "0"},
		"half to even, down":   {quo, "1.0000000000000000000000000000000005", "1", "1.0000000000000000000000000000000000"},
		"half to even, up":     {quo, "1.0000000000000000000000000000000015", "1", "1.0000000000000000000000000000000020"},
		"above a half":         {quo, "1.00000000000000000000000000000000051", "1", "1.00000000000000000000000000000000100"},
		"huge":                 {quo, "1e40", "1", "1" + strings.Repeat("0", 40)},
		"remainder":            {rem, "7.5", "2", "1.5"},
		"remainder's sign":     {rem, "-7", "3", "-1"},
		"of the least":         {rem, "-9223372036854775808", "-1", "0"},
		"of the large":         {rem, "100000000000000000000", "7", "2"},
		"remainder with scale": {rem, "1", "0.3", "0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, show(c.op(decimal(t, c.a), decimal(t, c.b))))
		})
	}
	_, ok := decimal(t, "1").Quo(decimal(t, "0.0"))
	require.False(t, ok)
	_, ok = decimal(t, "1").Rem(decimal(t, "0"))
	require.False(t, ok)
}

func TestDecimalBounds(t *testing.T) {
	large, small := decimal(t, "1e6144"), decimal(t, "1e-6144")
	for name, d := range map[string]Decimal{
		"sum":          large.Add(small),
		"product":      large.Mul(large),
		"tiny product": small.Mul(small),
		"difference":   large.Sub(small),
		"of a refused": large.Mul(large).Add(decimal(t, "1")),
		"by a refused": decimal(t, "1").Mul(large.Mul(large)),
	} {
		t.Run(name, func(t *testing.T) {
			require.False(t, d.OK())
			require.Empty(t, d.Append(nil))
			_, ok := d.Int64()
			require.False(t, ok)
			_, ok = d.Quo(decimal(t, "1"))
			require.False(t, ok)
			_, ok = decimal(t, "1").Rem(d)
			require.False(t, ok)
			require.Equal(t, -1, d.Cmp(decimal(t, "-1")))
			require.Equal(t, 1, decimal(t, "-1").Cmp(d))
			require.Zero(t, d.Cmp(d))
		})
	}
	require.Equal(t, 1, large.Cmp(small))
	require.True(t, decimal(t, "2").OK())
	d := decimal(t, "9")
	for range 40 { // squares: without a bound this would never end
		d = d.Mul(d)
	}
	require.False(t, d.OK())
}

func TestDecimalInt64(t *testing.T) {
	for in, want := range map[string]int64{"0": 0, "0.000": 0, "1.00": 1, "-5e3": -5000, "9223372036854775807": 1<<63 - 1, "-9223372036854775808": -1 << 63, "9223372036854775807.0": 1<<63 - 1} {
		got, ok := decimal(t, in).Int64()
		require.True(t, ok, in)
		require.Equal(t, want, got, in)
	}
	for _, in := range []string{"1.5", "9223372036854775808", "1e19", "1e-30", "9223372036854775808.0", "99999999999999999999.5", "1e6000"} {
		_, ok := decimal(t, in).Int64()
		require.False(t, ok, in)
	}
}

func rat(t require.TestingT, s string) *big.Rat {
	r, ok := new(big.Rat).SetString(s)
	require.True(t, ok, s)
	return r
}

// checkDecimals compares all operations on a and b with big.Rat.
func checkDecimals(t require.TestingT, a, b string) {
	x, xok := ParseDecimal(a)
	y, yok := ParseDecimal(b)
	if !xok || !yok {
		return
	}
	p, q := rat(t, a), rat(t, b)
	require.Zero(t, rat(t, show(x)).Cmp(p))
	require.Equal(t, p.Cmp(q), x.Cmp(y))
	require.Equal(t, p.Cmp(q), CompareNumbers(a, b))
	for _, c := range []struct {
		got  Decimal
		want *big.Rat
	}{
		{x.Add(y), new(big.Rat).Add(p, q)}, {x.Sub(y), new(big.Rat).Sub(p, q)}, {x.Mul(y), new(big.Rat).Mul(p, q)},
	} {
		if !c.got.OK() {
			require.Greater(t, len(a)+len(b), 4)
			continue
		}
		require.Zero(t, rat(t, show(c.got)).Cmp(c.want), "%s, %s: %s", a, b, show(c.got))
		require.True(t, IsNumber(show(c.got)))
	}
	n, whole := x.Int64()
	require.Equal(t, p.IsInt() && p.Num().IsInt64(), whole)
	if whole {
		require.Equal(t, p.Num().Int64(), n)
	}
	quo, ok := x.Quo(y)
	rem, rok := x.Rem(y)
	if q.Sign() == 0 {
		require.False(t, ok)
		require.False(t, rok)
		return
	}
	want := new(big.Rat).Quo(p, q)
	if rok {
		whole := new(big.Int).Quo(want.Num(), want.Denom())
		require.Zero(t, rat(t, show(rem)).Cmp(new(big.Rat).Sub(p, new(big.Rat).Mul(q, new(big.Rat).SetInt(whole)))))
	}
	if ok {
		off := new(big.Rat).Sub(rat(t, show(quo)), want)
		bound := new(big.Rat).Mul(want, rat(t, "5e-34"))
		require.LessOrEqual(t, off.Abs(off).Cmp(bound.Abs(bound)), 0, "%s / %s: %s", a, b, show(quo))
	}
}

func TestDecimalProperty(t *testing.T) {
	number := rapid.StringMatching(`-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?`)
	rapid.Check(t, func(t *rapid.T) { checkDecimals(t, number.Draw(t, "a"), number.Draw(t, "b")) })
}

func FuzzDecimal(f *testing.F) {
	for _, s := range [][2]string{{"0.1", "0.2"}, {"1e6144", "1e-6144"}, {"-9223372036854775808", "-1"}, {"1.10", "3"}, {"12345678901234567890.5", "0.7e-3"}, {"0.00", "-0"}, {"999999999999999999", "1e-18"}} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		_, ok := ParseDecimal(a)
		if ok {
			require.True(t, IsNumber(a))
		}
		if len(a)+len(b) < 200 {
			checkDecimals(t, a, b)
		}
	})
}

func BenchmarkDecimal(b *testing.B) {
	x, _ := ParseDecimal("1234.10")
	y, _ := ParseDecimal("0.5")
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = x.Add(y).Mul(y).Append(buf[:0])
	}
}

package plugins

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/emenda-gateway/emenda/internal/expr"
	"github.com/emenda-gateway/emenda/internal/jsonx"
)

// call calls a plugin function with one text.
func call(t require.TestingT, name, text string) jsonx.Value {
	fns, err := expr.NewFunctions(Functions()...)
	require.NoError(t, err)
	fn, ok := fns.Find(name)
	require.True(t, ok, name)
	f := expr.NewFrame(new(expr.Layout), time.Time{}, nil)
	v := fn.Eval(f, []jsonx.Value{jsonx.TextValue(text)})
	require.Nil(t, f.Err())
	return v.Clone()
}

func TestChecks(t *testing.T) {
	for _, c := range []struct {
		function string
		right    []string
		wrong    []string
	}{
		{
			"cpf_ok",
			[]string{"52998224725", "529.982.247-25", "11144477735"},
			[]string{"12312312312", "52998224724", "11111111111", "5299822472", "529982247255", "", "5299822472X", "529_982_247_25"},
		},
		{
			"cnpj_ok",
			[]string{"12ABC34501DE35", "12.abc.345/01de-35", "11222333000181", "11.222.333/0001-81"},
			[]string{"12ABC34501DE36", "12ABC34501DE3A", "11222333000182", "00000000000000", "1122233300018", "", "12ABÇ34501DE3"},
		},
		{"cpfcnpj_ok", []string{"52998224725", "12ABC34501DE35"}, []string{"12312312312", "12ABC34501DE34", ""}},
		{"nif_ok", []string{"11111111H", "35317901K", "12345678z", "12.345.678-Z", "K1234567L"}, []string{"12341234J", "1111111H", "111111111", "X1234567L", "A1234567L", ""}},
		{"nie_ok", []string{"X1234567L", "Y1234567X", "Z1234567R"}, []string{"X1234567M", "12345678Z", "W1234567L", "X123456L", ""}},
		{"cif_ok", []string{"A58818501", "B12345674", "P1234567D", "C1234567D", "C12345674"}, []string{"A58818502", "A5881850A", "P12345674", "B1234567D", "I12345674", "A5881850", ""}},
		{"luhn_ok", []string{"79927398713", "0000 0000-0000 0000"}, []string{"79927398710", "7992739871x", "0", ""}},
		{"iccid_ok", []string{"8934071100272700059", "8934 0711 0027 2700 059"}, []string{"8934040000000000002", "79927398713", ""}},
		{"imei_ok", []string{"490154203237518", "49-015420-323751-8"}, []string{"490154203237517", "79927398713", ""}},
		{
			"iban_ok",
			[]string{"ES9121000418450200051332", "GB82 WEST 1234 5698 7654 32", "BR1800360305000010009795493C1", "de89370400440532013000", "PT50000201231234567890154", "MT84MALT011000012345MTLCAST001S"},
			[]string{"ES9121000418450200051333", "ES912100041845020005133", "XX9121000418450200051332", "ES91_21000418450200051332", "E", ""},
		},
		{"ccc_ok", []string{"21000418450200051332", "2100 0418 45 0200051332"}, []string{"21000418440200051332", "21000418460200051332", "2100041845020005133", ""}},
		{"cep_ok", []string{"01310-100", "01310100", "01.310-100"}, []string{"1310100", "013101000", "0131010a", ""}},
		{
			"phone_br_ok",
			[]string{"11987654321", "(11) 98765-4321", "+55 11 98765-4321", "5511987654321", "551133334444", "1133334444", "5533334444"},
			[]string{"20987654321", "11887654321", "987654321", "+34612345678", "119876543210", "1103334444", "1198765432x", ""},
		},
		{"phone_es_ok", []string{"612345678", "+34 612 345 678", "34612345678", "912345678"}, []string{"512345678", "61234567", "+351612345678", ""}},
	} {
		t.Run(c.function, func(t *testing.T) {
			for _, text := range c.right {
				require.True(t, call(t, c.function, text).Bool(), "%q is right", text)
			}
			for _, text := range c.wrong {
				v := call(t, c.function, text)
				require.Equal(t, jsonx.Bool, v.Kind())
				require.False(t, v.Bool(), "%q is wrong", text)
			}
		})
	}
}

func TestNormalForms(t *testing.T) {
	for _, c := range []struct{ function, text, want string }{
		{"cpfcnpj", "043.123.414-14", "04312341414"},
		{"cpfcnpj", "12312312312", "12312312312"},
		{"cpfcnpj", "12.abc.345/01de-35", "12ABC34501DE35"},
		{"cpfcnpj", "12.abc.345/01de-36", "123450136"},
		{"cpfcnpj", "CPF: 043.123.414-14", "04312341414"},
		{"cpfcnpj", "não tem", "none"},
		{"cpfcnpj", "", "none"},
		{"cpfcnpj_mask", "04312341414", "043.***.414-**"},
		{"cpfcnpj_mask", "043.123.414-14", "043.***.414-**"},
		{"cpfcnpj_mask", "12345678000101", "12.***.***/****-01"},
		{"cpfcnpj_mask", "12.abc.345/01de-35", "12.***.***/****-35"},
		{"cpfcnpj_mask", "1234", "***.***.***-**"},
		{"cpfcnpj_mask", "ana@example", "***.***.***-**"},
		{"cpfcnpj_mask", "", "***.***.***-**"},
		{"phone_br", "5511987654321", "11987654321"},
		{"phone_br", "123", "none"},
		{"phone_es", "34612345678", "612345678"},
		{"phone_es", "5", "none"},
	} {
		t.Run(c.function+" "+c.text, func(t *testing.T) {
			v := call(t, c.function, c.text)
			if v.None() {
				require.Equal(t, c.want, "none")
				return
			}
			require.Equal(t, c.want, v.Text())
		})
	}
}

func TestFormats(t *testing.T) {
	const refused = "refused"
	for _, c := range []struct{ format, text, want string }{
		{"cpfcnpj", "123.123.123-12", "12312312312"},
		{"cpfcnpj", "12ABC34501DE35", "12ABC34501DE35"},
		{"cpfcnpj", "7", "7"},
		{"cpfcnpj", "---", refused},
		{"cpf", "529.982.247-25", "52998224725"},
		{"cpf", "12312312312", refused},
		{"cnpj", "12.abc.345/01de-35", "12ABC34501DE35"},
		{"cnpj", "52998224725", refused},
		{"cep", "01310-100", "01310100"},
		{"cep", "1310100", refused},
		{"iccid", "8934 0711 0027 2700 059", "8934071100272700059"},
		{"iccid", "8934040000000000002", refused},
		{"imei", "490154203237518", "490154203237518"},
		{"imei", "490154203237519", refused},
		{"nif", "35317901-k", "35317901K"},
		{"nif", "12341234J", refused},
		{"nie", "x1234567l", "X1234567L"},
		{"nie", "11111111H", refused},
		{"cif", "a-58818501", "A58818501"},
		{"cif", "A58818502", refused},
		{"iban", "es91 2100 0418 4502 0005 1332", "ES9121000418450200051332"},
		{"iban", "ES00", refused},
		{"ccc", "2100-0418-45-0200051332", "21000418450200051332"},
		{"ccc", "1", refused},
		{"phone_br", "+55 (11) 3333-4444", "1133334444"},
		{"phone_br", "190", refused},
		{"phone_es", "+34 612 345 678", "612345678"},
		{"phone_es", "112", refused},
		{"digits", " 0042 ", "0042"},
		{"digits", "4 2", refused},
		{"digits", "", refused},
		{"email", " ana.luz+x@mail.example.com.br ", "ana.luz+x@mail.example.com.br"},
		{"email", "josé@exemplo.com", "josé@exemplo.com"},
		{"email", "ana@localhost", refused},
		{"email", "ana@@example.com", refused},
		{"email", "ana luz@example.com", refused},
		{"email", "ana@example..com", refused},
		{"email", "ana@-example.com", refused},
		{"email", ".ana@example.com", refused},
		{"email", "a..b@example.com", refused},
		{"email", "Ana <ana@example.com>", refused},
		{"email", "a@example.com,b@example.com", refused},
		{"email", "a\r\nBcc: b@example.com", refused},
		{"email", strings.Repeat("a", 65) + "@example.com", refused},
		{"date", "2026-02-28", "2026-02-28"},
		{"date", "2026-02-29", refused},
		{"date", "28/02/2026", refused},
		{"date", "2026-2-28", refused},
		{"date_dmy", "28/02/2026", "2026-02-28"},
		{"date_dmy", "28-02-2026", "2026-02-28"},
		{"date_dmy", "28022026", "2026-02-28"},
		{"date_dmy", "02/28/2026", refused},
		{"date_dmy", "2/8/2026", refused},
		{"date-time", "2026-01-31T10:00:00-03:00", "2026-01-31T10:00:00-03:00"},
		{"date-time", "2026-01-31T10:00:00", refused},
		{"uuid", "F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"},
		{"uuid", "f81d4fae7dec11d0a76500a0c91e6bf6", refused},
		{"uuid", "g81d4fae-7dec-11d0-a765-00a0c91e6bf6", refused},
		{"uuid", "f81d4fae+7dec-11d0-a765-00a0c91e6bf6", refused},
	} {
		t.Run(fmt.Sprintf("%s %q", c.format, c.text), func(t *testing.T) {
			f := Formats()[c.format]
			require.NotNil(t, f)
			got, ok := f.Normal(c.text)
			if !ok {
				got = refused
			}
			require.Equal(t, c.want, got)
		})
	}
}

// No spec, no registration: what is listed has help and an example that holds.
func TestFormatsDescribeThemselves(t *testing.T) {
	for name, f := range Formats() {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, name, f.Name)
			require.NotEmpty(t, f.Help)
			normal, ok := f.Normal(f.Example)
			require.True(t, ok, "the example is of the format")
			again, ok := f.Normal(normal)
			require.True(t, ok, "the normal form is of the format")
			require.Equal(t, normal, again, "the normal form stays")
		})
	}
}

// A normal form is its own normal form, whatever came in.
func TestNormalFormsStay(t *testing.T) {
	texts := rapid.OneOf(
		rapid.String(),
		rapid.StringMatching(`[0-9A-Za-z./ -]{8,18}`),
		rapid.StringMatching(`\+?[0-9() -]{8,16}`),
	)
	for name, f := range Formats() {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				once, ok := f.Normal(texts.Draw(rt, "text"))
				if !ok {
					return
				}
				twice, ok := f.Normal(once)
				require.True(rt, ok)
				require.Equal(rt, once, twice)
			})
		})
	}
}

// Of a masked document at most the six digits its form shows are shown.
func TestMaskShowsSixDigits(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.StringMatching(`[0-9A-Z./-]{0,20}`).Draw(rt, "text")
		masked := call(rt, "cpfcnpj_mask", text).Text()
		shown := len(keep(masked, isLetterOrDigit))
		require.LessOrEqual(rt, shown, 6)
		require.Contains(rt, []int{14, 18}, len(masked))
	})
}

// A document has the form of its kind, whatever its check digits, and is one
// where they are right; of a kind that is not known nothing is said.
func TestDocuments(t *testing.T) {
	fns, err := expr.NewFunctions(Functions()...)
	require.NoError(t, err)
	ask := func(name, kind, text string) (bool, *expr.RuntimeError) {
		fn, ok := fns.Find(name)
		require.True(t, ok)
		f := expr.NewFrame(new(expr.Layout), time.Time{}, nil)
		defer f.Release()
		return fn.Eval(f, []jsonx.Value{jsonx.TextValue(kind), jsonx.TextValue(text)}).Bool(), f.Err()
	}
	for kind, c := range map[string]struct{ right, formed, wrong []string }{
		"NIF":       {[]string{"11111111H", "12.345.678-z", "K1234567L"}, []string{"12341234J"}, []string{"1111111H", "X1234567L", "A58818501", "111111111", ""}},
		"NIE":       {[]string{"X1234567L", "y-1234567-x"}, []string{"X1234567M"}, []string{"11111111H", "W1234567L", "X123456L", "X12345678", ""}},
		"CIF":       {[]string{"A58818501", "P1234567D"}, []string{"A58818502"}, []string{"58818501A", "A5881850", "A5881850É", ""}},
		"PASAPORTE": {[]string{"AB 123456", "12345"}, nil, []string{"1234", "AB_123456", strings.Repeat("1", 16), ""}},
		"CPF":       {[]string{"529.982.247-25"}, []string{"12312312312"}, []string{"5299822472", "5299822472X", ""}},
		"CNPJ":      {[]string{"12.ABC.345/01DE-35"}, []string{"12ABC34501DE36"}, []string{"12ABC34501DE3A", "1122233300018", ""}},
	} {
		for i, texts := range [][]string{c.right, c.formed, c.wrong} {
			for _, text := range texts {
				formed, err := ask("document_form_ok", kind, text)
				require.Nil(t, err)
				right, err := ask("document_ok", kind, text)
				require.Nil(t, err)
				require.Equal(t, []bool{i < 2, i < 1}, []bool{formed, right}, "%s %s", kind, text)
			}
		}
	}
	_, failed := ask("document_ok", "RG", "1")
	require.NotNil(t, failed)
	require.Equal(t, "document_ok knows NIF, NIE, CIF, PASAPORTE, CPF or CNPJ", failed.Message)
}

// One wrong digit is found.
func TestCheckDigitsFindOneError(t *testing.T) {
	for name, c := range map[string]struct {
		ok   func(string) bool
		text string
	}{
		"luhn": {luhnOK, "8934071100272700059"}, "nif": {nifOK, "11111111H"}, "cif": {cifOK, "A58818501"},
		"iban": {ibanOK, "ES9121000418450200051332"},
	} {
		t.Run(name, func(t *testing.T) {
			require.True(t, c.ok(c.text))
			for i := range len(c.text) {
				if !isDigit(c.text[i]) {
					continue
				}
				for d := byte('0'); d <= '9'; d++ {
					if d != c.text[i] {
						require.False(t, c.ok(c.text[:i]+string(d)+c.text[i+1:]), "place %d", i)
					}
				}
			}
		})
	}
}

func TestExamplesHold(t *testing.T) {
	fns, err := expr.NewFunctions(Functions()...)
	require.NoError(t, err)
	for _, fn := range Functions() {
		t.Run(fn.Name, func(t *testing.T) {
			gives, err := fn.Example.Run(fns)
			require.NoError(t, err)
			require.Equal(t, fn.Example.Gives, gives)
		})
	}
}

func TestFunctionsRefuseOtherKinds(t *testing.T) {
	for _, fn := range Functions() {
		t.Run(fn.Name, func(t *testing.T) {
			f := expr.NewFrame(new(expr.Layout), time.Time{}, nil)
			defer f.Release()
			fn.Eval(f, []jsonx.Value{jsonx.NumberValue("52998224725")})
			require.NotNil(t, f.Err())
			require.Equal(t, fn.Name+" needs text and was given another kind", f.Err().Message)
		})
	}
}

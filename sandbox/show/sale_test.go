package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/sandbox"
)

func TestStrayComma(t *testing.T) {
	for _, c := range []struct {
		name, text   string
		line, column int
	}{
		{"in the first line", `{"a":1,}`, 1, 7},
		{"before a line's end", "{\n  \"a\": [1,\n  2],\n}", 3, 5},
		{"none", "{\n\"a\": [1, 2]}", 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			line, column := strayComma([]byte(c.text))
			require.Equal(t, []int{c.line, c.column}, []int{line, column})
		})
	}
}

func TestSaleNumbers(t *testing.T) {
	require.Equal(t, "12345678Z", nif(2_345_678))
	require.Equal(t, "8934042419120320860", checkDigit("893404241912032086"))
	require.Equal(t, "490154203237518", checkDigit("49015420323751"))
	require.Equal(t, "ES9121000418450200051332", ibanOf("21000418450200051332"))
	require.Equal(t, "45", controls("21000418", "0200051332"))
	require.Len(t, accountOf(1), 20)
}

func TestHurried(t *testing.T) {
	text := "  feito:\n    call: a\n    retry: { for: 4h, every: 20s }\n    lookup:\n      call: b\n    poll: { every: 10m, for: 15d }\n"
	require.Equal(t, "  feito:\n    call: a\n    retry: { for: 4h, every: 300ms }\n    lookup:\n      after: 200ms\n      call: b\n    poll: { every: 300ms, for: 15d }\n", hurried(text))
}

func TestCanaries(t *testing.T) {
	all, err := readSales(filepath.Join("..", ".."))
	require.NoError(t, err)
	c := newCanaries()
	s, err := c.sale(all, wholeSale, 1, nil)
	require.NoError(t, err)
	require.Greater(t, len(c.find(s.body)), 60)
	for _, was := range []string{"35317901K", "testtest@email.com", "611111111", "Alcala", "0200051332", "8934042419120320860", "612123123", "11111111H", "1971-01-22"} {
		require.NotContains(t, string(s.body), was, "what is about people is told from the shipped files")
	}
	require.Empty(t, c.find([]byte("nothing of anybody")))
	email := "zqx3@example.com"
	for value := range c.values {
		if strings.HasSuffix(value, "@example.com") {
			email = value
		}
	}
	for name, text := range map[string]string{
		"as it is": "x " + email, "in capitals": strings.ToUpper(email), "in an address": "?q=" + strings.ReplaceAll(email, "@", "%40"),
		"in hexadecimal digits": `\x` + hexOf("say "+email),
	} {
		t.Run(name, func(t *testing.T) { require.Len(t, c.find([]byte(text)), 1) })
	}
}

func hexOf(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		b.WriteString(string("0123456789abcdef"[c>>4]) + string("0123456789abcdef"[c&15]))
	}
	return b.String()
}

func TestCounted(t *testing.T) {
	got := counted(&sandbox.LedgerSale{
		Prospects: make([]sandbox.LedgerProspect, 1), Clients: []int64{1}, Addresses: []int64{1, 2}, Debits: []int64{1}, Contracts: make([]sandbox.LedgerContract, 5),
		Reservations: make([]sandbox.LedgerReservation, 1), Lines: []sandbox.LedgerLine{{Status: "ATIVO"}, {Status: "CANCELADO"}, {Status: "ATIVO"}},
	})
	want := whole[wholeSale]
	want.tickets = nil
	require.Equal(t, want.String(), got.String(), "a line that was cancelled does not stand")
	got.contracts++
	require.NotEqual(t, want.String(), got.String())
}

func TestCPU(t *testing.T) {
	took, err := cpuIn("42 (a name) with) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20 0")
	require.NoError(t, err)
	require.Equal(t, 2*time.Second, took)
	_, err = cpuIn("42 (x) S")
	require.Error(t, err)
	_, err = cpuOf(os.Getpid())
	require.NoError(t, err)
}

func TestAboutSales(t *testing.T) {
	all := []example{{command: "curl a"}, {command: "curl /v1/vendas -d x"}, {command: "emenda orders list"}, {command: "curl /v1/vendas/1"}, {command: "curl b"}}
	require.Equal(t, all[1:4], aboutSales(all))
	require.Empty(t, aboutSales(all[:1]))
}

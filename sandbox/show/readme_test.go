package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReadExamples(t *testing.T) {
	got := readExamples("# x\n\n```console\n$ curl -s \\\n    http://a/\n{\"a\":1}\n\n$ make x\n```\n```sh\n$ not this\n```\n```console\n$ bin/emenda check\nok ... done\n```\n")
	require.Equal(t, []example{
		{4, "curl -s \\\n    http://a/", "{\"a\":1}\n\n"},
		{8, "make x", ""},
		{14, "bin/emenda check", "ok ... done\n"},
	}, got)
}

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		name, want, got string
		is              bool
	}{
		{"the same", "{\"a\":1}\n", "{\"a\":1}", true},
		{"another value", "{\"a\":1}\n", "{\"a\":2}", false},
		{"more than expected", "a\n", "a\nb\n", false},
		{"less than expected", "a\nb\n", "a\n", false},
		{"wildcard inside a line", "Date: ...\nb\n", "Date: today\r\nb\r\n", true},
		{"wildcard over lines", "a\n...\nd\n", "a\nb\nc\nd\n", true},
		{"wildcard does not excuse the rest", "a ... c\n", "a b d\n", false},
		{"letters of a pattern are letters", "a.c\n", "abc\n", false},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.is, matches(c.want, c.got)) })
	}
}

func TestLookupDiffers(t *testing.T) {
	want := []contractLine{{1, "A \"B\"", "Ativo", 1, 1, "239.7"}}
	good := `{"msg":"Contrato(s) Localizado(s)","contratos":[{"razaoSocial":"A \"B\"","contratoStatusDisplay":"Ativo","promessasPagamentoMes":0,` +
		`"contratoValorAberto":239.70,"cpfCnpj":"1","contratoStatus":1,"contratoId":1,"contratoStatusModo":1}]}`
	require.Empty(t, lookupDiffers([]byte(good), "1", want))
	require.Equal(t, `contract 1: cpfCnpj is "1", want "2"`, lookupDiffers([]byte(good), "2", want))
	require.NotEmpty(t, lookupDiffers([]byte(good), "1", nil))
	require.NotEmpty(t, lookupDiffers([]byte(`{"msg":"Contrato(s) Localizado(s)"}`), "1", nil))
}

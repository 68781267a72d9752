package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDocument(t *testing.T) {
	for received, want := range map[string]string{
		"529.982.247-25": "52998224725", "CPF nº 7": "7", "CPF n\xba 7": "7", "12.abc.345/01de-35": "12ABC34501DE35", "12.abc.345/01de-36": "123450136",
		"11222333000181": "11222333000181", "não tem": "", "１２３": "", "": "",
	} {
		got, ok := document(received)
		require.Equal(t, want, got, received)
		require.Equal(t, want != "", ok, received)
	}
	require.True(t, rightCNPJ("12ABC34501DE35"))
	require.False(t, rightCNPJ("00000000000000"))
	require.False(t, rightCNPJ("12ABC34501DEA5"))
}

func TestContractNumber(t *testing.T) {
	for received, want := range map[string]string{"8006": "8006", " 008006\r\n": "8006", "0": "", "-1": "", "1 2": "", "": "", "1.0": "", "١": ""} {
		got, ok := contractNumber(received)
		require.Equal(t, want, got, received)
		require.Equal(t, want != "", ok, received)
	}
}

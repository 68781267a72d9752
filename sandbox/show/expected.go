package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
)

// contractLine is what the documented answer says of one contract. The drivers
// know it from the specifications and the sandbox's customers, not from the
// mapping that is shown.
type contractLine struct {
	id     int64
	name   string
	shown  string // contratoStatusDisplay
	status int64
	mode   int64
	open   string // contratoValorAberto, decimal
}

// byDocument are the lookups by document: what is answered for each customer
// of the sandbox, in the ERP's order.
var byDocument = map[string][]contractLine{
	"12312312312": { // the document's own example, whose invoice is cut short: no value
		{1283299, "CLIENTE TESTE", "Ativo", 1, 1, "0"},
		{1283303, "CLIENTE TESTE", "Ativo", 1, 2, "0"},
	},
	"12345678900": {
		{311622, "TESTE TESTE", "Ativo", 1, 1, "0"},
		{311623, "TESTE TESTE", "CANCELADO", 3, 1, "0"},
	},
	"11144477735": {{1282441, "FATURA EXEMPLO", "Ativo", 1, 1, "332.2"}},
	"52998224725": {
		{1300001, "MARIA EXEMPLO DA SILVA", "Ativo", 1, 1, "239.7"},
		{1300002, "MARIA EXEMPLO DA SILVA", "Ativo", 1, 2, "139.8"},
	},
	"39053344705": {
		{1300011, "JOAO EXEMPLO DE SOUZA", "Suspenso", 4, 1, "319.7"},
		{1300012, "JOAO EXEMPLO DE SOUZA", "Suspenso", 4, 2, "199.8"},
	},
	"24681357928": {
		{1300021, "ANDRÉ EXEMPLO DA CONCEIÇÃO", "AGUARDANDO INSTALACAO", 3, 1, "0"},
		{1300022, "ANDRÉ EXEMPLO DA CONCEIÇÃO", "AGUARDANDO PAGAMENTO", 3, 1, "89.9"},
		{1300023, "ANDRÉ EXEMPLO DA CONCEIÇÃO", "AGUARDANDO AMPLIACAO", 3, 1, "0"},
	},
	"97531864282": {},
	"11222333000181": {
		{1300031, "PADARIA EXEMPLO LTDA", "INATIVO TEMPORARIAMENTE", 3, 1, "258"},
		{1300032, "PADARIA EXEMPLO LTDA", "EM NEGOCIACAO", 3, 1, "258"},
		{1300033, "PADARIA EXEMPLO LTDA", "CANCELADO", 3, 1, "0"},
	},
	"12ABC34501DE35": {
		{1300041, "TECNOLOGIA EXEMPLO S.A.", "Ativo", 1, 1, "899"},
		{1300042, "TECNOLOGIA EXEMPLO S.A.", "EM ANALISE DE CREDITO", 3, 1, "1250"},
	},
}

// byContract are lookups by contract, with the document as it is masked there.
var byContract = map[string]struct {
	document string
	line     contractLine
}{
	"1283299": {"123.***.123-**", contractLine{1283299, "CLIENTE TESTE", "Ativo", 1, 1, "315.98"}},
	"1283321": {"123.***.123-**", contractLine{1283321, "CLIENTE TESTE", "Ativo", 1, 1, "315.98"}},
	"1282441": {"111.***.777-**", contractLine{1282441, "FATURA EXEMPLO", "Ativo", 1, 1, "332.2"}},
	"1300002": {"529.***.247-**", contractLine{1300002, "MARIA EXEMPLO DA SILVA", "Ativo", 1, 2, "139.8"}},
	"1300012": {"390.***.447-**", contractLine{1300012, "JOAO EXEMPLO DE SOUZA", "Suspenso", 4, 2, "199.8"}},
	"1300033": {"11.***.***/****-81", contractLine{1300033, "PADARIA EXEMPLO LTDA", "CANCELADO", 3, 1, "0"}},
	"1300042": {"12.***.***/****-35", contractLine{1300042, "TECNOLOGIA EXEMPLO S.A.", "EM ANALISE DE CREDITO", 3, 1, "1250"}},
}

// lookupDiffers tells how an answer differs from the documented one, "" when
// it does not: the members, their JSON types and values, nothing besides.
func lookupDiffers(body []byte, document string, want []contractLine) string {
	var got struct {
		Message   *string                      `json:"msg"`
		Contracts []map[string]json.RawMessage `json:"contratos"`
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&got); err != nil {
		return err.Error()
	}
	if got.Message == nil || *got.Message != "Contrato(s) Localizado(s)" || got.Contracts == nil || len(got.Contracts) != len(want) {
		return fmt.Sprintf("want Contrato(s) Localizado(s) and %d contracts, got %s", len(want), cutText(body))
	}
	for i, c := range got.Contracts {
		w := want[i]
		members := map[string]string{
			"razaoSocial": quoteJSON(w.name), "contratoStatusDisplay": quoteJSON(w.shown), "cpfCnpj": quoteJSON(document),
			"promessasPagamentoMes": "0", "contratoStatus": fmt.Sprint(w.status), "contratoId": fmt.Sprint(w.id),
			"contratoStatusModo": fmt.Sprint(w.mode),
		}
		if len(c) != len(members)+1 {
			return fmt.Sprintf("contract %d has %d members, want 8", w.id, len(c))
		}
		for name, value := range members {
			if string(c[name]) != value {
				return fmt.Sprintf("contract %d: %s is %s, want %s", w.id, name, c[name], value)
			}
		}
		if !sameNumber(string(c["contratoValorAberto"]), w.open) {
			return fmt.Sprintf("contract %d: contratoValorAberto is %s, want %s", w.id, c["contratoValorAberto"], w.open)
		}
	}
	return ""
}

// sameNumber compares JSON numbers exactly: 239.7 and 239.70 are the same.
func sameNumber(a, b string) bool {
	x, ok1 := new(big.Rat).SetString(a)
	y, ok2 := new(big.Rat).SetString(b)
	return ok1 && ok2 && x.Cmp(y) == 0
}

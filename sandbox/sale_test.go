package sandbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// seller makes sales over the sandbox's listener.
type seller struct {
	*rig
	token string
}

// ask makes a call that must be answered with status and gives its JSON.
func (s *seller) ask(method, path, body string, status int) map[string]any {
	s.t.Helper()
	got, _, out := s.do(method, path, body, "Token", s.token, "Content-Type", "application/json")
	require.Equal(s.t, status, got, out)
	var v any
	if out == "" {
		return nil
	}
	require.NoError(s.t, json.Unmarshal([]byte(out), &v), out)
	if m, ok := v.(map[string]any); ok {
		return m
	}
	return map[string]any{"list": v}
}

func (s *seller) ozmap(method, path, body string, status int) map[string]any {
	s.t.Helper()
	req := s.request(method, OzmapPath+path, body)
	req.Header.Set("Authorization", OzmapToken)
	res, err := s.client.Do(req)
	require.NoError(s.t, err)
	defer func() { require.NoError(s.t, res.Body.Close()) }()
	require.Equal(s.t, status, res.StatusCode)
	var m map[string]any
	if status != http.StatusNoContent {
		require.NoError(s.t, json.NewDecoder(res.Body).Decode(&m))
	}
	return m
}

func (s *seller) mvno(body string) map[string]any {
	s.t.Helper()
	return s.ask(http.MethodPost, MVNOPath, `{"token":"`+MVNOToken+`",`+body[1:], http.StatusOK)
}

const sold = "/ws/comercial/"

// prospect registers one and gives its number.
func (s *seller) prospect(nif string) int64 {
	s.t.Helper()
	return whole(s.t, s.ask("POST", sold+"prospectos/cadastrar", `{"tipoPessoa":"PessoaFisica","nome":"NAME LASTNAME","telefoneFixo":"34611111111","telefoneMovel":"34611111111","idVendedor":7,`+
		`"idSegmentoProspecto":1,"idTipoProspecto":1,"idCanalVenda":1,"idEmpresa":1,"dataNascimento":"22-01-1971","observacaoProspecto":"NIF `+nif+`, venda `+nif+`"}`, 200)["idProspecto"])
}

func whole(t *testing.T, v any) int64 {
	t.Helper()
	f, ok := v.(float64)
	require.True(t, ok, "%v is no number", v)
	return int64(f)
}

// customer brings a prospect as far as a customer with an address.
func (s *seller) customer(nif string) (id, address int64) {
	s.t.Helper()
	p := s.prospect(nif)
	s.ask("POST", sold+"prospectos/enderecos/cadastrar", fmt.Sprintf(`{"idUsuario":5,"idProspecto":%d,"idEndereco":900001,"numero":123,"tipoEndereco":"PADRAO","idClassificacaoEndereco":1}`, p), 200)
	id = whole(s.t, s.ask("POST", sold+"prospectos/converter/cliente", fmt.Sprintf(`{"idUsuario":5,"idProspecto":%d}`, p), 200)["idCliente"])
	list := s.ask("GET", fmt.Sprintf(sold+"clientes/%d/enderecos", id), "", 200)["resposta"].([]any)
	require.Len(s.t, list, 1, "the prospect's address came along")
	return id, whole(s.t, list[0].(map[string]any)["id"])
}

// A whole sale, from viability to lines, is what the ledger shows of it.
func TestSaleWhole(t *testing.T) {
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	s := &seller{rig: start(t, Options{Now: func() time.Time { return now }})}
	s.token = s.rig.token()
	const nif = "35317901K"

	at := s.ask("GET", GeocoderPath+"/search?q=Alcala+123,+28028+Madrid", "", 200)["list"].([]any)[0].(map[string]any)
	near := s.ozmap("GET", fmt.Sprintf("/ftth-viability/radius?lat=%s&lng=%s", at["lat"], at["lon"]), "", 200)
	require.Equal(t, true, near["viable"])
	box := near["boxes"].([]any)[0].(map[string]any)
	place := s.ask("GET", "/ws/terceiros/enderecos/cep/00028028", "", 200)
	require.Equal(t, int64(900001), whole(t, place["id"]))

	p := s.prospect(nif)
	s.ask("POST", sold+"prospectos/enderecos/cadastrar", fmt.Sprintf(`{"idUsuario":5,"idProspecto":%d,"idEndereco":900001,"numero":123,"tipoEndereco":"PADRAO","idClassificacaoEndereco":1}`, p), 200)
	who := fmt.Sprintf(`{"idUsuario":5,"idProspecto":%d}`, p)
	require.Equal(t, map[string]any{"possuiDivida": false}, s.ask("POST", sold+"prospectos/credito_interno/consultar", who, 200)["resposta"])
	require.Equal(t, true, s.ask("POST", sold+"prospectos/spc/consultar", who, 200)["resposta"].(map[string]any)["aprovado"])
	s.ask("POST", sold+"prospectos/clear_sale/consultar", who, 200)
	require.Equal(t, "APROVADO", s.ask("POST", sold+"prospectos/viabilidade_tecnica/consultar", who, 200)["resposta"].(map[string]any)["resultado"])

	client := whole(t, s.ask("POST", sold+"prospectos/converter/cliente", who, 200)["idCliente"])
	found := s.ask("GET", sold+"clientes/buscar/vendedor/7", "", 200)["resposta"].([]any)
	require.Equal(t, []any{map[string]any{"id": float64(client), "nome": "NAME LASTNAME", "cpf": nil, "cnpj": nil}}, found)
	address := whole(t, s.ask("GET", fmt.Sprintf(sold+"clientes/%d/enderecos", client), "", 200)["resposta"].([]any)[0].(map[string]any)["id"])
	ids := s.ask("POST", sold+"clientes/dados_debito/cadastrar", fmt.Sprintf(`[{"idUsuario":5,"idCliente":%d,"idBanco":49,"nomeTitular":"NAME LASTNAME","agencia":"2345","contaCorrente":"1234512345","dvContaCorrente":"28"}]`, client), 200)
	require.Len(t, ids["idsDadosDebitoCliente"], 1)
	kept := s.ask("GET", fmt.Sprintf(sold+"clientes/%d/dados_debito", client), "", 200)["resposta"].([]any)
	require.Equal(t, "1234512345", kept[0].(map[string]any)["contaCorrente"])

	prefix := s.ask("GET", "/ws/telefonia/prefixos/cidade/9001/portabilidade/0", "", 200)["resposta"].([]any)[0].(map[string]any)
	free := s.ask("GET", fmt.Sprintf("/ws/telefonia/numeros/livres/prefixo/%d", whole(t, prefix["id"])), "", 200)["resposta"].([]any)
	require.Len(t, free, 1000)
	landline := whole(t, free[0].(map[string]any)["id"])
	bundle := fmt.Sprintf(`{"idUsuario":5,"idCliente":%d,"idTipoContrato":1,"idsEnderecos":[%d],"idVencimento":1,"idFormaCobranca":65,"idPacote":23,"idNumero":%d,`+
		`"dadosPlanosPacote":[{"idPlano":1159,"valorContrato":40},{"idPlano":673,"valorContrato":10.5},{"idPlano":692,"valorContrato":9}]}`, client, address, landline)
	contracts := s.ask("POST", sold+"contratos/cadastrar", bundle, 200)["resposta"].([]any)
	require.Len(t, contracts, 3)
	require.Equal(t, "1159 - FIBRA MAIS - 15M", contracts[0].(map[string]any)["plano"])
	require.Equal(t, map[string]any{"error": "O número informado não está livre."}, s.ask("POST", sold+"contratos/cadastrar", bundle, 200), "and none of its contracts is made")
	contract := whole(t, contracts[0].(map[string]any)["id"])

	property := s.ozmap("POST", "/properties", fmt.Sprintf(`{"box":%q,"project":%q,"coords":[-3.67,40.43],"auto_connect":true,"client":{"code":"%d","name":"NAME","implanted":false}}`, box["id"], box["project"], contract), 201)
	line := `"Linha_Contrato_DDD":"34","Linha_Contrato_NRO":"612120500"}`
	require.Equal(t, "10", codeOf(s.mvno(`{"metodo":"consultar_status_simcard",`+line)))
	made := s.mvno(`{"metodo":"cadastrar_contrato","Cpf_Cnpj":"` + nif + `","Nome":"NAME","Produto":635,"Portabilidade":1,"Operadora_Doadora":"456",` + line)
	mobile := whole(t, made["numero_contrato"])
	require.Equal(t, mobile, whole(t, s.mvno(`{"metodo":"consultar_status_simcard",` + line)["numero_contrato"]), "found by its line, without a SIM")
	require.Equal(t, "21", codeOf(s.mvno(`{"metodo":"cadastrar_contrato","Cpf_Cnpj":"`+nif+`","Nome":"NAME","Produto":635,"Portabilidade":0,`+line)), "a number goes once")
	s.ozmap("PATCH", "/ftth-clients/"+property["client"].(map[string]any)["id"].(string), `{"implanted":true}`, 204)
	require.Equal(t, "0", codeOf(s.mvno(fmt.Sprintf(`{"metodo":"ativar_simcard","numero_contrato":%d,"Numero_SimCard":%q}`, mobile, "893404241912032086"+luhn("893404241912032086")))))
	now = now.Add(2 * time.Minute)
	require.Equal(t, "FALHA", s.mvno(fmt.Sprintf(`{"metodo":"consultar_status_portabilidade","numero_contrato":%d}`, mobile))["Descricao"])
	s.ask("POST", sold+"atendimentos/cadastrar", fmt.Sprintf(`{"idContrato":%d,"descricao":"Portabilidade com falha"}`, contract), 200)

	ledger := s.Ledger(nif)
	require.Empty(t, ledger.Twice)
	require.Empty(t, ledger.LooseLines)
	require.Empty(t, ledger.LooseReservations)
	require.Equal(t, map[string]int{"prospect": 1, "address": 1, "spc query": 1, "clear sale query": 1, "client": 1, "debit": 1, "contract": 3, "reservation": 1, "line": 1, "service call": 1}, ledger.Made)
	require.Len(t, ledger.Sales, 1)
	sale := ledger.Sales[0]
	require.Equal(t, []LedgerProspect{{p, prospectWon, client, "NIF 35317901K, venda 35317901K"}}, sale.Prospects)
	require.Equal(t, []int64{client}, sale.Clients)
	require.Equal(t, []LedgerReservation{{property["id"].(string), strconv.FormatInt(contract, 10), "CTO-28028", 1, true}}, sale.Reservations)
	require.Equal(t, "(34) 612120500", sale.Lines[0].Line)
	require.Equal(t, "FALHA", sale.Lines[0].Portability)
	require.Len(t, sale.Contracts, 3)
	require.Equal(t, landline, sale.Contracts[1].Number)
	require.Len(t, sale.Tickets, 1)
	require.Len(t, sale.Addresses, 1)
	require.Len(t, sale.Debits, 1)
	require.Empty(t, s.Ledger("00000000T").Sales)

	_, _, body := s.do("GET", "/_sandbox/ledger?document="+nif, "")
	require.Contains(t, body, `"twice":[]`)
	s.Reset()
	require.Empty(t, s.Ledger("").Made)
}

// codeOf is the platform's code, whichever way it is written.
func codeOf(answer map[string]any) string {
	said, _ := answer["retorno"].(map[string]any)
	return fmt.Sprint(said["codigo"])
}

// What is made twice is told, though it was undone in between.
func TestLedgerTellsWhatWasMadeTwice(t *testing.T) {
	s := &seller{rig: start(t, Options{})}
	s.token = s.rig.token()
	s.prospect("00000000T")
	s.prospect("00000000T")
	s.prospect("00000001R")
	for range 2 {
		p := s.ozmap("POST", "/properties", `{"project":"5f0000010000000000000001","lat":1,"lng":1,"client":{"code":"77"}}`, 201)
		s.ozmap("DELETE", "/properties/"+p["id"].(string), "", 204)
	}
	s.ozmap("POST", "/properties", `{"project":"5f0000010000000000000001","lat":1,"lng":1,"client":{"code":"78"}}`, 201)
	ledger := s.Ledger("")
	require.Equal(t, []LedgerTwice{{"prospect", "00000000T NIF 00000000T, venda 00000000T", 2}, {"reservation", "77", 2}}, ledger.Twice)
	require.Equal(t, "78", ledger.LooseReservations[0].Code)
	require.Len(t, ledger.Sales, 2)
}

// Magic values: who is refused, and where nothing is free.
func TestSaleRefusals(t *testing.T) {
	s := &seller{rig: start(t, Options{})}
	s.token = s.rig.token()
	of := func(nif string) string { return fmt.Sprintf(`{"idUsuario":5,"idProspecto":%d}`, s.prospect(nif)) }
	debt := s.ask("POST", sold+"prospectos/credito_interno/consultar", of("99910001X"), 200)["resposta"].(map[string]any)
	require.Equal(t, true, debt["possuiDivida"])
	require.Len(t, debt["faturas"], 1)
	require.Equal(t, false, s.ask("POST", sold+"prospectos/spc/consultar", of("99920001X"), 200)["resposta"].(map[string]any)["aprovado"])
	points := s.ask("POST", sold+"prospectos/clear_sale/consultar", of("99930001X"), 200)["resposta"].(map[string]any)["resultado"].(map[string]any)["ponto"].(map[string]any)
	require.InDelta(t, 12.5, points["valor"], 0)

	require.Equal(t, map[string]any{"error": "CEP não encontrado"}, s.ask("GET", "/ws/terceiros/enderecos/cep/00099999", "", 200))
	require.Empty(t, s.ask("GET", GeocoderPath+"/search?q=99999", "", 200)["list"])
	full := s.ozmap("GET", "/ftth-viability/radius?lat=41.38&lng=2.17", "", 200)
	require.Equal(t, false, full["viable"])
	require.Len(t, full["refused_boxes"], 1)
	prefix := s.ask("GET", "/ws/telefonia/prefixos/cidade/9002/portabilidade/0", "", 200)["resposta"].([]any)[0].(map[string]any)
	require.Empty(t, s.ask("GET", fmt.Sprintf("/ws/telefonia/numeros/livres/prefixo/%d", whole(t, prefix["id"])), "", 200)["resposta"])
	require.Empty(t, s.ask("GET", "/ws/telefonia/prefixos/cidade/44/portabilidade/0", "", 200)["resposta"])
	require.Len(t, s.ask("GET", "/ws/telefonia/prefixos/cidade/9001/portabilidade/1", "", 200)["resposta"], 1, "another operator's")
}

// A fault of one customer meets this customer's calls, by whatever they name.
func TestFaultsOfOneCustomer(t *testing.T) {
	s := &seller{rig: start(t, Options{})}
	s.token = s.rig.token()
	mine, address := s.customer("11111111H")
	other, otherAddress := s.customer("22222222J")
	contract := func(client, address int64) string {
		return fmt.Sprintf(`{"idUsuario":5,"idCliente":%d,"idPlano":870,"idTipoContrato":1,"idsEnderecos":[%d],"idVencimento":1,"valorContrato":1}`, client, address)
	}
	made := s.ask("POST", sold+"contratos/cadastrar", contract(mine, address), 200)["resposta"].(map[string]any)
	require.Equal(t, "MOVEL", made["tecnologia"])
	reservation := func(code any) string {
		return fmt.Sprintf(`{"project":"5f0000010000000000000001","lat":1,"lng":1,"client":{"code":"%.0f"}}`, code)
	}
	property := s.ozmap("POST", "/properties", reservation(made["id"]), 201)
	line := whole(t, s.mvno(`{"metodo":"cadastrar_contrato","Cpf_Cnpj":"11111111H","Nome":"N","Produto":635,"Linha_Contrato_DDD":"34","Linha_Contrato_NRO":"711111111"}`)["numero_contrato"])

	spoilt := map[string]any{"error": "Internal Server Error"}
	for _, f := range []struct {
		op   string
		call func() map[string]any
	}{
		{"comercial.prospectos.cadastrar", func() map[string]any {
			return s.ask("POST", sold+"prospectos/cadastrar", `{"observacaoProspecto":"NIF 11111111H"}`, 500)
		}},
		{"comercial.contratos.cadastrar.demais", func() map[string]any { return s.ask("POST", sold+"contratos/cadastrar", contract(mine, address), 500) }},
		{"comercial.clientes.enderecos", func() map[string]any { return s.ask("GET", fmt.Sprintf(sold+"clientes/%d/enderecos", mine), "", 500) }},
		{"comercial.clientes.dados_debito.cadastrar", func() map[string]any {
			return s.ask("POST", sold+"clientes/dados_debito/cadastrar", fmt.Sprintf(`[{"idCliente":%d}]`, mine), 500)
		}},
		{"comercial.atendimentos.cadastrar", func() map[string]any {
			return s.ask("POST", sold+"atendimentos/cadastrar", fmt.Sprintf(`{"idContrato":%.0f,"descricao":"x"}`, made["id"]), 500)
		}},
		{"ozmap.properties.create", func() map[string]any { return s.ozmap("POST", "/properties", reservation(made["id"]), 500) }},
		{"ozmap.properties.by_client", func() map[string]any {
			return s.ozmap("GET", fmt.Sprintf("/properties/client/%.0f", made["id"]), "", 500)
		}},
		{"ozmap.properties.delete", func() map[string]any {
			return s.ozmap("DELETE", "/properties/"+property["id"].(string), "", 500)
		}},
		{"ozmap.ftth_clients.update", func() map[string]any {
			return s.ozmap("PATCH", "/ftth-clients/"+property["client"].(map[string]any)["id"].(string), `{}`, 500)
		}},
		{"mvno.consultar_status_simcard", func() map[string]any {
			return s.ask("POST", MVNOPath, fmt.Sprintf(`{"token":%q,"metodo":"consultar_status_simcard","numero_contrato":%d}`, MVNOToken, line), 500)
		}},
		{"mvno.cancelar_simcard", func() map[string]any {
			return s.ask("POST", MVNOPath, `{"token":"`+MVNOToken+`","metodo":"cancelar_simcard","Linha_Contrato_DDD":"34","Linha_Contrato_NRO":"711111111"}`, 500)
		}},
		{"partner.callback", func() map[string]any {
			return s.ask("POST", PartnerPath, fmt.Sprintf(`{"id":"a","identifiers":{"cliente":%d}}`, mine), 500)
		}},
	} {
		t.Run(f.op, func(t *testing.T) {
			s.Fault(Fault{Operation: f.op, Of: "11111111-H", Kind: KindStatus500, Times: 2})
			require.Equal(t, spoilt, f.call())
			require.Equal(t, spoilt, f.call())
			require.Empty(t, s.faults.all())
		})
	}
	_, _, out := s.do("POST", "/_sandbox/faults", `{"operation":"comercial.contratos.cadastrar.demais","of":"22222222J","kind":"cut_before_read","times":-1}`)
	require.Contains(t, out, `"of":"22222222J"`)
	s.ask("POST", sold+"contratos/cadastrar", contract(mine, address), 200)
	for range 3 {
		res, err := s.client.Do(s.request("POST", sold+"contratos/cadastrar", contract(other, otherAddress), "Token", s.token))
		if err == nil {
			require.NoError(t, res.Body.Close())
		}
		require.Error(t, err, "for good")
	}
	require.Equal(t, 3, s.Ledger("").Made["contract"]+1, "cut before it did anything")
	status, _, out := s.do("POST", "/_sandbox/faults", `{"of":"22222222J","kind":"status500"}`)
	require.Equal(t, 400, status, out)
}

// The partner believes what is signed, and says what is wrong else.
func TestPartner(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	r := start(t, Options{Now: func() time.Time { return now }})
	sign := func(at, body, key string) string {
		mac := hmac.New(sha256.New, []byte(key))
		_, _ = mac.Write([]byte(at + "." + body))
		return "sha256=" + hex.EncodeToString(mac.Sum(nil))
	}
	const body = `{"id":"v1","status":"done"}`
	for _, c := range []struct {
		name, at, signature string
		status              int
		why                 string
	}{
		{"signed", "1800000000", sign("1800000000", body, PartnerKey), 204, ""},
		{"signed, again", "1799999800", sign("1799999800", body, PartnerKey), 204, ""},
		{"of another body", "1800000000", sign("1800000000", body+" ", PartnerKey), 401, "the signature is wrong"},
		{"of another time", "1800000001", sign("1800000000", body, PartnerKey), 401, "the signature is wrong"},
		{"with another key", "1800000000", sign("1800000000", body, "k"), 401, "the signature is wrong"},
		{"old", "1799999000", sign("1799999000", body, PartnerKey), 401, "the timestamp is too old, or of the future"},
		{"unsigned", "1800000000", "", 401, "no X-Emenda-Signature"},
		{"without a time", "", sign("", body, PartnerKey), 401, "no X-Emenda-Timestamp"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, _, _ := r.do("POST", PartnerPath, body, "X-Emenda-Timestamp", c.at, "X-Emenda-Signature", c.signature)
			require.Equal(t, c.status, status)
			heard := r.Callbacks()
			last := heard[len(heard)-1]
			require.Equal(t, c.why, last.Why)
			require.Equal(t, "v1", last.ID)
			require.Equal(t, len(heard) > 1, last.Again)
		})
	}
	_, _, out := r.do("GET", "/_sandbox/partner", "")
	require.Contains(t, out, `"signed":true`)
}

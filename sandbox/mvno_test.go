package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// mvnoRig is a platform whose clock a test moves, and a client of its.
type mvnoRig struct {
	*rig
	at    *time.Time
	token string
}

func startMVNO(t *testing.T, o MVNOOptions) *mvnoRig {
	t.Helper()
	at := time.Date(2026, 3, 20, 10, 0, 0, 0, time.UTC)
	return &mvnoRig{start(t, Options{MVNO: o, Now: func() time.Time { return at }}), &at, MVNOToken}
}

// ask sends one method with its fields, {"x":1} without the braces, and gives
// the answer as it came.
func (r *mvnoRig) ask(metodo, fields string) string {
	r.t.Helper()
	body := `{"metodo":"` + metodo + `","token":"` + r.token + `"`
	if fields != "" {
		body += "," + fields
	}
	status, kind, answer := r.do("POST", "/mvno", body+"}", "Content-Type", "application/json", "Authorization", "")
	require.Equal(r.t, http.StatusOK, status)
	require.Equal(r.t, typeJSON, kind)
	return answer
}

// told is an answer as a client reads it.
type told struct {
	Retorno struct {
		Codigo   any
		Mensagem string
	}
	Token string
	Life  string `json:"tempo_vida"`
}

// code reads retorno.codigo as it is written.
func (r *mvnoRig) code(answer string) any {
	r.t.Helper()
	var got told
	require.NoError(r.t, json.Unmarshal([]byte(answer), &got), answer)
	return got.Retorno.Codigo
}

// turn sets how tokens change while the sandbox runs.
func (r *mvnoRig) turn(settings string) MVNOState {
	r.t.Helper()
	status, _, body := r.do("POST", "/_sandbox/mvno", settings)
	require.Equal(r.t, http.StatusOK, status, body)
	var got MVNOState
	require.NoError(r.t, json.Unmarshal([]byte(body), &got))
	return got
}

const (
	mvnoOK    = `{"codigo":0,"mensagem":"OPERACAO REALIZADA COM SUCESSO"}`
	mvnoOKTxt = `{"codigo":"0","mensagem":"OPERACAO REALIZADA COM SUCESSO"}`
	freeSIM   = "89552600000000005015"
	usedSIM   = "89552600000020350219"
	idleSIM   = "8955260000000006017"
	customer1 = `"Cpf_Cnpj":"52998224725","Nome":"CLIENTE TESTE DA SILVA","Produto":635,"Linha_Contrato_DDD":"31",`
)

// Every method, in the order of a contract's life.
func TestMVNOMethods(t *testing.T) {
	r := startMVNO(t, MVNOOptions{})
	life := func(status string) string {
		return `"Numero_SimCard":"` + freeSIM + `","Status":"` + status + `","Situacao":"EM USO","numero_contrato":2200001,"Linha_Contrato_DDD":"31","Linha_Contrato_NRO":"999990001"`
	}
	blocked := `,"MotivoBloqueio":"1"`
	seen := map[string]bool{"autenticar": true}
	for _, c := range []struct{ name, metodo, fields, want string }{
		{"registered", "cadastrar_contrato", customer1 + `"Portabilidade":0,"Linha_Contrato_NRO":"999990001"`, `{"retorno":` + mvnoOK + `,"numero_contrato":2200001,"Linha_Contrato_DDD":"31","Linha_Contrato_NRO":"999990001"}`},
		{"enabled", "ativar_simcard", `"numero_contrato":"2200001","Numero_SimCard":"` + freeSIM + `"`, `{"retorno":` + mvnoOK + `,` + life("ATIVO") + `}`},
		{"blocked in part", "bloquear_simcard_parcial", `"numero_contrato":2200001,"MotivoBloqueio":1`, `{"retorno":` + mvnoOK + `,` + life("BLOQUEADO PARCIAL") + blocked + `}`},
		{"unblocked", "desbloquear_simcard", `"numero_contrato":2200001,"Numero_SimCard":""`, `{"retorno":` + mvnoOK + `,` + life("ATIVO") + `}`},
		{"blocked", "bloquear_simcard", `"numero_contrato":2200001,"MotivoBloqueio":"1"`, `{"retorno":` + mvnoOK + `,` + life("BLOQUEADO") + blocked + `}`},
		{"looked at", "consultar_status_simcard", `"Numero_SimCard":"` + freeSIM + `"`, `{"retorno":` + mvnoOKTxt + `,` + life("BLOQUEADO") + blocked + `}`},
		{"looked at by contract", "consultar_status_simcard", `"numero_contrato":2200001`, `{"retorno":` + mvnoOKTxt + `,` + life("BLOQUEADO") + blocked + `}`},
		{"cancelled", "cancelar_simcard", `"numero_contrato":2200001`, `{"retorno":` + mvnoOK + `,` + life("CANCELADO") + `}`},
		{"reverted", "reativar_simcard", `"numero_contrato":2200001`, `{"retorno":` + mvnoOK + `,` + life("ATIVO") + `}`},
		{"owner", "alterar_cliente_contrato", `"numero_contrato":2200001,"Cpf_Cnpj":"12ABC34501DE35","Nome":"  OUTRO CLIENTE TESTE "`, `{"retorno":` + mvnoOK + `,"numero_contrato":2200001}`},
		{"product", "trocar_produto", `"numero_contrato":2200001,"Produto":"636"`, `{"retorno":` + mvnoOK + `,"numero_contrato":2200001,"Produto":636}`},
		{"data", "comprar_dados", `"Numero_SimCard":"","numero_contrato":2200001,"Qtde_GB":2`, `{"retorno":` + mvnoOKTxt + `,"numero_contrato":2200001,"Numero_SimCard":"` + freeSIM + `","Qtde_GB":2,"Total_GB":2}`},
		{"data again", "comprar_dados", `"numero_contrato":2200001,"Qtde_GB":"1"`, `{"retorno":` + mvnoOKTxt + `,"numero_contrato":2200001,"Numero_SimCard":"` + freeSIM + `","Qtde_GB":1,"Total_GB":3}`},
		{"another SIM", "trocar_simcard", `"numero_contrato":2200001,"Numero_SimCard":"` + freeSIM + `","Numero_SimCard_Novo":"8955260000000006009"`, `{"retorno":` + mvnoOKTxt + `,` + strings.ReplaceAll(life("ATIVO"), freeSIM, "8955260000000006009") + `}`},
		{"the old one", "disponibilizar_simcard", `"Numero_SimCard":"` + freeSIM + `"`, `{"retorno":{"codigo":0,"mensagem":"SOLICITACAO ACEITA, SERA PROCESSADA NA ROTINA MENSAL"},"Numero_SimCard":"` + freeSIM + `","Status":"INATIVO","Situacao":"LIVRE"}`},
		{"nothing consumed", "consultar_extrato", `"numero_contrato":2140005,"data_inicial":"2026-03-01","data_final":"31/03/2026"`, `{"retorno":` + mvnoOKTxt + `,"numero_contrato":2140005,"extrato":[]}`},
		{"brought here", "cadastrar_contrato", customer1 + `"Portabilidade":1,"Operadora_Doadora":"EXEMPLO","Linha_Contrato_NRO":"977770500"`, `{"retorno":` + mvnoOK + `,"numero_contrato":2200002,"Linha_Contrato_DDD":"31","Linha_Contrato_NRO":"977770500","s_base_cadup":"S","s_base_portabilidade":"N"}`},
		{"on its way", "consultar_status_portabilidade", `"numero_contrato":2200002`, `{"retorno":` + mvnoOKTxt + `,"numero_contrato":2200002,"Linha_Contrato_DDD":"31","Linha_Contrato_NRO":"977770500","Operadora_Doadora":"EXEMPLO","Status":1,"Descricao":"SOLICITADA","Motivo":"","Data_Solicitacao":"2026-03-20 10:00:00"}`},
		{"sent again", "reenviar_portabilidade", `"numero_contrato":2130004`, `{"retorno":` + mvnoOKTxt + `,"numero_contrato":2130004,"Linha_Contrato_DDD":"31","Linha_Contrato_NRO":"988880500","Operadora_Doadora":"OPERADORA EXEMPLO","Status":1,"Descricao":"SOLICITADA","Motivo":"","Data_Solicitacao":"2026-03-20 10:00:00"}`},
		{"not brought here", "cancelar_portabilidade", `"numero_contrato":2130005`, `{"retorno":` + mvnoOKTxt + `,"numero_contrato":2130005,"Linha_Contrato_DDD":"31","Linha_Contrato_NRO":"988880501","Operadora_Doadora":"OPERADORA EXEMPLO","Status":5,"Descricao":"CANCELADA","Motivo":"","Data_Solicitacao":"2026-01-02 12:00:00"}`},
		{"a sale undone", "cancelar_simcard", `"numero_contrato":2140005`, `{"retorno":` + mvnoOK + `,"numero_contrato":2140005}`},
	} {
		seen[c.metodo] = true
		ok := t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, r.ask(c.metodo, c.fields)) })
		require.True(t, ok, "what follows needs it")
	}
	var numbers struct{ Numeros []mvnoLine }
	require.NoError(t, json.Unmarshal([]byte(r.ask("listar_numeros_disponiveis", `"Linha_Contrato_DDD":"31"`)), &numbers))
	require.Len(t, numbers.Numeros, 40, "one was taken, one came back")
	require.Contains(t, numbers.Numeros, mvnoLine{"31", "999991007"})
	require.NotContains(t, numbers.Numeros, mvnoLine{"31", "999990001"})
	var all struct{ Numeros []mvnoLine }
	require.NoError(t, json.Unmarshal([]byte(r.ask("listar_numeros_disponiveis", "")), &all))
	require.Len(t, all.Numeros, 120)
	seen["listar_numeros_disponiveis"] = true
	require.Len(t, seen, len(mvnoMethods())+1)

	done, received := r.MVNODone("comprar_dados", "2200001")
	require.Equal(t, []int{2, 2}, []int{done, received})
	done, _ = r.MVNODone("cadastrar_contrato", "31999990001")
	require.Equal(t, 1, done)
	_, _, data := r.do("GET", "/_sandbox/mvno/data", "")
	require.Contains(t, data, `"Nome":"  OUTRO CLIENTE TESTE "`, "kept as it came")
	require.Contains(t, data, `"2130005":"CANCELADA"`)
}

// Every rule is broken once, and nothing is done.
func TestMVNORefuses(t *testing.T) {
	r := startMVNO(t, MVNOOptions{})
	_, _, before := r.do("GET", "/_sandbox/mvno/data", "")
	seen := map[int]bool{}
	for _, c := range []struct {
		name, metodo, fields string
		code                 int
		words                string
	}{
		{"no method", "nada", "", codeMethod, "METODO INVALIDO: nada"},
		{"no contract given", "trocar_produto", "", codeMissing, "CAMPO OBRIGATORIO NAO INFORMADO: numero_contrato"},
		{"a placeholder", "desbloquear_simcard", `"numero_contrato":"_CONTRATO_INTEGRADORA_"`, codeInvalid, "VALOR INVALIDO PARA O CAMPO numero_contrato: _CONTRATO_INTEGRADORA_"},
		{"no contract", "cancelar_simcard", `"numero_contrato":999999`, codeContract, "CONTRATO 999999 NAO ENCONTRADO"},
		{"no SIM", "consultar_status_simcard", `"Numero_SimCard":"1"`, codeSIM, "SIMCARD 1 NAO ENCONTRADO"},
		{"another's SIM", "bloquear_simcard", `"numero_contrato":2124690,"Numero_SimCard":"` + usedSIM + `","MotivoBloqueio":"1"`, codeOtherSIM, "SIMCARD " + usedSIM + " NAO PERTENCE AO CONTRATO 2124690"},
		{"blocked twice", "bloquear_simcard", `"numero_contrato":2140001,"MotivoBloqueio":"1"`, codeNotActive, "SIMCARD 89552600000000001022 NAO ESTA ATIVO (BLOQUEADO)"},
		{"blocked in part twice", "bloquear_simcard_parcial", `"numero_contrato":2140002,"MotivoBloqueio":"1"`, codeNotActive, "SIMCARD 89552600000000001030 NAO ESTA ATIVO (BLOQUEADO PARCIAL)"},
		{"not in use", "bloquear_simcard_parcial", `"numero_contrato":2140004,"MotivoBloqueio":"1"`, codeNotInUse, "SIMCARD 89552600000000001055 NAO ESTA EM USO (RESERVADO)"},
		{"no motive", "bloquear_simcard", `"numero_contrato":2112697`, codeMissing, "CAMPO OBRIGATORIO NAO INFORMADO: MotivoBloqueio"},
		{"a motive in words", "bloquear_simcard", `"numero_contrato":2112697,"MotivoBloqueio":"falta de pagamento"`, codeMotive, "MOTIVO DE BLOQUEIO INVALIDO: falta de pagamento"},
		{"not blocked", "desbloquear_simcard", `"numero_contrato":2112697`, codeNotBlocked, "SIMCARD " + usedSIM + " NAO ESTA BLOQUEADO (ATIVO)"},
		{"not cancelled", "reativar_simcard", `"numero_contrato":2112697`, codeNotCanceled, "SIMCARD " + usedSIM + " NAO ESTA CANCELADO (ATIVO)"},
		{"in use", "disponibilizar_simcard", `"Numero_SimCard":"` + usedSIM + `"`, codeNotInactive, "SIMCARD " + usedSIM + " NAO ESTA INATIVO (ATIVO)"},
		{"available already", "disponibilizar_simcard", `"Numero_SimCard":"` + freeSIM + `"`, codeNotInactive, "SIMCARD " + freeSIM + " NAO ESTA INATIVO (DISPONIVEL)"},
		{"swapped for a used one", "trocar_simcard", `"numero_contrato":2112697,"Numero_SimCard_Novo":"` + idleSIM + `"`, codeNotFree, "SIMCARD " + idleSIM + " NAO DISPONIVEL (INATIVO)"},
		{"swapped for none", "trocar_simcard", `"numero_contrato":2112697,"Numero_SimCard_Novo":"89550000"`, codeSIM, "SIMCARD 89550000 NAO ENCONTRADO"},
		{"a cancelled one swapped", "trocar_simcard", `"numero_contrato":2140003,"Numero_SimCard_Novo":"` + freeSIM + `"`, codeCanceled, "SIMCARD 89552600000000001048 CANCELADO"},
		{"cancelled twice", "cancelar_simcard", `"numero_contrato":2140003`, codeCanceled, "SIMCARD 89552600000000001048 JA CANCELADO"},
		{"a SIM too many", "ativar_simcard", `"numero_contrato":2112697,"Numero_SimCard":"` + freeSIM + `"`, codeHasSIM, "CONTRATO 2112697 JA POSSUI O SIMCARD " + usedSIM},
		{"a SIM that is not available", "ativar_simcard", `"numero_contrato":2140005,"Numero_SimCard":"` + idleSIM + `"`, codeNotFree, "SIMCARD " + idleSIM + " NAO DISPONIVEL (INATIVO)"},
		{"no SIM yet", "bloquear_simcard", `"numero_contrato":2140005,"MotivoBloqueio":"1"`, codeNoSIM, "CONTRATO 2140005 SEM SIMCARD"},
		{"an ended contract", "alterar_cliente_contrato", `"numero_contrato":2140003,"Cpf_Cnpj":"1","Nome":"X"`, codeEnded, "CONTRATO 2140003 CANCELADO"},
		{"no owner", "alterar_cliente_contrato", `"numero_contrato":2112697,"Cpf_Cnpj":"1"`, codeMissing, "CAMPO OBRIGATORIO NAO INFORMADO: Nome"},
		{"no product", "trocar_produto", `"numero_contrato":2112697,"Produto":1`, codeProduct, "PRODUTO 1 NAO ENCONTRADO"},
		{"no data", "comprar_dados", `"numero_contrato":2112697,"Qtde_GB":0`, codeGB, "QUANTIDADE DE GB INVALIDA: 0"},
		{"half a GB", "comprar_dados", `"numero_contrato":2112697,"Qtde_GB":0.5`, codeGB, "QUANTIDADE DE GB INVALIDA: 0.5"},
		{"data for a blocked SIM", "comprar_dados", `"numero_contrato":2140001,"Qtde_GB":1`, codeNotActive, "SIMCARD 89552600000000001022 NAO ESTA ATIVO (BLOQUEADO)"},
		{"a turned period", "consultar_extrato", `"numero_contrato":2112697,"data_inicial":"2026-03-02","data_final":"2026-03-01"`, codePeriod, "PERIODO INVALIDO: NO MAXIMO 92 DIAS"},
		{"a long period", "consultar_extrato", `"numero_contrato":2112697,"data_inicial":"2026-01-01","data_final":"2026-12-31"`, codePeriod, "PERIODO INVALIDO: NO MAXIMO 92 DIAS"},
		{"no date", "consultar_extrato", `"numero_contrato":2112697,"data_inicial":"_DATA_INICIAL_EXTRATO_LIGACAO_","data_final":"2026-03-01"`, codeInvalid, "VALOR INVALIDO PARA O CAMPO data_inicial: _DATA_INICIAL_EXTRATO_LIGACAO_"},
		{"a number taken", "cadastrar_contrato", customer1 + `"Portabilidade":0,"Linha_Contrato_NRO":"999991001"`, codeOnPlatform, "NUMERO (31) 999991001 JA EXISTE NA BASE DA PLATAFORMA"},
		{"a number that is not free", "cadastrar_contrato", customer1 + `"Linha_Contrato_NRO":"966660000"`, codeNumber, "NUMERO (31) 966660000 NAO ESTA DISPONIVEL"},
		{"not in CADUP", "cadastrar_contrato", customer1 + `"Portabilidade":1,"Operadora_Doadora":"X","Linha_Contrato_NRO":"977770404"`, codeNoCADUP, "NUMERO (31) 977770404 NAO EXISTE NO CADUP"},
		{"brought twice", "cadastrar_contrato", customer1 + `"Portabilidade":"1","Operadora_Doadora":"X","Linha_Contrato_NRO":"988880300"`, codeOnPlatform, "NUMERO (31) 988880300 JA EXISTE NA BASE DA PLATAFORMA"},
		{"brought, but free here", "cadastrar_contrato", customer1 + `"Portabilidade":1,"Operadora_Doadora":"X","Linha_Contrato_NRO":"999990001"`, codeOnPlatform, "NUMERO (31) 999990001 JA EXISTE NA BASE DA PLATAFORMA"},
		{"no donor", "cadastrar_contrato", customer1 + `"Portabilidade":1,"Linha_Contrato_NRO":"977770001"`, codeMissing, "CAMPO OBRIGATORIO NAO INFORMADO: Operadora_Doadora"},
		{"portability in words", "cadastrar_contrato", customer1 + `"Portabilidade":"sim","Linha_Contrato_NRO":"977770001"`, codeInvalid, "VALOR INVALIDO PARA O CAMPO Portabilidade: sim"},
		{"no portability", "consultar_status_portabilidade", `"numero_contrato":2112697`, codeNoPort, "CONTRATO 2112697 SEM PORTABILIDADE"},
		{"sent again too early", "reenviar_portabilidade", `"numero_contrato":2130002`, codePortState, "PORTABILIDADE DO CONTRATO 2130002 NAO ESTA COM FALHA (EM ANDAMENTO)"},
		{"cancelled too late", "cancelar_portabilidade", `"numero_contrato":2130003`, codePortState, "PORTABILIDADE DO CONTRATO 2130003 NAO ESTA COM FALHA (CONCLUIDA)"},
		{"cancelled again", "cancelar_portabilidade", `"numero_contrato":2130006`, codePortState, "PORTABILIDADE DO CONTRATO 2130006 NAO ESTA COM FALHA (CANCELADA)"},
	} {
		seen[c.code] = true
		t.Run(c.name, func(t *testing.T) {
			answer := r.ask(c.metodo, c.fields)
			var got told
			require.NoError(t, json.Unmarshal([]byte(answer), &got))
			require.Equal(t, strconv.Itoa(c.code), fmt.Sprint(got.Retorno.Codigo))
			require.Equal(t, c.words, got.Retorno.Mensagem)
			if c.code == codeNoCADUP {
				require.Contains(t, answer, `"s_base_cadup":"N","s_base_portabilidade":"N"`)
			}
			if c.name == "brought twice" {
				require.Contains(t, answer, `"s_base_cadup":"S","s_base_portabilidade":"S"`)
			}
		})
	}
	require.Len(t, seen, 25, "one of each code")
	for _, c := range r.MVNO().Changes {
		require.Zero(t, c.Done, c)
		require.Positive(t, c.Received, c)
	}
	_, _, after := r.do("GET", "/_sandbox/mvno/data", "")
	require.Equal(t, before, after)
}

// What is no request of the platform's gets the pages that others get.
func TestMVNOPages(t *testing.T) {
	r := startMVNO(t, MVNOOptions{})
	for _, c := range []struct {
		name, method, path, kind, body string
		status                         int
	}{
		{"no POST", "GET", "/mvno", "", "", 405},
		{"a form", "POST", "/mvno", "application/x-www-form-urlencoded", "metodo=x", 415},
		{"no JSON", "POST", "/mvno", "application/json", "{", 400},
		{"a list", "POST", "/mvno", "application/json", "[]", 400},
		{"another path", "POST", "/mvno/x", "application/json", "{}", 401},
		{"no token", "POST", "/mvno", "application/json", `{"metodo":"comprar_dados"}`, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, kind, body := r.do(c.method, c.path, c.body, "Content-Type", c.kind, "Authorization", "")
			require.Equal(t, c.status, status)
			switch c.status {
			case 200:
				require.Equal(t, BodyMVNODenied, body)
			case 401:
			default:
				require.Equal(t, typeHTML, kind)
			}
		})
	}
	require.Equal(t, 1, r.MVNO().Refused)
}

// Portabilities move with the clock, and the monthly job with the month.
func TestMVNOTime(t *testing.T) {
	r := startMVNO(t, MVNOOptions{})
	state := func(contract int) string {
		var got struct{ Descricao string }
		require.NoError(t, json.Unmarshal([]byte(r.ask("consultar_status_portabilidade", fmt.Sprintf(`"numero_contrato":%d`, contract))), &got))
		return got.Descricao
	}
	ends := []string{"0001", "0100", "0200", "0500", "0501"}
	for _, end := range ends {
		require.EqualValues(t, 0, r.code(r.ask("cadastrar_contrato", customer1+`"Portabilidade":1,"Operadora_Doadora":"X","Linha_Contrato_NRO":"97777`+end+`"`)))
	}
	for _, c := range []struct {
		name string
		wait time.Duration
		want []string
	}{
		{"at once", 0, []string{portAsked, portAsked, portAsked, portAsked, portAsked}},
		{"soon", 30 * time.Second, []string{portUnderWay, portAsked, portUnderWay, portUnderWay, portUnderWay}},
		{"then", 30 * time.Second, []string{portDone, portAsked, portUnderWay, portFailed, portFailed}},
	} {
		*r.at = r.at.Add(c.wait)
		for i := range ends {
			require.Equal(t, c.want[i], state(2200001+i), "%s: %s", c.name, ends[i])
		}
	}
	for contract, want := range map[int]string{2200004: portDone, 2200005: portFailed} {
		require.Equal(t, "0", r.code(r.ask("reenviar_portabilidade", fmt.Sprintf(`"numero_contrato":%d`, contract))))
		require.Equal(t, portAsked, state(contract))
		*r.at = r.at.Add(time.Minute)
		require.Equal(t, want, state(contract))
	}
	r.turn(`{"portability_step":"1h"}`)
	require.Equal(t, "0", r.code(r.ask("reenviar_portabilidade", `"numero_contrato":2200005`)))
	*r.at = r.at.Add(time.Hour)
	require.Equal(t, portUnderWay, state(2200005))
	for i, want := range []string{portAsked, portUnderWay, portDone, portFailed, portFailed, portCanceled} {
		require.Equal(t, want, state(2130001+i))
	}

	sim := `"Numero_SimCard":"` + idleSIM + `"`
	require.EqualValues(t, 0, r.code(r.ask("disponibilizar_simcard", sim)))
	require.Contains(t, r.ask("consultar_status_simcard", sim), `"Status":"INATIVO"`)
	*r.at = time.Date(2026, 3, 31, 23, 59, 59, 0, time.UTC)
	require.EqualValues(t, 0, r.code(r.ask("disponibilizar_simcard", sim)), "asked for again")
	require.Contains(t, r.ask("consultar_status_simcard", sim), `"Status":"INATIVO"`)
	*r.at = r.at.Add(time.Second)
	require.Contains(t, r.ask("consultar_status_simcard", sim), `"Status":"DISPONIVEL"`)
	require.Contains(t, r.ask("consultar_status_simcard", `"Numero_SimCard":"89552600000000006021"`), `"Status":"INATIVO"`, "nobody asked for it")
}

func TestMVNOStatement(t *testing.T) {
	r := startMVNO(t, MVNOOptions{})
	ask := func() string {
		return r.ask("consultar_extrato", `"numero_contrato":2112697,"data_inicial":"2026-03-18","data_final":"2026-03-25"`)
	}
	var got struct{ Extrato []map[string]any }
	require.NoError(t, json.Unmarshal([]byte(ask()), &got))
	require.Len(t, got.Extrato, 3, "not of days to come")
	require.Equal(t, "2026-03-18", got.Extrato[0]["Data"])
	require.Equal(t, usedSIM, got.Extrato[0]["Numero_SimCard"])
	for _, name := range []string{"Consumo_Segundos", "Consumo_Sms", "Consumo_Dados"} {
		require.IsType(t, 0.0, got.Extrato[0][name], name)
	}
	first := ask()
	require.Equal(t, first, ask(), "the same each time")
}

// The SIM cards' numbers check, as those of real ones do.
func TestMVNOSIMsCheck(t *testing.T) {
	r := startMVNO(t, MVNOOptions{})
	seen := map[string]bool{}
	for _, s := range r.mvno.sims {
		require.Contains(t, []int{19, 20}, len(s.ICCID))
		sum := 0
		for i := range len(s.ICCID) {
			d := int(s.ICCID[len(s.ICCID)-1-i] - '0')
			if i%2 == 1 {
				d = d*2/10 + d*2%10
			}
			sum += d
		}
		require.Zero(t, sum%10, s.ICCID)
		require.False(t, seen[s.ICCID], s.ICCID)
		seen[s.ICCID] = true
	}
}

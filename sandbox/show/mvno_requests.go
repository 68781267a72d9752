package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/emenda-gateway/emenda/sandbox"
)

// recorded is a platform that keeps what it is sent, by the request's id, and
// says yes to everything.
type recorded struct {
	*httptest.Server
	mu  sync.Mutex
	got map[string][]string
}

func startRecorded() *recorded {
	s := &recorded{got: map[string][]string{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text := new(strings.Builder)
		_, _ = fmt.Fprint(text, readAll(r))
		s.mu.Lock()
		s.got[r.Header.Get("X-Request-Id")] = append(s.got[r.Header.Get("X-Request-Id")], text.String())
		s.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprint(w, `{"retorno":{"codigo":0,"mensagem":"OK"},"Status":"ATIVO","Situacao":"EM USO","Descricao":"FALHA","extrato":[],"numeros":[]}`)
	}))
	return s
}

func readAll(r *http.Request) string {
	b := new(strings.Builder)
	buf := make([]byte, 4<<10)
	for {
		n, err := r.Body.Read(buf)
		b.Write(buf[:n])
		if err != nil {
			return b.String()
		}
	}
}

// take gives what came with an id, and forgets it.
func (s *recorded) take(id string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.got[id]
	delete(s.got, id)
	return all
}

// unreplaced is a placeholder that nothing was put in the place of.
var unreplaced = regexp.MustCompile(`_[A-Z_]+_`)

// harmful are values that must arrive as themselves.
var harmful = []string{
	`JOSE "ZE" DA SILVA`, `MARIA \ SOUZA`, "LINHA\nNOVA", "TAB\tAQUI", "JOAO _TOKEN_DINAMICO_ SILVA", `x","token":"y`, "ÇÃO É Ü €", "\u0001 controle", `{"a":1}`, `${input.x}`, `</script>`, "a _CONTRATO_INTEGRADORA_ b",
}

// generated is how many requests the third demonstration makes.
const generated = 100_000

// showGenerated makes requests of every action with values that mean harm, and
// looks at what arrives: no placeholder is left, and every value is itself.
func showGenerated(o options, r *report) error {
	s := startRecorded()
	defer s.Close()
	g, err := startReplica(o, s.URL, mvnoEnv(s.URL))
	if err != nil {
		return err
	}
	defer g.close()
	many := generated
	if o.rounds > 0 {
		many = o.scaled(generated)
	}
	r.begin("%d generated requests", many)
	var next, left, arrived atomic.Int64
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			rnd := rand.New(rand.NewPCG(o.seed+1, uint64(worker)))
			for {
				n := next.Add(1)
				if n > int64(many) {
					return
				}
				action, body, want := anyRequest(rnd, n)
				id := "r" + strconv.FormatInt(n, 36) + "x"
				status, said, err := mvnoDo(http.MethodPost, "http://"+g.address+action, body, id)
				if !r.check(err == nil && status < 300, "%s %s: %d %s %v", action, body, status, said, err) {
					continue
				}
				sent := s.take(id)
				arrived.Add(int64(len(sent)))
				if !r.check(len(sent) > 0, "%s: nothing arrived", action) {
					continue
				}
				for _, text := range sent {
					if !looksRight(r, text, want) {
						left.Add(1)
					}
				}
			}
		})
	}
	all.Wait()
	r.check(left.Load() == 0, "%d requests hold a placeholder or another value", left.Load())
	r.notef("%d arrived, with none left and every value itself", arrived.Load())
	return nil
}

// looksRight looks at one request that arrived: want are the texts it holds.
func looksRight(r *report, text string, want map[string]string) bool {
	var got map[string]any
	if !r.check(json.Unmarshal([]byte(text), &got) == nil, "no JSON arrived: %s", text) {
		return false
	}
	good := r.check(got["token"] == sandbox.MVNOToken, "the token is %v", got["token"])
	for name, value := range got {
		said, ok := value.(string)
		if !ok {
			continue
		}
		if meant, known := want[name]; known {
			good = r.check(said == meant, "%s is %q, and was %q", name, said, meant) && good
			continue
		}
		good = r.check(!unreplaced.MatchString(said), "%s is %q", name, said) && good
	}
	return good
}

// anyRequest makes a request of some action, and tells which texts must arrive.
func anyRequest(rnd *rand.Rand, n int64) (path, body string, want map[string]string) {
	value := func() string { return harmful[rnd.IntN(len(harmful))] }
	contract := strconv.FormatInt(2_000_000+n, 10)
	quoted := func(s string) string { b, _ := json.Marshal(s); return string(b) }
	want = map[string]string{}
	switch rnd.IntN(8) {
	case 0, 1, 2:
		fields := []string{`"Cpf_Cnpj":"52998224725"`, `"Produto":635`, `"Portabilidade":0`, `"Linha_Contrato_DDD":"31"`, fmt.Sprintf(`"Linha_Contrato_NRO":"9%08d"`, n%1e8)}
		for _, name := range []string{"Nome", "NomeMae", "NomePai", "Logradouro", "Complemen", "Bairro", "Cidade"} {
			if name == "Nome" || rnd.IntN(2) == 0 {
				want[name] = strings.TrimSpace(value())
				fields = append(fields, fmt.Sprintf("%q:%s", name, quoted(want[name])))
			}
		}
		return "/v1/mvno/cadastrar_contrato", "{" + strings.Join(fields, ",") + "}", want
	case 3:
		return "/v1/mvno/comprar_dados", `{"numero_contrato":` + contract + `,"Qtde_GB":1}`, want
	case 4:
		return "/v1/mvno/bloquear_simcard", `{"numero_contrato":` + contract + `,"MotivoBloqueio":"1"}`, want
	case 5:
		return "/v1/mvno/reenviar_portabilidade", `{"numero_contrato":` + contract + `}`, want
	case 6:
		return "/v1/mvno/consultar_extrato", `{"numero_contrato":` + contract + `,"data_inicial":"2026-11-01","data_final":"2026-11-25"}`, want
	}
	want["Nome"], want["Extra"] = strings.TrimSpace(value()), value()
	return "/mvno", `{"metodo":"alterar_cliente_contrato","token":"_TOKEN_DINAMICO_","numero_contrato":` + contract + `,"Nome":` + quoted("  "+want["Nome"]+"  ") + `,"Extra":` + quoted(want["Extra"]) + `}`, want
}

// sourceRequests are the requests of the source that are complete, and what they
// are asked as under /v1/mvno.
var sourceRequests = []struct{ name, text, action, body string }{
	{
		"comprar_dados", "{\n\"metodo\"          : \"comprar_dados\",\n\"token\"           : \"_TOKEN_DINAMICO_\",\n\"Numero_SimCard\"  : \"\",\n\"numero_contrato\" : 2124690,\n\"Qtde_GB\": 1\n}",
		"comprar_dados", `{"numero_contrato":2124690,"Qtde_GB":1}`,
	},
	{
		"bloquear_simcard", "{\n\"metodo\"          : \"bloquear_simcard\",\n\"token\"           : \"_TOKEN_DINAMICO_\",\n\"Numero_SimCard\"  : \"89552600000020350219\",\n\"numero_contrato\" : 2112697,\n\"MotivoBloqueio\": \"1\"\n}",
		"bloquear_simcard", `{"numero_contrato":2112697,"Numero_SimCard":"89552600000020350219","MotivoBloqueio":"1"}`,
	},
	{
		"consultar_extrato, its placeholders replaced", "{\n\"metodo\"          : \"consultar_extrato\",\n\"token\"           : \"_TOKEN_DINAMICO_\",\n\"data_inicial\"      : \"2026-11-01\",\n\"data_final\"        : \"2026-11-25\",\n\"numero_contrato\" : 2124690\n}",
		"consultar_extrato", `{"numero_contrato":2124690,"data_inicial":"2026-11-01","data_final":"2026-11-25"}`,
	},
	{
		"cadastrar_contrato, its complement replaced", strings.ReplaceAll(`{
"metodo": "cadastrar_contrato",
"token": "_TOKEN_DINAMICO_",
"Cpf_Cnpj": "52998224725",
"Nome": "CLIENTE TESTE DA SILVA",
"Rg": "MG 00000000",
"DataNasc": "1990-01-31",
"Cep": "36405083",
"TpLogradouro": "RUA",
"Logradouro": "RUA TESTE",
"Numero": "270",
"Complemen": "CASA",
"Bairro": "TRIANGULO",
"Cidade": "CONSELHEIRO LAFAIETE",
"Uf": "MG",
"DDDTelefone": "31",
"Telefone": "999990000",
"DDDCelular": "31",
"Celular": "999990000",
"NomeMae": "MAE TESTE DA SILVA",
"NomePai": "PAI TESTE DA SILVA",
"Email": "cliente@example.com",
"Produto": 635,
"Portabilidade": 0,
"Linha_Contrato_DDD": "31",
"Linha_Contrato_NRO": "999990001"
}`, "\r", ""),
		"cadastrar_contrato", `{"Cpf_Cnpj":"52998224725","Nome":"CLIENTE TESTE DA SILVA","Rg":"MG 00000000","DataNasc":"1990-01-31","Cep":"36405083","TpLogradouro":"RUA","Logradouro":"RUA TESTE","Numero":"270","Complemen":"CASA","Bairro":"TRIANGULO","Cidade":"CONSELHEIRO LAFAIETE","Uf":"MG","DDDTelefone":"31","Telefone":"999990000","DDDCelular":"31","Celular":"999990000","NomeMae":"MAE TESTE DA SILVA","NomePai":"PAI TESTE DA SILVA","Email":"cliente@example.com","Produto":635,"Portabilidade":0,"Linha_Contrato_DDD":"31","Linha_Contrato_NRO":"999990001"}`,
	},
}

// showDocumented sends the source's requests through both doors: what reaches
// the platform is the source's text, byte for byte, with the token in its place.
func showDocumented(o options, r *report) error {
	s := startRecorded()
	defer s.Close()
	g, err := startReplica(o, s.URL, mvnoEnv(s.URL))
	if err != nil {
		return err
	}
	defer g.close()
	for i, d := range sourceRequests {
		r.begin("%s", d.name)
		want := strings.Replace(d.text, "_TOKEN_DINAMICO_", sandbox.MVNOToken, 1)
		for door, ask := range map[string][2]string{"/mvno": {"/mvno", d.text}, "/v1/mvno": {"/v1/mvno/" + d.action, d.body}} {
			id := fmt.Sprintf("d%d%s", i, strings.ReplaceAll(door, "/", "-"))
			status, said, err := mvnoDo(http.MethodPost, "http://"+g.address+ask[0], ask[1], id)
			if !r.check(err == nil && status == http.StatusOK, "%s: %d %s %v", door, status, said, err) {
				continue
			}
			sent := s.take(id)
			if r.check(len(sent) > 0, "%s: nothing arrived", door) {
				got := strings.TrimSpace(sent[len(sent)-1]) // before it a look at the SIM card
				r.check(got == want, "through %s arrives\n%s\nand not\n%s", door, got, want)
			}
		}
	}
	return nil
}

package mappings_test

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/jsonx"
)

// TestWholeContract states what the contract holds, so that nothing gets lost
// on the way: the document describes 177 operations under 172 methods and
// paths, the 178th is the routine of the MVNO integration.
func TestWholeContract(t *testing.T) {
	c := erp(t)
	require.Equal(t, []string{"client", "contract", "invoice", "receipt", "ticket", "document", "prospect"}, c.Objects)
	got := map[string]int{}
	places := map[string]bool{}
	for _, op := range c.Order {
		require.Same(t, op, c.Operations[op.ID])
		require.NotEmpty(t, op.Summary, op.ID)
		require.Len(t, op.Tags, 1, op.ID)
		places[op.Method+" "+op.Path] = true
		count := func(what string, yes bool) {
			if yes {
				got[what]++
			}
		}
		got["operations"]++
		count("change something", op.Changes)
		count("carry the token", op.Token)
		count("carry credentials", op.Credentials != nil)
		count("cacheable", op.Cacheable > 0)
		count("variants", op.Variants != nil)
		count("answer with a file", op.AnswerKind == contract.FileAnswer)
		count("take uploads", len(op.Files) > 0)
		count("have secrets", len(op.Secrets) > 0)
		count("name somebody's own when asked", slices.ContainsFunc(op.Names, func(n contract.Naming) bool { return n.In != contract.InAnswer }))
		got["required under a condition"] += len(op.RequiredWhen)
		got["exchanges"] += len(op.Exchanges)
		for _, ex := range op.Exchanges {
			count("exchanges with an answer", ex.Answer != nil)
			count("exceptions", ex.Exception != "")
		}
		for _, ex := range op.Examples {
			count("documented failures", ex.Failure)
		}
	}
	require.Len(t, places, 173)
	require.Equal(t, map[string]int{
		"operations": 178, "variants": 7, "change something": 61, "carry the token": 127, "carry credentials": 30,
		"answer with a file": 7, "take uploads": 3, "have secrets": 50, "cacheable": 37, "name somebody's own when asked": 113,
		"required under a condition": 16, "exchanges": 190, "exchanges with an answer": 170, "exceptions": 8, "documented failures": 109,
	}, got)
}

// TestDocumentedRequests builds every documented request, and reads it back:
// method, path, query and body leave as the document shows them.
func TestDocumentedRequests(t *testing.T) {
	built := 0
	for _, op := range erp(t).Order {
		require.NotEmpty(t, op.Exchanges, op.ID)
		for _, ex := range op.Exchanges {
			built++
			require.True(t, ex.Whole, "%s, %s", op.ID, ex.Name)
			var r contract.Request
			require.NoError(t, op.Build(&r, ex.Params, ex.Body), "%s, %s", op.ID, ex.Name)
			require.Equal(t, op.Method, r.Method)
			target, err := url.ParseRequestURI(string(r.Target))
			require.NoError(t, err)
			path, query := op.Path, url.Values{}
			for i, p := range op.Params {
				switch v := ex.Params[i]; {
				case v.None():
				case p.In == contract.InPath:
					path = strings.ReplaceAll(path, "{"+p.Name+"}", v.Text())
				default:
					query.Add(p.Name, v.Text())
				}
			}
			require.Equal(t, path, target.Path)
			require.Equal(t, query, target.Query())
			require.Equal(t, string(ex.Body), string(r.Body))
			require.Equal(t, ex.Body != nil, r.Type == "application/json", op.ID)
			require.True(t, ex.Body == nil || json.Valid(ex.Body))
			if ex.Answer != nil {
				var a jsonx.Arena
				o := op.Classify(&a, ex.Answer.Status, ex.Answer.Type, []byte(ex.Answer.Answer))
				require.Equal(t, contract.OK, o.State, "%s, %s", op.ID, ex.Name)
			}
		}
		for _, ex := range op.Examples {
			if ex.Failure {
				var a jsonx.Arena
				require.NotEqual(t, contract.OK, op.Classify(&a, ex.Status, ex.Type, []byte(ex.Answer)).State, "%s, %s", op.ID, ex.Name)
			}
		}
	}
	require.Equal(t, 190, built)
}

// TestVariants: which operation a request is meant for.
func TestVariants(t *testing.T) {
	c := erp(t)
	dados, cadastrar := c.Operations["comercial.contrato.dados"], c.Operations["comercial.contratos.cadastrar.tv"]
	require.Len(t, dados.Variants, 2)
	require.Len(t, cadastrar.Variants, 5)
	for _, r := range []struct {
		name        string
		of          *contract.Operation
		query, body string
		want        string
	}{
		{"without the query", dados, `{}`, `{"idContrato":1}`, "comercial.contrato.dados"},
		{"blank", dados, `{"somenteContrato":""}`, `{}`, "comercial.contrato.dados"},
		{"contract only", dados, `{"somenteContrato":"s"}`, `{}`, "comercial.contrato.dados.somente_contrato"},
		{"something else", dados, `{"somenteContrato":"n"}`, `{}`, ""},
		{"a package", cadastrar, `{}`, `{"idPacote":"23","dadosPlanosPacote":[{}],"idNumero":1}`, "comercial.contratos.cadastrar.pacote"},
		{"a package without plans", cadastrar, `{}`, `{"idPacote":23}`, ""},
		{"a telephone", cadastrar, `{}`, `{"idPlano":1,"idNumero":"178","idVelocidade":""}`, "comercial.contratos.cadastrar.telefonia"},
		{"channels", cadastrar, `{}`, `{"idPlano":1,"idNumero":"","idsCanaisExtras":["2"]}`, "comercial.contratos.cadastrar.tv"},
		{"packages of channels", cadastrar, `{}`, `{"idPlano":1,"idsPacotesCanaisExtras":["2"]}`, "comercial.contratos.cadastrar.tv"},
		{"a login", cadastrar, `{}`, `{"idPlano":1,"loginRadius":"login.teste"}`, "comercial.contratos.cadastrar.internet"},
		{"a speed", cadastrar, `{}`, `{"idPlano":"1","idVelocidade":1,"idsCanaisExtras":""}`, "comercial.contratos.cadastrar.internet"},
		{"a plan alone", cadastrar, `{}`, `{"idPlano":1}`, "comercial.contratos.cadastrar.demais"},
		{"no plan", cadastrar, `{}`, `{"idNumero":1}`, ""},
		{"no body", cadastrar, `{}`, ``, ""},
		{"a list", cadastrar, `{}`, `[]`, ""},
	} {
		t.Run(r.name, func(t *testing.T) {
			got := ""
			if op := r.of.Variant(jsonx.RawValue(r.query), jsonx.RawValue(r.body)); op != nil {
				got = op.ID
			}
			require.Equal(t, r.want, got)
		})
	}
	alone := c.Operations["comercial.tecnologias"]
	require.Same(t, alone, alone.Variant(jsonx.Value{}, jsonx.Value{}))
}

// TestRequiredUnderAConditionERP: what must be there depends on the rest.
func TestRequiredUnderAConditionERP(t *testing.T) {
	c := erp(t)
	for _, r := range []struct {
		name, op, query, body string
		want                  string
	}{
		{"a person's birthday", "comercial.prospectos.cadastrar", `{}`, `{"tipoPessoa":"PessoaFisica"}`, "dataNascimento"},
		{"blank is none", "comercial.prospectos.cadastrar", `{}`, `{"tipoPessoa":"PessoaFisica","dataNascimento":" "}`, "dataNascimento"},
		{"a company has none", "comercial.prospectos.cadastrar", `{}`, `{"tipoPessoa":"PessoaJuridica"}`, ""},
		{"neither", "comercial.prospectos.servicos_interesse.cadastrar", `{}`, `{}`, "idPacote idPlano"},
		{"a plan", "comercial.prospectos.servicos_interesse.cadastrar", `{}`, `{"idPlano":"5","idPacote":""}`, ""},
		{"a package", "comercial.prospectos.servicos_interesse.cadastrar", `{}`, `{"idPacote":5}`, ""},
		{"password", "financeiro.fatura.pdf", `{}`, `{"usuario":"x"}`, "senha"},
		{"no password for bots", "financeiro.fatura.pdf", `{"isChatbot":"s"}`, `{"usuario":"x"}`, ""},
		{"nobody", "area.cliente.resetar_senha", `{}`, `{}`, "CPFCNPJ IDCliente"},
		{"by number", "area.cliente.resetar_senha", `{}`, `{"IDCliente":"5"}`, ""},
		{"by document", "area.cliente.resetar_senha", `{}`, `{"CPFCNPJ":52998224725}`, ""},
		{"promotions of a plan", "comercial.contratos.promocoes.ativas", `{}`, `{"idPlano":1}`, "idTecnologia"},
		{"promotions of a package", "comercial.contratos.promocoes.ativas", `{}`, `{"idPacote":"1"}`, "idsTecnologias"},
		{"a telephone in a package", "comercial.contratos.cadastrar.pacote", `{}`, `{"idNumero":1,"bloquearLigacaoDDD":0,"bloquearLigacaoCelular":0,"bloquearLigacaoInternacional":"1","exibeListaTelefonica":""}`, "bloquearLigacaoCobrar exibeListaTelefonica"},
	} {
		t.Run(r.name, func(t *testing.T) {
			var got []string
			for _, p := range c.Operations[r.op].Missing(jsonx.RawValue(r.query), jsonx.RawValue(r.body)) {
				require.Equal(t, contract.InBody, p.In)
				got = append(got, strings.Join(p.Path, "."))
			}
			require.Equal(t, r.want, strings.Join(got, " "))
		})
	}
}

// TestSecretsERP lists what is secret where one would not look for it.
func TestSecretsERP(t *testing.T) {
	c := erp(t)
	for op, want := range map[string][]contract.Place{
		"comercial.redefinir_senha":                    {{In: contract.InQuery, Path: []string{"senhaAntiga"}}, {In: contract.InQuery, Path: []string{"novaSenha"}}, {In: contract.InBody, Path: []string{"senha"}}},
		"comercial.clientes.integracao.authentication": {{In: contract.InQuery, Path: []string{"username"}}, {In: contract.InQuery, Path: []string{"password"}}},
		"integracao.bittrainers.authentication":        {{In: contract.InQuery, Path: []string{"username"}}, {In: contract.InQuery, Path: []string{"password"}}},
		"area.cliente.resetar_senha":                   {{In: contract.InAnswer, Path: []string{"Senha"}}},
		"area.cliente.contrato.rede":                   {{In: contract.InAnswer, Path: []string{"data", "senhaWiFi"}}, {In: contract.InAnswer, Path: []string{"data", "loginWiFi"}}},
		"comercial.prospectos.por_id":                  {{In: contract.InAnswer, Path: []string{"resposta", "senhaApp"}}, {In: contract.InAnswer, Path: []string{"resposta", "senhaCentral"}}},
		"comercial.prospectos.spc.consultar":           {{In: contract.InAnswer, Path: []string{"resposta"}}},
		"comercial.prospectos.clear_sale.consultar":    {{In: contract.InAnswer, Path: []string{"resposta"}}},
		"comercial.contratos.planos":                   {{In: contract.InAnswer, Path: []string{"resposta", "*", "DadosRede", "SenhaPadraoRadius"}}, {In: contract.InAnswer, Path: []string{"resposta", "*", "DadosRede", "LoginPadraoRadius"}}},
		"integracao.infobip.verificar.pin":             {{In: contract.InPath, Path: []string{"pin"}}, {In: contract.InBody, Path: []string{"pinId"}}, {In: contract.InAnswer, Path: []string{"data", "idPin"}}, {In: contract.InAnswer, Path: []string{"data", "pin"}}},
		"comercial.tecnologias":                        nil,
	} {
		require.Equal(t, want, c.Operations[op].Secrets, op)
	}
	for _, p := range c.Operations["integracao.bittrainers.authentication"].Params {
		require.True(t, p.SecretInURL, "%s: the contract says why, so mappings may send it", p.Name)
	}
	require.False(t, c.Operations["integracao.bittrainers.authorization"].Params[0].SecretInURL, "no secret")
	require.Equal(t, []contract.File{{Place: contract.Place{In: contract.InBody, Path: []string{"*", "model", "base64"}}, MaxBytes: 5 << 20, Most: 5}}, c.Operations["comercial.clientes.anexar_arquivos"].Files)
	require.Equal(t, 5, c.Operations["comercial.clientes.anexar_arquivos"].BodySchema.Elements.Most)
}

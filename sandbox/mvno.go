package sandbox

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The credentials of a stand-in MVNO platform that was given none, and the
// path of its one URL.
const (
	MVNOPath     = "/mvno"
	MVNOToken    = "6f1d2c3b-0000-4000-8000-000000000001"
	MVNOUser     = "emenda"
	MVNOPassword = "mvno-sandbox"
)

// BodyMVNODenied is what the platform says to a token that does not hold,
// BodyMVNOText a refusal whose retorno is text where it should be an object,
// for a business fault.
const (
	BodyMVNODenied = `{"retorno":"ACESSO NAO AUTORIZADO"}`
	BodyMVNOText   = `{"retorno":"OPERACAO NAO REALIZADA"}`
	bodyMVNORefuse = `{"retorno":{"codigo":99,"mensagem":"OPERACAO NAO REALIZADA"}}`
)

// MVNOOptions says how the stand-in MVNO platform behaves; the zero value is a
// usable one: a token that holds for ever.
type MVNOOptions struct {
	// Token is the first token, User and Password what autenticar asks for;
	// MVNOToken, MVNOUser and MVNOPassword when empty.
	Token, User, Password string
	// RotateEvery says that each so many answers one carries a new token, which
	// holds from then on; 0 for never.
	RotateEvery int
	// Grace is how long the old token still holds, not at all when zero.
	Grace time.Duration
	// Life ends a token so long after it was issued, and is told as tempo_vida
	// beside it; zero for neither.
	Life time.Duration
	// LoginRenews makes autenticar issue a new token each time, as in a rotation;
	// else it tells the one that holds.
	LoginRenews bool
	// PortStep is how long a portability that is asked for stays in each state,
	// 30 seconds when zero.
	PortStep time.Duration
}

const defaultPortStep = 30 * time.Second

// check fills in what is not set, or tells what is wrong.
func (o *MVNOOptions) check() error {
	o.Token, o.User, o.Password = cmp.Or(o.Token, MVNOToken), cmp.Or(o.User, MVNOUser), cmp.Or(o.Password, MVNOPassword)
	o.PortStep = cmp.Or(o.PortStep, defaultPortStep)
	if o.RotateEvery < 0 || o.Grace < 0 || o.Life < 0 || o.PortStep < 0 {
		return fmt.Errorf("sandbox: the MVNO platform's rotation (%d), grace (%s), life (%s) and portability step (%s) may not be negative",
			o.RotateEvery, o.Grace, o.Life, o.PortStep)
	}
	return nil
}

// mvnoMethod is one method of the platform.
type mvnoMethod struct {
	name string
	// changes says that doing it twice is not doing it once.
	changes bool
	// textual says that codigo is text in its answers, a number else.
	textual bool
	do      func(*mvno, mvnoFields) mvnoSaid
}

// mvnoMethods is the table of them all.
func mvnoMethods() []mvnoMethod {
	return []mvnoMethod{
		{name: "cadastrar_contrato", changes: true, do: (*mvno).register},
		{name: "comprar_dados", changes: true, textual: true, do: (*mvno).buyData},
		{name: "consultar_extrato", textual: true, do: (*mvno).statement},
		{name: "bloquear_simcard", changes: true, do: (*mvno).block},
		{name: "bloquear_simcard_parcial", changes: true, do: (*mvno).blockPartly},
		{name: "desbloquear_simcard", changes: true, do: (*mvno).unblock},
		{name: "alterar_cliente_contrato", changes: true, do: (*mvno).changeOwner},
		{name: "trocar_produto", changes: true, do: (*mvno).changeProduct},
		{name: "listar_numeros_disponiveis", textual: true, do: (*mvno).freeNumbers},
		{name: "ativar_simcard", changes: true, do: (*mvno).activate},
		{name: "consultar_status_simcard", textual: true, do: (*mvno).simStatus},
		{name: "trocar_simcard", changes: true, textual: true, do: (*mvno).swap},
		{name: "disponibilizar_simcard", changes: true, do: (*mvno).release},
		{name: "cancelar_simcard", changes: true, do: (*mvno).cancel},
		{name: "reativar_simcard", changes: true, do: (*mvno).revive},
		{name: "consultar_status_portabilidade", textual: true, do: (*mvno).portStatus},
		{name: "reenviar_portabilidade", changes: true, textual: true, do: (*mvno).portAgain},
		{name: "cancelar_portabilidade", changes: true, textual: true, do: (*mvno).portCancel},
	}
}

// mvnoOperations are the platform's methods as operations of one path; the last
// one answers what is no method.
func mvnoOperations() []operation {
	entry := func(id, metodo string) operation {
		return operation{
			id: id, method: http.MethodPost, path: MVNOPath, admit: mvnoToken, stateful: true, refusal: bodyMVNORefuse,
			when: func(r *request) bool { return metodo == "" || r.asked().text("metodo") == metodo },
			expire: func(s *Sandbox, r *request) *answer {
				s.mvno.tokens.revoke(r.asked().text("token"))
				return mvnoToken(s, r)
			},
		}
	}
	var table []operation
	for _, m := range mvnoMethods() {
		op := entry("mvno."+m.name, m.name)
		op.answer = func(s *Sandbox, r *request) answer { return s.mvno.perform(m, r.asked()) }
		if m.changes {
			op.received = func(s *Sandbox, r *request) { s.mvno.tally(m, r.asked(), 1, 0) }
		}
		table = append(table, op)
	}
	login := entry("mvno.autenticar", "autenticar")
	login.admit, login.expire = mvnoLogin, nil
	login.answer = func(s *Sandbox, _ *request) answer {
		return reply(false, mvnoSaid{words: mvnoDone}, s.mvno.tokens.login())
	}
	other := entry("mvno", "")
	other.answer = func(s *Sandbox, r *request) answer {
		return s.mvno.perform(mvnoMethod{do: func(*mvno, mvnoFields) mvnoSaid {
			return no(codeMethod, "METODO INVALIDO: %s", r.asked().text("metodo"))
		}}, r.asked())
	}
	return append(table, login, other)
}

// mvnoFields are the fields of a request.
type mvnoFields map[string]any

// text is a field that may be text or a number, without the blanks around it;
// "" for anything else.
func (f mvnoFields) text(name string) string {
	switch v := f[name].(type) {
	case string:
		return strings.TrimSpace(v)
	case json.Number:
		return v.String()
	}
	return ""
}

// asked is the request's JSON, read once; nil when it is none.
func (r *request) asked() mvnoFields {
	fields, _ := r.asking()
	return fields
}

func (r *request) asking() (mvnoFields, *answer) {
	if !r.parsed {
		r.parsed = true
		r.mvno, r.mvnoRefused = r.fields()
	}
	return r.mvno, r.mvnoRefused
}

// mvnoToken asks for the token in the JSON.
func mvnoToken(s *Sandbox, r *request) *answer {
	f, refused := r.asking()
	if refused != nil || s.mvno.tokens.good(f.text("token")) {
		return refused
	}
	return denied()
}

// mvnoLogin asks for the user and the password of autenticar.
func mvnoLogin(s *Sandbox, r *request) *answer {
	f, refused := r.asking()
	if refused != nil || s.mvno.tokens.knows(f.text("usuario"), f.text("senha")) {
		return refused
	}
	return denied()
}

func denied() *answer {
	a := text(http.StatusOK, BodyMVNODenied)
	return &a
}

// mvnoSaid is what a method answers, apart from the token.
type mvnoSaid struct {
	code  int
	words string
	data  object
}

// The codes of refusals; see doc.go.
const (
	codeMissing     = 1
	codeInvalid     = 2
	codeMethod      = 3
	codeContract    = 10
	codeSIM         = 11
	codeOtherSIM    = 12
	codeNotActive   = 13
	codeNotInUse    = 14
	codeNotBlocked  = 15
	codeNotCanceled = 16
	codeNotInactive = 17
	codeNotFree     = 18
	codeCanceled    = 19
	codeNoCADUP     = 20
	codeOnPlatform  = 21
	codeNumber      = 22
	codeHasSIM      = 23
	codeNoSIM       = 24
	codeEnded       = 25
	codeMotive      = 30
	codeProduct     = 31
	codeGB          = 32
	codePeriod      = 33
	codeNoPort      = 40
	codePortState   = 41
)

const mvnoDone = "OPERACAO REALIZADA COM SUCESSO"

func yes(data ...any) mvnoSaid { return mvnoSaid{words: mvnoDone, data: data} }

func no(code int, words string, args ...any) mvnoSaid {
	return mvnoSaid{code: code, words: fmt.Sprintf(words, args...)}
}

// perform does one method, counts it and hands out a new token where it is time.
func (m *mvno) perform(method mvnoMethod, f mvnoFields) answer {
	m.mu.Lock()
	out := method.do(m, f)
	m.mu.Unlock()
	if method.changes && out.code == 0 {
		m.tally(method, f, 0, 1)
	}
	return reply(method.textual, out, m.tokens.answered())
}

// reply writes an answer.
func reply(textual bool, out mvnoSaid, handed mvnoHanded) answer {
	code := any(out.code)
	if textual {
		code = strconv.Itoa(out.code)
	}
	body := append(object{"retorno", object{"codigo", code, "mensagem", out.words}}, out.data...)
	if handed.token != "" {
		body = append(body, "token", handed.token)
		if handed.life > 0 {
			body = append(body, "tempo_vida", strconv.Itoa(int(handed.life/time.Second)))
		}
	}
	return value(body)
}

package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const statusOf1 = `"numero_contrato":2112697`

// handed asks something and gives the token and its life that came with the answer.
func (r *mvnoRig) handed() (token, life string) {
	r.t.Helper()
	var got told
	answer := r.ask("consultar_status_simcard", statusOf1)
	require.NoError(r.t, json.Unmarshal([]byte(answer), &got), answer)
	return got.Token, got.Life
}

func (r *mvnoRig) login(fields string) string {
	r.t.Helper()
	_, _, body := r.do("POST", "/mvno", `{"metodo":"autenticar",`+fields+`}`, "Content-Type", "application/json", "Authorization", "")
	return body
}

const rightLogin = `"usuario":"` + MVNOUser + `","senha":"` + MVNOPassword + `"`

func TestMVNORotates(t *testing.T) {
	r := startMVNO(t, MVNOOptions{RotateEvery: 3, Life: time.Hour})
	for range 2 {
		token, life := r.handed()
		require.Empty(t, token)
		require.Empty(t, life)
	}
	next, life := r.handed()
	require.NotEmpty(t, next)
	require.Equal(t, "3600", life)
	require.Equal(t, BodyMVNODenied, r.ask("comprar_dados", statusOf1+`,"Qtde_GB":1`), "no grace")
	done, received := r.MVNODone("comprar_dados", "2112697")
	require.Equal(t, []int{0, 1}, []int{done, received})
	r.token = next
	require.Equal(t, "0", r.code(r.ask("comprar_dados", statusOf1+`,"Qtde_GB":1`)))
	require.Equal(t, "11", r.code(r.ask("consultar_status_simcard", `"Numero_SimCard":"1"`)), "a refusal is an answer too")
	last, _ := r.handed()
	require.NotEmpty(t, last)
	r.token = last
	got := r.MVNO()
	require.Equal(t, []int{3, 6, 1}, []int{got.Tokens, got.Answers, got.Refused})
	require.Equal(t, []MVNOChange{{"comprar_dados", "2112697", 2, 1}}, got.Changes)
	*r.at = r.at.Add(time.Hour)
	require.Equal(t, BodyMVNODenied, r.ask("consultar_status_simcard", statusOf1), "its life has ended")
}

func TestMVNOGrace(t *testing.T) {
	r := startMVNO(t, MVNOOptions{})
	require.Equal(t, 1, r.turn(`{"rotate_every":1,"grace":"2s"}`).RotateEvery)
	first := r.token
	second, _ := r.handed()
	*r.at = r.at.Add(time.Second)
	r.token = second
	third, _ := r.handed()
	for _, c := range []struct {
		name, token string
		wait        time.Duration
		good        bool
	}{
		{"the first", first, 0, true},
		{"the first, later", first, time.Second, false},
		{"the second", second, 0, true},
		{"the second, later", second, time.Second, false},
		{"the third is not the newest", third, 0, false},
	} {
		*r.at = r.at.Add(c.wait)
		r.token = c.token
		require.Equal(t, c.good, r.ask("consultar_status_simcard", statusOf1) != BodyMVNODenied, c.name)
	}
}

func TestMVNOLogin(t *testing.T) {
	r := startMVNO(t, MVNOOptions{Token: "eins", User: "u", Password: "p"})
	for _, fields := range []string{`"usuario":"u","senha":"x"`, rightLogin, `"usuario":"u"`} {
		require.Equal(t, BodyMVNODenied, r.login(fields))
	}
	want := `{"retorno":` + mvnoOK + `,"token":"eins"}`
	require.Equal(t, want, r.login(`"usuario":"u","senha":"p"`))
	require.Equal(t, want, r.login(`"usuario":"u","senha":"p"`), "the same while it holds")
	require.True(t, r.turn(`{"login_renews":true,"life":"30s"}`).LoginRenews)
	var got told
	require.NoError(t, json.Unmarshal([]byte(r.login(`"usuario":"u","senha":"p"`)), &got))
	require.NotEqual(t, "eins", got.Token)
	require.Equal(t, "30", got.Life)
	r.token = "eins"
	require.Equal(t, BodyMVNODenied, r.ask("nada", ""))
	r.token = got.Token
	require.EqualValues(t, 3, r.code(r.ask("nada", "")))
	require.Equal(t, MVNOState{RotateEvery: 0, Grace: "0s", Life: "30s", LoginRenews: true, PortStep: "30s", Tokens: 2, Answers: 1, Refused: 4, Changes: []MVNOChange{}}, r.MVNO())

	r.Reset()
	require.Equal(t, MVNOState{Grace: "0s", Life: "0s", PortStep: "30s", Tokens: 1, Changes: []MVNOChange{}}, r.MVNO())
	for _, token := range []string{"eins", got.Token} {
		r.token = token
		require.EqualValues(t, 3, r.code(r.ask("nada", "")), "the first and the newest hold after a reset")
	}
}

// With a grace that outlasts the calls nobody is refused; without one, those
// that sign in again get through. Each data package is bought once all the same.
func TestMVNORotatesForMany(t *testing.T) {
	for _, c := range []struct {
		name  string
		grace time.Duration
		none  bool
	}{
		{"with grace", time.Minute, true},
		{"without", 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := startMVNO(t, MVNOOptions{RotateEvery: 3, Grace: c.grace})
			var token atomic.Value
			token.Store(MVNOToken)
			var refused atomic.Int64
			send := func(body string) (answer string, err error) {
				req := r.request("POST", "/mvno", body, "Content-Type", "application/json")
				res, err := r.client.Do(req)
				if err != nil {
					return "", err
				}
				read, err := io.ReadAll(res.Body)
				return string(read), errors.Join(err, res.Body.Close())
			}
			buy := func(contract int) error {
				for range 100 {
					answer, err := send(fmt.Sprintf(`{"metodo":"comprar_dados","token":%q,"numero_contrato":%d,"Qtde_GB":1}`, token.Load(), contract))
					if err != nil {
						return err
					}
					if answer == BodyMVNODenied {
						refused.Add(1)
						if answer, err = send(`{"metodo":"autenticar",` + rightLogin + `}`); err != nil {
							return err
						}
					}
					var got told
					if err := json.Unmarshal([]byte(answer), &got); err != nil {
						return fmt.Errorf("%s: %w", answer, err)
					}
					if got.Token != "" {
						token.Store(got.Token)
					}
					if got.Retorno.Codigo == "0" {
						return nil
					}
				}
				return fmt.Errorf("never bought for %d", contract)
			}
			var wg sync.WaitGroup
			errs := make(chan error, 8)
			for i := range 8 {
				wg.Go(func() {
					for range 10 {
						if err := buy([]int{2124690, 2112697}[i%2]); err != nil {
							errs <- err
							return
						}
					}
				})
			}
			wg.Go(func() { // looking on disturbs nobody
				for range 20 {
					_, _ = r.MVNO(), r.mvno.listed()
				}
			})
			wg.Wait()
			close(errs)
			for err := range errs {
				require.NoError(t, err)
			}
			for _, contract := range []string{"2124690", "2112697"} {
				done, received := r.MVNODone("comprar_dados", contract)
				require.Equal(t, 40, done)
				require.GreaterOrEqual(t, received, done)
			}
			got := r.MVNO()
			require.Equal(t, 80, got.Answers)
			require.GreaterOrEqual(t, got.Tokens, 80/3+1)
			require.EqualValues(t, refused.Load(), got.Refused)
			if c.none {
				require.Zero(t, got.Refused)
			}
		})
	}
}

func TestMVNOFaults(t *testing.T) {
	const op = "mvno.comprar_dados"
	buy := `"numero_contrato":2112697,"Qtde_GB":1`
	for _, c := range []struct {
		name     string
		fault    Fault
		want     string // "" when the method is done and answers as ever
		broken   bool
		done     int
		received int
	}{
		{"late", Fault{Kind: KindLatency, Delay: time.Millisecond}, "", false, 1, 1},
		{"a page", Fault{Kind: KindHTML}, string(outagePage(200).body), false, 0, 1},
		{"the platform's no", Fault{Kind: KindBusiness}, bodyMVNORefuse, false, 0, 1},
		{"retorno as text", Fault{Kind: KindBusiness, Body: BodyMVNOText}, BodyMVNOText, false, 0, 1},
		{"another body", Fault{Kind: KindBusiness, Body: `{"retorno":null}`}, `{"retorno":null}`, false, 0, 1},
		{"a lapsed token", Fault{Kind: KindExpiredToken}, BodyMVNODenied, false, 0, 1},
		{"half an answer", Fault{Kind: KindTruncate}, "", true, 1, 1},
		{"cut once done", Fault{Kind: KindCutAfterRead}, "", true, 1, 1},
		{"cut before", Fault{Kind: KindCutBeforeRead}, "", true, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := startMVNO(t, MVNOOptions{})
			c.fault.Operation = op
			r.Fault(c.fault)
			require.Equal(t, "0", r.code(r.ask("consultar_status_simcard", statusOf1)), "another method waits for nothing")
			switch {
			case c.broken:
				require.Error(t, r.broken("POST", "/mvno", `{"metodo":"comprar_dados","token":"`+r.token+`",`+buy+`}`))
			case c.want == "":
				require.Equal(t, "0", r.code(r.ask("comprar_dados", buy)))
			default:
				_, _, answer := r.do("POST", "/mvno", `{"metodo":"comprar_dados","token":"`+r.token+`",`+buy+`}`)
				require.Equal(t, c.want, answer)
			}
			require.Eventually(t, func() bool {
				done, received := r.MVNODone("comprar_dados", "2112697")
				return done == c.done && received == c.received
			}, 5*time.Second, time.Millisecond)
			require.Empty(t, r.faults.all())
		})
	}
	r := startMVNO(t, MVNOOptions{})
	r.Fault(Fault{Kind: KindBusiness, Operation: op})
	r.token = "x"
	require.Equal(t, BodyMVNODenied, r.ask("comprar_dados", buy))
	require.Len(t, r.faults.all(), 1, "it waits for a token that holds")
	require.Equal(t, 1, r.Count(op))
}

func TestMVNOLapsedTokenSignsInAgain(t *testing.T) {
	r := startMVNO(t, MVNOOptions{})
	r.Fault(Fault{Kind: KindExpiredToken, Operation: "mvno.consultar_status_simcard"})
	require.Equal(t, BodyMVNODenied, r.ask("consultar_status_simcard", statusOf1))
	require.Equal(t, BodyMVNODenied, r.ask("consultar_status_simcard", statusOf1), "for good")
	var got told
	require.NoError(t, json.Unmarshal([]byte(r.login(rightLogin)), &got))
	require.NotEqual(t, MVNOToken, got.Token)
	r.token = got.Token
	require.Equal(t, "0", r.code(r.ask("consultar_status_simcard", statusOf1)))
	require.Equal(t, 2, r.MVNO().Tokens)
	require.Equal(t, 2, r.MVNO().Refused)
}

// Nothing that says who somebody is stands in the view of the calls.
func TestMVNOCallsAreMasked(t *testing.T) {
	r := startMVNO(t, MVNOOptions{})
	r.login(rightLogin)
	r.ask("cadastrar_contrato", customer1+`"Rg" : "MG \"7\"","Numero":270,"Cep":null,"NomeMae":"MAE  ","Linha_Contrato_NRO":"999990001"`)
	r.do("POST", "/mvno", `{"metodo":"x","Token":"`+MVNOToken, "Content-Type", "application/json")
	_, _, body := r.do("GET", "/_sandbox/calls", "")
	var calls []callOut
	require.NoError(t, json.Unmarshal([]byte(body), &calls))
	require.Equal(t, []string{"mvno.autenticar", "mvno.cadastrar_contrato", "mvno"}, []string{calls[0].Operation, calls[1].Operation, calls[2].Operation})
	require.Equal(t, `{"metodo":"autenticar","usuario":"***","senha":"***"}`, calls[0].Body)
	require.Equal(t, `{"metodo":"cadastrar_contrato","token":"***","Cpf_Cnpj":"***","Nome":"***","Produto":635,"Linha_Contrato_DDD":"31",`+
		`"Rg" : "***","Numero":"***","Cep":"***","NomeMae":"***","Linha_Contrato_NRO":"999990001"}`, calls[1].Body)
	require.Equal(t, `{"metodo":"x","Token":"***"`, calls[2].Body)
	_, _, body = r.do("GET", "/_sandbox/counts", "")
	require.JSONEq(t, `{"mvno":1,"mvno.autenticar":1,"mvno.cadastrar_contrato":1}`, body)
	r.Reset()
	_, _, body = r.do("GET", "/_sandbox/mvno/data", "")
	require.NotContains(t, body, "2200001")
}

func TestMVNOControlRefuses(t *testing.T) {
	r := startMVNO(t, MVNOOptions{})
	before := r.MVNO()
	for _, c := range []struct{ name, body, want string }{
		{"all wrong ones at once", `{"rotate_every":-1,"grace":"soon","life":"-1s","portability_step":"0s"}`,
			`{"error":"grace \"soon\" is not a duration such as 250ms\nlife \"-1s\" is not a duration such as 250ms\nportability_step may not be 0\nrotate_every -1 is negative"}`},
		{"one good, one wrong", `{"rotate_every":2,"grace":"x"}`, `{"error":"grace \"x\" is not a duration such as 250ms"}`},
		{"unknown key", `{"rotate":1}`, `{"error":"not the settings of the MVNO platform: json: unknown field \"rotate\""}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, _, body := r.do("POST", "/_sandbox/mvno", c.body)
			require.Equal(t, http.StatusBadRequest, status)
			require.Equal(t, c.want, body)
			require.Equal(t, before, r.MVNO())
		})
	}
	status, _, _ := r.do("DELETE", "/_sandbox/mvno", "")
	require.Equal(t, http.StatusNotFound, status)
	require.Panics(t, func() { r.RotateMVNO(-1, 0) })
	r.RotateMVNO(2, time.Second)
	require.Equal(t, "1s", r.MVNO().Grace)
	_, err := Start(Options{MVNO: MVNOOptions{RotateEvery: -1}})
	require.ErrorContains(t, err, "may not be negative")
}

package backend

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
)

// lines is a contract whose answers bring the token, in their bodies.
const linesYAML = `openapi: 3.1.0
x-emenda: 1
info: { title: Lines, version: "1" }
x-emenda-sign-in:
  token:
    field: token
    first: first
    obtain: enter
    with: { do: enter, user: "${user}", password: "${password}" }
    value: ${answer.token}
    next: ${answer?.token ?? ""}
x-emenda-outcomes:
  - { when: answer?.said == "NO", is: failed, class: sign_in }
paths:
  /enter:
    post:
      operationId: enter
      x-emenda-changes: false
      requestBody: { content: { application/json: { schema: { type: object, properties: { do: { type: string }, n: { type: integer } } } } } }
      responses: { "200": { description: a, content: { application/json: { schema: { type: object, required: [token], properties: { said: { type: string }, token: { type: string, x-emenda-secret: true } } } } } } }
  /read:
    post:
      operationId: read
      x-emenda-changes: false
      x-emenda-token: true
      requestBody: { content: { application/json: { schema: { type: object, properties: { do: { type: string }, n: { type: integer } } } } } }
      responses: { "200": { description: a, content: { application/json: { schema: { type: object, properties: { said: { type: string }, token: { type: string, x-emenda-secret: true } } } } } } }
  /change:
    post:
      operationId: change
      x-emenda-changes: true
      x-emenda-token: true
      requestBody: { content: { application/json: { schema: { type: object, properties: { do: { type: string }, n: { type: integer } } } } } }
      responses: { "200": { description: a, content: { application/json: { schema: { type: object, properties: { said: { type: string }, token: { type: string, x-emenda-secret: true } } } } } } }
`

func linesContract(t *testing.T) *contract.Contract {
	t.Helper()
	c, list := contract.Load("lines", diag.NewFile("lines.yaml", linesYAML), nil)
	require.Empty(t, list)
	return c
}

// platform gives another token with every answer of a number, and lets the old
// one go after a while.
type platform struct {
	*server
	every int
	grace time.Duration
	takes time.Duration // each answer

	mu       sync.Mutex
	serial   int
	until    map[string]time.Time // of tokens that were replaced
	answers  int
	refused  int
	entered  int
	received map[string]int // changing requests by number
	done     map[string]int
}

func newPlatform(t *testing.T, every int, grace time.Duration) *platform {
	p := &platform{every: every, grace: grace, takes: 2 * time.Millisecond, serial: 1, until: map[string]time.Time{}, received: map[string]int{}, done: map[string]int{}}
	p.server = serve(t, func(_ int, r seen) reply {
		time.Sleep(p.takes)
		p.mu.Lock()
		defer p.mu.Unlock()
		return reply{text: jsonAnswer(200, p.answer(r.body))}
	})
	return p
}

func (p *platform) now() string { return fmt.Sprintf("t%d", p.serial) }

func (p *platform) answer(body string) string {
	what, tok, n := gjson.Get(body, "do").Str, gjson.Get(body, "token").Str, gjson.Get(body, "n").Raw
	if what == "enter" {
		if gjson.Get(body, "user").Str != "u" || gjson.Get(body, "password").Str != "p" || gjson.Get(body, "token").Exists() {
			return `{"said":"NO"}`
		}
		p.entered++
		return fmt.Sprintf(`{"token":%q}`, p.now())
	}
	if what == "change" {
		p.received[n]++
	}
	if tok != p.now() && time.Now().After(p.until[tok]) {
		p.refused++
		return `{"said":"NO"}`
	}
	if what == "change" {
		p.done[n]++
	}
	if p.answers++; p.every > 0 && p.answers%p.every == 0 {
		p.until[p.now()] = time.Now().Add(p.grace)
		p.serial++
		return fmt.Sprintf(`{"said":"YES","token":%q}`, p.now())
	}
	return `{"said":"YES"}`
}

// replicas gives two clients of the platform that share their token.
func (p *platform) replicas(t *testing.T, signIn map[string]string) []*Client {
	t.Helper()
	shared := newKept()
	all := make([]*Client, 2)
	for i := range all {
		all[i] = client(t, p.url(), func(o *Options) {
			o.Contract, o.SignIn, o.Tokens, o.AtMost = linesContract(t), signIn, shared, 128
		})
	}
	return all
}

func ask(t *testing.T, c *Client, id string, n int) *Answer {
	t.Helper()
	cl := &Call{Operation: c.o.Contract.Operations[id], RequestID: "r"}
	require.NoError(t, cl.Operation.Build(&cl.Request, nil, fmt.Appendf(nil, `{"do":%q,"n":%d}`, id, n)))
	return c.Do(within(t, 20*time.Second), cl)
}

// TestTokensInTurn: 50 calls at a time on two replicas while every third answer
// replaces the token.
func TestTokensInTurn(t *testing.T) {
	for name, c := range map[string]struct {
		grace  time.Duration
		signIn map[string]string
	}{
		"old ones hold for a while":                {2 * time.Second, map[string]string{"first": "t1", "user": "", "password": ""}},
		"old ones are refused at once":             {-time.Second, map[string]string{"first": "t1", "user": "", "password": ""}},
		"old ones are refused, and one is fetched": {-time.Second, map[string]string{"first": "", "user": "u", "password": "p"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlatform(t, 3, c.grace)
			both := p.replicas(t, c.signIn)
			for round := range 4 {
				var all sync.WaitGroup
				for i := range 50 {
					all.Go(func() {
						id := "read"
						if i%5 == 0 {
							id = "change"
						}
						a := ask(t, both[i%2], id, round*50+i)
						defer a.Release()
						if a.State != contract.OK {
							t.Errorf("round %d, %s %d: %s %s", round, id, i, a.State, a.Class)
						}
					})
				}
				all.Wait()
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			require.GreaterOrEqual(t, p.serial, 60)
			require.Len(t, p.done, 40)
			for n, times := range p.done {
				require.Equal(t, 1, times, "change %s", n)
			}
			if c.grace > 0 {
				require.Zero(t, p.refused)
			}
			t.Logf("%d tokens, %d refused, %d fetched", p.serial, p.refused, p.entered)
		})
	}
}

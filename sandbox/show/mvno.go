package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emenda-gateway/emenda/sandbox"
)

// The keys of the callers that may do everything with lines, and look at them.
const (
	mvnoKey = "mvno-0c0ffee0"
	crmKey  = "crm-0c0ffee0"
)

// mvnoEnv points a gateway at a platform.
func mvnoEnv(url string, more ...string) []string {
	return append([]string{
		"MVNO_URL=" + url, "MVNO_TOKEN=" + sandbox.MVNOToken, "MVNO_USER=", "MVNO_PASSWORD=", "MVNO_KEY=" + mvnoKey, "CRM_KEY=" + crmKey,
	}, more...)
}

// showPages runs every command of the pages about lines and about the network map.
func showPages(o options, r *report) error {
	for _, page := range []string{"mvno.md", "ozmap.md"} {
		if err := showPage(o, r, page); err != nil {
			return err
		}
	}
	return nil
}

func showPage(o options, r *report, page string) error {
	text, err := os.ReadFile(filepath.Join(o.root, "docs", page))
	if err != nil {
		return err
	}
	data, err := os.MkdirTemp("", "emenda-show-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(data) }()
	p, err := begin(o.root, []string{"EMENDA_LISTEN=127.0.0.1:0", "EMENDA_ADMIN_LISTEN=127.0.0.1:0", "EMENDA_DATA=" + data}, o.bin, "serve", "--sandbox")
	if err != nil {
		return err
	}
	defer p.kill()
	address, _, err := serving(p, 30*time.Second)
	if err != nil {
		return err
	}
	r.begin("docs/%s", page)
	refused := map[string]int{}
	calls := 0
	for _, e := range readExamples(string(text)) {
		if !strings.HasPrefix(e.command, "curl ") {
			continue
		}
		calls++
		got, err := runExample(o.root, readmeAddress.ReplaceAllString(e.command, address))
		if r.check(err == nil, "docs/%s:%d: %v", page, e.line, err) {
			r.check(matches(e.want, got), "docs/%s:%d: %s\n--- want\n%s\n--- got\n%s", page, e.line, e.command, e.want, got)
		}
		if strings.Contains(got, "Falta a permissão") {
			refused["permission"]++
		} else if strings.Contains(got, `"error"`) {
			refused["rule or field"]++
		}
	}
	r.check(calls > 0, "docs/%s has no curl example", page)
	r.notef("%d of curl, %d refused for a permission, %d by a rule or for a field", calls, refused["permission"], refused["rule or field"])
	return nil
}

// The parallel calls of the second demonstration.
const (
	turnCalls  = 50
	turnRounds = 8
)

// showTurns asks two replicas, 50 calls at a time, while every third answer of
// the platform brings another token: first with a grace of two seconds for the
// old one, then without.
func showTurns(o options, r *report) error {
	for _, grace := range []time.Duration{2 * time.Second, 0} {
		if err := showTurn(o, r, grace); err != nil {
			return err
		}
	}
	return nil
}

func showTurn(o options, r *report, grace time.Duration) error {
	store, err := startRedis()
	if err != nil {
		return err
	}
	defer store.close()
	box, err := sandbox.Start(sandbox.Options{MVNO: sandbox.MVNOOptions{RotateEvery: 3, Grace: grace}})
	if err != nil {
		return err
	}
	defer func() { _ = box.Close(context.Background()) }()
	env := mvnoEnv(box.URL()+sandbox.MVNOPath, "REDIS_URL="+store.url, "EMENDA_SEAL_KEY="+newSealKey())
	var both []*gateway
	for range 2 {
		g, err := startReplica(o, box.URL(), env)
		if err != nil {
			return err
		}
		defer g.close()
		both = append(both, g)
	}
	r.begin("two replicas, %d calls at a time, a new token every third answer, grace %s", turnCalls, grace)
	var reading, changing, changed, number atomic.Int64
	for range turnRounds {
		var all sync.WaitGroup
		for i := range turnCalls {
			all.Go(func() {
				g := both[i%2]
				if i%5 != 0 {
					status, body, err := mvnoGet(g, "consultar_status_simcard?numero_contrato=2112697")
					reading.Add(1)
					r.check(err == nil && status == http.StatusOK, "a reading call: %d %s %v", status, body, err)
					return
				}
				n := number.Add(1) - 1 // a free number each: 40 in each of three areas
				status, body, err := mvnoPost(g, "cadastrar_contrato", fmt.Sprintf(`{"Cpf_Cnpj":"52998224725","Nome":"CLIENTE TESTE","Produto":635,"Linha_Contrato_DDD":%q,"Linha_Contrato_NRO":"9999900%02d"}`,
					[]string{"31", "11", "21"}[n/40], n%40+1))
				changing.Add(1)
				if err == nil && status == http.StatusOK {
					changed.Add(1)
				} else if grace > 0 {
					r.check(false, "a changing call: %d %s %v", status, body, err)
				}
			})
		}
		all.Wait()
	}
	state := box.MVNO()
	done, again, received := 0, 0, 0
	for _, c := range state.Changes {
		if c.Method != "cadastrar_contrato" {
			continue
		}
		done += c.Done
		received += c.Received
		again = max(again, c.Done)
	}
	r.check(again <= 1, "a contract was registered %d times", again)
	r.check(int64(done) == changed.Load(), "%d contracts registered, %d answered so", done, changed.Load())
	r.check(state.Tokens > turnRounds*turnCalls/4, "only %d tokens", state.Tokens)
	if grace > 0 {
		r.check(state.Refused == 0 && received == done, "%d calls refused, %d contracts sent for %d", state.Refused, received, done)
	}
	r.notef("%d reading and %d changing calls, %d of these done, each once; %d tokens, %d requests refused for theirs, which did nothing", reading.Load(), changing.Load(), done, state.Tokens, state.Refused)
	return nil
}

func mvnoGet(g *gateway, what string) (int, string, error) {
	return mvnoDo(http.MethodGet, "http://"+g.address+"/v1/mvno/"+what, "", "")
}

func mvnoPost(g *gateway, action, body string) (int, string, error) {
	return mvnoDo(http.MethodPost, "http://"+g.address+"/v1/mvno/"+action, body, "")
}

// mvnoDo makes one request as the caller that may do everything; id is its X-Request-Id.
func mvnoDo(method, url, body, id string) (int, string, error) {
	req, err := http.NewRequestWithContext(context.Background(), method, url, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Authorization", "Bearer "+mvnoKey)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if id != "" {
		req.Header.Set("X-Request-Id", id)
	}
	resp, err := mvnoClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

var mvnoClient = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 128}}

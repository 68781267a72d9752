package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// TestBrowser opens /docs of a gateway with --sandbox in Chromium, signs in,
// tries two operations, and looks at what is shown; the page says nothing on
// its console and asks nobody else.
func TestBrowser(t *testing.T) {
	public := sandboxed(t)
	ctx := browser(t)
	told := watch(ctx, t, public)

	run := func(steps ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		require.NoError(t, chromedp.Do(ctx, steps...), "%s", told)
	}
	text := func(at string) string {
		t.Helper()
		got, err := chromedp.Run(ctx, chromedp.Text(chromedp.Search(at)))
		require.NoError(t, err, "%s", told)
		return got
	}
	// try opens an operation, asks it, and gives what is shown.
	try := func(tag, id string) (status, body string) {
		t.Helper()
		op := `//div[starts-with(@class,"opblock ")][.//span[contains(@class,"opblock-summary-operation-id")][text()="` + id + `"]]`
		live := op + `//table[contains(@class,"live-responses-table")]//tr[@class="response"]`
		run(
			chromedp.Click(chromedp.CSS(`h3[data-tag="`+tag+`"]`)),
			chromedp.Click(chromedp.Search(op+`//button[@class="opblock-summary-control"]`)),
			chromedp.WaitVisible(chromedp.Search(op+`//button[contains(@class,"execute")]`)),
			// The button is there before the viewer has read the operation.
			chromedp.WaitNotPresent(chromedp.Search(op+`//*[contains(@class,"opblock-loading-animation")]`)),
			chromedp.Click(chromedp.Search(op+`//button[contains(@class,"execute")]`)),
			chromedp.WaitVisible(chromedp.Search(live)))
		return text(live + `//td[contains(@class,"response-col_status")]`), text(live + `//pre[1]`)
	}
	authorize := func(scheme string, fields ...string) {
		t.Helper()
		box := `//div[@class="auth-container"][.//code[text()="` + scheme + `"]]`
		run(
			chromedp.Click(chromedp.CSS(`.scheme-container .btn.authorize`)),
			chromedp.WaitVisible(chromedp.Search(box)))
		for i, value := range fields {
			run(chromedp.SendKeys(chromedp.Search(fmt.Sprintf("(%s//input)[%d]", box, i+1)), value))
		}
		run(
			chromedp.Click(chromedp.Search(box+`//button[contains(@class,"authorize")]`)),
			chromedp.Click(chromedp.Search(box+`//button[contains(@class,"btn-done")]`)),
			chromedp.WaitNotPresent(chromedp.CSS(`.modal-ux`)))
	}

	run(
		chromedp.Navigate("http://"+public+"/docs"),
		chromedp.WaitVisible(chromedp.CSS(`h3[data-tag="ura"]`)))
	authorize("app_basic", sandboxUser, sandboxPassword)
	status, body := try("AUTENTICAÇÃO", "auth.token.gerar")
	require.True(t, strings.HasPrefix(status, "200"), status)
	var answer struct{ Token string }
	require.NoError(t, json.Unmarshal([]byte(body), &answer), body)
	require.Equal(t, 2, strings.Count(answer.Token, "."), "the gateway's own token")

	authorize("app_ticket", answer.Token)
	status, body = try("COMERCIAL - Contratos", "comercial.contrato.dados")
	require.True(t, strings.HasPrefix(status, "200"), status)
	require.Contains(t, body, `"DescricaoPlano"`)
	status, body = try("COMERCIAL - Clientes", "area.cliente.informacoes") // needs the token
	require.True(t, strings.HasPrefix(status, "200"), status)
	require.Contains(t, body, `"CLIENTE TESTE"`)

	picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	require.NoError(t, err)
	file := filepath.Join(t.ArtifactDir(), "docs.png")
	require.NoError(t, os.WriteFile(file, picture, 0o600))
	require.Greater(t, len(picture), 10_000, "a page with something on it")
	t.Log("screenshot:", file)
	require.Empty(t, told.lines(), "console errors, and requests to other hosts")
	require.Contains(t, told.asked(), "http://"+public+"/docs/openapi.json")
}

// sandboxed starts the built gateway with --sandbox and gives its address.
func sandboxed(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	binary := filepath.Join(dir, "emenda")
	out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	config, err := filepath.Abs("../../gateway.yaml")
	require.NoError(t, err)
	public, admin := address(t), address(t)
	gateway := exec.Command(binary, "serve", "--sandbox", "--config", config)
	gateway.Env = append(os.Environ(), "EMENDA_LISTEN="+public, "EMENDA_ADMIN_LISTEN="+admin, "EMENDA_DATA="+filepath.Join(dir, "data"))
	require.NoError(t, gateway.Start())
	t.Cleanup(func() {
		require.NoError(t, gateway.Process.Signal(syscall.SIGTERM))
		require.NoError(t, gateway.Wait())
	})
	require.Eventually(t, func() bool {
		r, err := http.Get("http://" + admin + "/readyz")
		return err == nil && r.Body.Close() == nil && r.StatusCode == http.StatusOK
	}, 20*time.Second, 50*time.Millisecond)
	return public
}

// browser starts Chromium without a window; it may run as root, in a container.
func browser(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	require.NoError(t, err, "make test installs it")
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx,
		append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1300, 1800),
			chromedp.UserDataDir(t.TempDir()), chromedp.Flag("disable-dev-shm-usage", true))...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	return ctx
}

// told is what the browser says and asks.
type told struct {
	mu   sync.Mutex
	bad  []string
	urls []string
}

func (w *told) lines() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.bad...)
}

func (w *told) asked() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.urls...)
}

// String shows it in messages of failed tests.
func (w *told) String() string { return strings.Join(append(w.lines(), w.asked()...), "\n") }

// watch notes errors on the console, and whom the page asks.
func watch(ctx context.Context, t *testing.T, host string) *told {
	t.Helper()
	w := &told{}
	note := func(list *[]string, line string) {
		w.mu.Lock()
		defer w.mu.Unlock()
		*list = append(*list, line)
	}
	messages := chromedp.Console(ctx) // from here on
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			if m.Type == chromedp.ConsoleError || m.Type == chromedp.ConsoleWarning || m.IsException() {
				note(&w.bad, m.String())
			}
		}
	}()
	require.NoError(t, chromedp.Listen(ctx, func(event any) {
		e, ok := event.(*network.EventRequestWillBeSent)
		if !ok {
			return
		}
		note(&w.urls, e.Request.URL)
		if u, err := url.Parse(e.Request.URL); err != nil || u.Host != host && u.Scheme != "data" && u.Scheme != "blob" {
			note(&w.bad, "request: "+e.Request.URL)
		}
	}))
	return w
}

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/sandbox"
)

// serving is a gateway in a process of its own; the scripts' `emenda`.
type serving struct {
	cmd   *exec.Cmd
	lines *bufio.Scanner
	log   bytes.Buffer
}

func serve(t *testing.T) *serving {
	cmd := exec.Command("emenda", "serve", "--config", "../../gateway.yaml", "--sandbox")
	cmd.Env = append(os.Environ(), "EMENDA_LISTEN=127.0.0.1:0", "EMENDA_ADMIN_LISTEN=127.0.0.1:0", "EMENDA_DATA="+t.TempDir())
	out, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	})
	return &serving{cmd: cmd, lines: bufio.NewScanner(out)}
}

// line waits for the log line with a message.
func (s *serving) line(t *testing.T, msg string) map[string]any {
	for s.lines.Scan() {
		s.log.Write(append(s.lines.Bytes(), '\n'))
		var m map[string]any
		require.NoError(t, json.Unmarshal(s.lines.Bytes(), &m), s.lines.Text())
		if m["msg"] == msg {
			return m
		}
	}
	t.Fatalf("no line %q in\n%s", msg, s.log.String())
	return nil
}

func post(url, kind, body string) (int, string, error) {
	res, err := http.Post(url, kind, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	return res.StatusCode, string(text), err
}

// A request under way when SIGTERM comes is answered, and the exit is a good one.
func TestTerminate(t *testing.T) {
	s := serve(t)
	box := s.line(t, "the stand-ins of the backends listen")["address"]
	addr := s.line(t, "serving")["address"]
	code, text, err := post(fmt.Sprintf("%s/_sandbox/faults", box), "application/json",
		`{"operation":"comercial.cliente.dados","kind":"latency","delay":"700ms"}`)
	require.NoError(t, err)
	require.Less(t, code, 300, text)
	answered := make(chan string, 1)
	go func() {
		code, text, err := post(fmt.Sprintf("http://%s/ws/ura/consultacliente/", addr), "application/x-www-form-urlencoded",
			"app="+sandboxApp+"&token="+sandboxToken+"&cpfcnpj=12312312312")
		answered <- fmt.Sprint(code, " ", text, " ", err)
	}()
	calls := func() string {
		res, err := http.Get(fmt.Sprintf("%s/_sandbox/calls", box))
		require.NoError(t, err)
		defer func() { _ = res.Body.Close() }()
		text, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		return string(text)
	}
	for !strings.Contains(calls(), "comercial.cliente.dados") {
		continue // the request is on its way
	}
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGTERM))
	s.line(t, "stopping")
	require.Contains(t, <-answered, `200 {"msg":"Contrato(s) Localizado(s)"`)
	s.line(t, "stopped")
	require.NoError(t, s.cmd.Wait())
	require.Contains(t, s.log.String(), `"outcome":"ok"`)
}

// TestNoLineIsLost: what was gathered when the gateway is told to stop is written.
func TestNoLineIsLost(t *testing.T) {
	const requests = 50
	s := serve(t)
	addr := s.line(t, "serving")["address"]
	for range requests {
		code, text, err := post(fmt.Sprintf("http://%s/ws/ura/consultacliente/", addr), "application/x-www-form-urlencoded",
			"app="+sandboxApp+"&token="+sandboxToken+"&cpfcnpj=12312312312")
		require.NoError(t, err)
		require.Equal(t, 200, code, text)
	}
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGTERM))
	s.line(t, "stopped")
	require.NoError(t, s.cmd.Wait())
	require.Equal(t, requests, strings.Count(s.log.String(), `"outcome":"ok"`))
}

// SIGHUP reloads, and says what came of it.
func TestHangup(t *testing.T) {
	s := serve(t)
	hash := s.line(t, "serving")["configuration"]
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGHUP))
	line := s.line(t, "configuration unchanged")
	require.Equal(t, hash, line["configuration"])
	require.Equal(t, "SIGHUP", line["trigger"])
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGTERM))
	s.line(t, "stopped")
	require.NoError(t, s.cmd.Wait())
}

func TestSandboxEnvironment(t *testing.T) {
	for name, c := range map[string]struct {
		env  map[string]string
		want map[string]string
	}{
		"nothing given": {nil, map[string]string{
			"ERP_URL": "http://box", "ERP_USER": "sandbox", "ERP_PASSWORD": "sandbox", "SGP_URL": "http://box", "SGP_APP": "sandbox", "SGP_TOKEN": sandbox.SGPToken, "URA_APP": "ura", "URA_TOKEN": sandboxToken, "OTHER": "",
			"MVNO_URL": "http://box/mvno", "MVNO_TOKEN": sandbox.MVNOToken, "MVNO_USER": sandbox.MVNOUser, "MVNO_PASSWORD": sandbox.MVNOPassword, "MVNO_KEY": sandboxMVNOKey,
		}},
		"a caller given": {map[string]string{"URA_APP": "a", "URA_TOKEN": "t", "MVNO_KEY": "k", "OTHER": "o"}, map[string]string{
			"ERP_URL": "http://box", "URA_APP": "a", "URA_TOKEN": "t", "MVNO_KEY": "k", "OTHER": "o",
		}},
		"empty is unset":    {map[string]string{"URA_APP": "", "URA_TOKEN": "", "URA_TOKEN_FILE": ""}, map[string]string{"URA_APP": "ura", "URA_TOKEN": sandboxToken}},
		"a token in a file": {map[string]string{"URA_TOKEN_FILE": "/run/t"}, map[string]string{"URA_TOKEN": "", "URA_TOKEN_FILE": "/run/t"}},
		"a backend is not":  {map[string]string{"ERP_URL": "http://real", "ERP_PASSWORD": "p", "SGP_TOKEN": "p"}, map[string]string{"ERP_URL": "http://box", "ERP_PASSWORD": "sandbox", "SGP_TOKEN": sandbox.SGPToken}},
	} {
		t.Run(name, func(t *testing.T) {
			env := sandboxEnvironment(func(name string) (string, bool) { v, ok := c.env[name]; return v, ok }, "http://box")
			for name, want := range c.want {
				got, _ := env(name)
				require.Equal(t, want, got, name)
			}
		})
	}
}

package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const promiseRaw = "PUT /ws/comercial/contrato/habilitar_confianca HTTP/1.1\r\nHost: erp\r\nContent-Length: 22\r\n\r\n{\"idContrato\":2000001}"

// readAnswer reads one answer; its status is 0 when none comes.
func readAnswer(in *bufio.Reader) (status int, body string, err error) {
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	return res.StatusCode, string(text), err
}

// What a caller sees of each ending, and that every one is counted by what is on the wire.
func TestRecorder(t *testing.T) {
	for _, c := range []struct {
		end    ending
		status int    // 0: no answer
		body   string // "" with a status: cut
	}{
		{endYes, 200, `{"dataFim":"20/04/2030","resposta":"SUCESSO"}`},
		{endLate, 200, `{"dataFim":"20/04/2030","resposta":"SUCESSO"}`},
		{endNo, 200, `{"resposta":"FALHA"}`},
		{endUnread, 0, ""},
		{endHead, 0, ""},
		{endBody, 0, ""},
		{endHalf, 200, ""},
		{endBreakdown, 500, `{"error": "Internal Server Error"}`},
		{endPage, 200, "<html><body>Sistema temporariamente indisponível</body></html>"},
		{endNeither, 200, `{"dataFim":"20/04/2030"}`},
	} {
		t.Run(c.end.String(), func(t *testing.T) {
			rec, err := startRecorder()
			require.NoError(t, err)
			defer rec.stop()
			p := rec.expect("2000001", &plot{end: c.end})
			for times := 1; times <= 2; times++ { // it answers each as if it were the first
				conn, err := net.Dial("tcp", rec.Addr().String())
				require.NoError(t, err)
				_, err = io.WriteString(conn, promiseRaw[:40])
				require.NoError(t, err)
				_, err = io.WriteString(conn, promiseRaw[40:])
				require.NoError(t, err)
				require.NoError(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
				status, body, err := readAnswer(bufio.NewReader(conn))
				require.Equal(t, c.status, status)
				switch {
				case c.status == 0:
					require.Error(t, err)
				case c.body == "":
					require.ErrorIs(t, err, io.ErrUnexpectedEOF)
				default:
					require.NoError(t, err)
					require.Equal(t, c.body, body)
				}
				require.NoError(t, conn.Close())
				<-p.seen
				require.Equal(t, times, rec.count("2000001"))
			}
			require.Empty(t, rec.strays())
		})
	}
}

func TestRecorderKeepsConnectionsAndHolds(t *testing.T) {
	rec, err := startRecorder()
	require.NoError(t, err)
	defer rec.stop()
	p := rec.expect("2000001", &plot{end: endYes, hold: true})
	conn, err := net.Dial("tcp", rec.Addr().String())
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	in := bufio.NewReader(conn)
	read := func() string {
		_, body, err := readAnswer(in)
		require.NoError(t, err)
		return body
	}
	_, err = io.WriteString(conn, "POST /ws/comercial/contrato/dados HTTP/1.1\r\nContent-Length: 22\r\n\r\n{\"idContrato\":2000001}")
	require.NoError(t, err)
	require.Contains(t, read(), `"IDContrato":2000001`)
	_, err = io.WriteString(conn, promiseRaw)
	require.NoError(t, err)
	<-p.seen
	require.Zero(t, in.Buffered())
	close(p.let)
	require.Contains(t, read(), "SUCESSO")
	// A promise of a contract that nobody told of, and half a one, are not lost from sight.
	_, err = io.WriteString(conn, "PUT /ws/comercial/contrato/habilitar_confianca HTTP/1.1\r\nContent-Length: 1\r\n\r\n5")
	require.NoError(t, err)
	_, err = in.ReadByte()
	require.Error(t, err)
	require.Len(t, rec.strays(), 1)
}

// Every check of a round can fail.
func TestJudge(t *testing.T) {
	grantedBody := `{"status":1,"razaoSocial":"CLIENTE 2000001","liberado":true,"cpfCnpj":"123.***.789-**","msg":"` + saysGranted + `","contratoId":2000001,"uracontato":"1","protocolo":"20260305181601"}`
	usedBody := `{"status":2,"razaoSocial":"CLIENTE 2000001","liberado":false,"cpfCnpj":"123.***.789-**","msg":"` + saysUsed + `","contratoId":2000001,"uracontato":"1"}`
	usedToo := `{"status":2,"razaoSocial":"CLIENTE 2000001","liberado":false,"cpfCnpj":"123.***.789-**","msg":"` + saysUsed + `","contratoId":2000001}`
	unsureBody := `{"status":0,"razaoSocial":"CLIENTE 2000001","liberado":false,"cpfCnpj":"123.***.789-**","msg":"` + saysUnsure + `","contratoId":2000001}`
	told := func(caller int, body string) asked {
		return asked{caller: caller, a: &answer{status: 200, body: []byte(body), header: http.Header{"Content-Type": {"application/json"}, "X-Request-Id": {"1"}}}}
	}
	broken := asked{err: io.EOF}
	hungUp := asked{err: io.EOF, hungUp: true}
	for _, c := range []struct {
		name string
		end  ending
		mode mode
		puts int
		asks []asked
		want []string
	}{
		{"granted", endYes, modeTogether, 1, []asked{told(0, grantedBody), hungUp, told(0, grantedBody), told(1, usedBody), told(1, usedToo)}, nil},
		{"lost", endHalf, modeInTurn, 1, []asked{told(0, unsureBody), told(0, unsureBody), told(1, usedBody)}, nil},
		{"refused", endNo, modeInTurn, 1, []asked{told(0, usedBody), told(0, usedBody)}, nil},
		{"the other caller's", endYes, modeCallers, 1, []asked{told(0, usedBody), told(1, grantedBody)}, nil},
		{"killed", endYes, modeKill, 1, []asked{hungUp, told(0, unsureBody), told(1, usedBody)}, nil},
		{"killed late", endYes, modeKillLate, 1, []asked{told(0, grantedBody), told(0, grantedBody)}, nil},
		{"killed early", endYes, modeKillEarly, 0, []asked{hungUp, told(0, unsureBody)}, nil},
		{"granted and never sent", endYes, modeKillEarly, 0, []asked{hungUp, told(0, grantedBody)}, []string{"nothing sent"}},
		{"sent twice", endYes, modeTogether, 2, []asked{told(0, grantedBody)}, []string{"a promise doubled"}},
		{"never sent", endYes, modeTogether, 0, []asked{told(0, grantedBody)}, []string{"nothing sent", "nothing sent"}},
		{"no answer", endYes, modeTogether, 1, []asked{told(0, grantedBody), broken}, []string{"no answer"}},
		{"another echo", endYes, modeTogether, 1, []asked{told(0, grantedBody), told(0, `{"uracontato":"2",`+grantedBody[1:])}, []string{"answers that differ"}},
		{"used after all", endHalf, modeTogether, 1, []asked{told(0, unsureBody), told(0, usedBody)}, []string{"answers that differ", "wrong words", "wrong words"}},
		{"granted though lost", endBody, modeTogether, 1, []asked{told(0, grantedBody)}, []string{"wrong words"}},
		{"granted though refused", endNo, modeTogether, 1, []asked{told(0, grantedBody)}, []string{"wrong words"}},
		{"unsure though granted", endYes, modeTogether, 1, []asked{told(0, unsureBody)}, []string{"wrong words"}},
		{"granted to two", endYes, modeCallers, 1, []asked{told(0, grantedBody), told(1, grantedBody)}, []string{"wrong words"}},
		{"to the second, too", endYes, modeTogether, 1, []asked{told(0, grantedBody), told(1, grantedBody)}, []string{"wrong words", "wrong words"}},
		{"another client", endYes, modeTogether, 1, []asked{told(0, `{"razaoSocial":"ANA",`+grantedBody[1:len(grantedBody)-1]+`,"razaoSocial":"ANA"}`)}, []string{"a wrong answer"}},
		{"no words known", endYes, modeTogether, 1, []asked{told(0, `{"status":0,"liberado":false,"msg":"x"}`)}, []string{"a wrong answer", "wrong words"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &round{contract: "2000001", plot: &plot{end: c.end}, mode: c.mode, killed: c.mode == modeKill, asks: c.asks}
			var failed []string
			for _, one := range r.judge(c.puts) {
				if !one.ok {
					failed = append(failed, one.kind)
				}
			}
			require.Equal(t, c.want, failed)
		})
	}
}

func TestWithoutLine(t *testing.T) {
	mapping, err := os.ReadFile("../../mappings/ura/liberacaopromessa.yaml")
	require.NoError(t, err)
	for _, line := range []string{"claim", "repeat"} {
		left := withoutLine(string(mapping), line)
		require.NotContains(t, left, "\n  "+line)
		require.NotContains(t, left, "tests:")
		require.Contains(t, left, "reply:\n")
	}
}

// A Redis that is killed keeps what it said it kept, and loses it when told to.
func TestRedisAgain(t *testing.T) {
	r, err := startRedis()
	require.NoError(t, err)
	defer r.close()
	u, err := url.Parse(r.url)
	require.NoError(t, err)
	require.Equal(t, r.address, u.Host)
	said, err := r.command("SET", "a", "1")
	require.NoError(t, err)
	require.Equal(t, "+OK\r\n", said)
	r.murder()
	_, err = r.command("PING")
	require.Error(t, err)
	require.NoError(t, r.again())
	n, err := r.keys()
	require.NoError(t, err)
	require.Equal(t, 1, n)
	r.murder()
	require.NoError(t, r.lose())
	require.NoError(t, r.again())
	n, err = r.keys()
	require.NoError(t, err)
	require.Zero(t, n, fmt.Sprint(r.dir))
}

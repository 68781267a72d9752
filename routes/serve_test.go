package routes

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAnswers(t *testing.T) {
	w := start(t, "testdata/gateway.yaml")
	for name, c := range map[string]struct {
		send   string
		status int
		body   string
		allow  string
		kind   string // Content-Type; "" for application/json
		close  bool
	}{
		"a form":             {send: request("POST /p/echo/", "word=a+b%21", form), status: 200, body: `{"word":"a b!","caller":"kiosk"}`},
		"without slash":      {send: request("POST /p/echo", "word=x", form), status: 200, body: `{"word":"x","caller":"kiosk"}`},
		"another prefix":     {send: request("POST /api/p/echo", "word=x", form), status: 200, body: `{"word":"x","caller":"kiosk"}`},
		"a query":            {send: request("GET /p/echo?word=x", ""), status: 200, body: `{"word":"x","caller":"kiosk"}`},
		"absolute form":      {send: request("GET http://gateway/p/echo?word=x", ""), status: 200, body: `{"word":"x","caller":"kiosk"}`},
		"chunked":            {send: request("POST /p/echo", "", form, "Transfer-Encoding: chunked") + "3\r\nwor\r\n3\r\nd=x\r\n0\r\n\r\n", status: 200, body: `{"word":"x","caller":"kiosk"}`},
		"json":               {send: request("POST /p/echo", `{"word":"x"}`, "Content-Type: application/json"), status: 200, body: `{"word":"x","caller":"kiosk"}`},
		"latin-1":            {send: request("POST /p/echo", "word=\xe9", form), status: 200, body: `{"word":"é","caller":"kiosk"}`},
		"identity encoding":  {send: request("POST /p/echo", "word=x", form, "Content-Encoding: identity"), status: 200, body: `{"word":"x","caller":"kiosk"}`},
		"http/1.0":           {send: strings.Replace(request("GET /p/echo?word=x", ""), "HTTP/1.1", "HTTP/1.0", 1), status: 200, body: `{"word":"x","caller":"kiosk"}`, close: true},
		"parameters":         {send: request("GET /p/items/a%2Fb/%C3%A9-1.2", ""), status: 200, body: `{"kind":"a/b","number":"é-1.2"}`},
		"literal goes first": {send: request("GET /p/items/all/first", ""), status: 200, body: `{"all":true}`},

		"not signed in":                {send: "POST /p/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nword=x", status: 403, body: `{"detail":"who?"}`},
		"wrong token":                  {send: request("POST /p/echo", "word=x&token=other", form), status: 403, body: `{"detail":"wrong"}`},
		"forbidden":                    {send: strings.NewReplacer(kioskToken, guestToken, "App: kiosk", "App: guest").Replace(request("POST /p/echo", "word=x", form)), status: 403, body: `{"detail":"no"}`},
		"bad input":                    {send: request("POST /p/echo", "x=1", form), status: 422, body: `{"detail":"word is missing","fields":["/word"]}`},
		"backend left out":             {send: request("POST /p/elsewhere", ""), status: 503, body: `{"detail":"not now"}`},
		"nobody can sign in":           {send: request("PUT /p/other/thing", ""), status: 503, body: `{"other":"failed"}`},
		"no route":                     {send: request("GET /p/nothing/52998224725", ""), status: 404, body: `{"detail":"no such thing"}`},
		"no route at all":              {send: request("GET /52998224725", ""), status: 404, body: `{"type":"about:blank","title":"Not Found","status":404}`, kind: "application/problem+json"},
		"no route, the nearer dialect": {send: request("GET /p/other/52998224725", ""), status: 404, body: `{"other":"nothing"}`},
		"slash never":                  {send: request("PUT /p/other/thing/", ""), status: 404, body: `{"other":"nothing"}`},
		"prefix of another word":       {send: request("GET /pp/echo", ""), status: 404, body: `{"type":"about:blank","title":"Not Found","status":404}`, kind: "application/problem+json"},
		"case of the path":             {send: request("POST /P/echo", ""), status: 404, body: `{"type":"about:blank","title":"Not Found","status":404}`, kind: "application/problem+json"},
		"a double slash before":        {send: request("POST //p/echo", "word=x", form), status: 404, body: `{"detail":"no such thing"}`},
		"a name before the path":       {send: request("POST //evil/p/echo", "word=x", form), status: 404, body: `{"type":"about:blank","title":"Not Found","status":404}`, kind: "application/problem+json"},
		"a double slash inside":        {send: request("POST /p//echo", "word=x", form), status: 404, body: `{"detail":"no such thing"}`},
		"dots":                         {send: request("POST /p/x/../echo", "word=x", form), status: 404, body: `{"detail":"no such thing"}`},
		"an escaped slash":             {send: request("POST /p%2fecho", "word=x", form), status: 404, body: `{"type":"about:blank","title":"Not Found","status":404}`, kind: "application/problem+json"},
		"an escaped letter":            {send: request("POST /p/%65cho", "word=x", form), status: 404, body: `{"detail":"no such thing"}`},
		"an empty parameter":           {send: request("GET /p/items//1", ""), status: 404, body: `{"detail":"no such thing"}`},
		"NUL in a parameter":           {send: request("GET /p/items/a%00/1", "", "X-Request-Id: abc"), status: 400, body: `{"kind":"unreadable","detail":"the path holds a malformed percent escape","id":"abc"}`},
		"half an escape":               {send: request("GET /p/items/a%2/1", "", "X-Request-Id: abc"), status: 400, body: `{"kind":"unreadable","detail":"the path holds a malformed percent escape","id":"abc"}`},
		"half an escape at the end":    {send: request("GET /p/items/a/1%2", "", "X-Request-Id: abc"), status: 400, body: `{"kind":"unreadable","detail":"the path holds a malformed percent escape","id":"abc"}`},
		"no text in a parameter":       {send: request("GET /p/items/%ff/1", "", "X-Request-Id: abc"), status: 400, body: `{"kind":"unreadable","detail":"the path holds a malformed percent escape","id":"abc"}`},

		"a method of no route":    {send: request("DELETE /p/echo", ""), status: 405, body: `{"detail":"not so"}`, allow: "GET, POST"},
		"a method elsewhere":      {send: request("POST /p/items/a/1", ""), status: 405, body: `{"detail":"not so"}`, allow: "GET"},
		"OPTIONS":                 {send: request("OPTIONS /p/echo", ""), status: 405, body: `{"detail":"not so"}`, allow: "GET, POST"},
		"TRACE":                   {send: request("TRACE /p/echo", ""), status: 405, body: `{"detail":"not so"}`, allow: "GET, POST"},
		"CONNECT":                 {send: request("CONNECT /p/echo", ""), status: 405, body: `{"detail":"not so"}`, allow: "GET, POST"},
		"CONNECT to a host":       {send: request("CONNECT example.com:443", ""), status: 405, body: `{"type":"about:blank","title":"Method Not Allowed","status":405}`, kind: "application/problem+json"},
		"a method nobody knows":   {send: request("BREW /p/echo", ""), status: 405, body: `{"detail":"not so"}`, allow: "GET, POST"},
		"such a method elsewhere": {send: request("BREW /p/x", ""), status: 405, body: `{"detail":"not so"}`},

		"both lengths":           {send: request("POST /p/echo", "", form, "X-Request-Id: abc", "Content-Length: 6", "Transfer-Encoding: chunked") + "0\r\n\r\n", status: 400, body: `{"kind":"unreadable","detail":"Transfer-Encoding and Content-Length together","id":"abc"}`, close: true},
		"both lengths, small":    {send: request("POST /p/echo", "", form, "X-Request-Id: abc", "transfer-encoding: chunked", "content-length: 6") + "0\r\n\r\n", status: 400, body: `{"kind":"unreadable","detail":"Transfer-Encoding and Content-Length together","id":"abc"}`, close: true},
		"identity and a length":  {send: request("POST /p/echo", "word=x", form, "X-Request-Id: abc", "Transfer-Encoding: identity"), status: 400, body: `{"kind":"unreadable","detail":"Transfer-Encoding and Content-Length together","id":"abc"}`, close: true},
		"gzip that is none":      {send: request("POST /p/echo", "word=x", form, "X-Request-Id: abc", "Content-Encoding: gzip"), status: 400, body: `{"kind":"unreadable","detail":"Content-Encoding is not supported","id":"abc"}`},
		"no boundary":            {send: request("POST /p/echo", "word=x", "Content-Type: multipart/form-data", "X-Request-Id: abc"), status: 400, body: `{"kind":"unreadable","detail":"the multipart body has no boundary","id":"abc"}`},
		"json that is none":      {send: request("POST /p/echo", "word=x", "Content-Type: application/json", "X-Request-Id: abc"), status: 400, body: `{"kind":"unreadable","detail":"the request body is not valid JSON: a word that is not true, false or null, at line 1, column 1","id":"abc"}`},
		"too large":              {send: request("POST /p/echo", "", form, "Content-Length: 65537"), status: 413, body: `{"detail":"too large"}`, close: true},
		"too large, chunked":     {send: request("POST /p/echo", "", form, "Transfer-Encoding: chunked") + "10001\r\n", status: 413, body: `{"detail":"too large"}`, close: true},
		"too large, asked first": {send: request("POST /p/echo", "", form, "Expect: 100-continue", "Content-Length: 65537"), status: 413, body: `{"detail":"too large"}`, close: true},
	} {
		t.Run(name, func(t *testing.T) {
			method, _, _ := strings.Cut(c.send, " ")
			got := w.raw(c.send, method)[0]
			require.Equal(t, c.body, got.body)
			require.Equal(t, c.status, got.status)
			kind := c.kind
			if kind == "" {
				kind = "application/json"
			}
			require.Equal(t, kind, got.header.Get("Content-Type"))
			require.Equal(t, c.allow, strings.Join(got.header.Values("Allow"), "|"))
			require.Equal(t, c.status == 405, got.header.Values("Allow") != nil, "405 carries Allow")
			require.Equal(t, c.close, got.closed)
			require.NotEmpty(t, got.header.Get("X-Request-Id"))
			cache := []string{"no-store"}
			if name == "parameters" {
				cache = []string{"max-age=60"}
			}
			require.Equal(t, cache, got.header.Values("Cache-Control"))
		})
	}
}

// What cannot be read as a request is answered in the words of the dialect
// whose path was seen; where none was and there are two, in plain ones.
func TestUnreadableRequests(t *testing.T) {
	w := start(t, "testdata/gateway.yaml")
	unreadable := `{"kind":"unreadable","detail":"the request cannot be read","id":"ID"}`
	late := `{"kind":"unreadable","detail":"the request did not arrive in time","id":"ID"}`
	large := `{"detail":"too large"}`
	plain := `{"type":"about:blank","title":"Bad Request","status":400}`
	for name, c := range map[string]struct {
		send   string
		status int
		body   string
	}{
		"a header too large":      {request("GET /p/echo?word=x", "", "X-Long: "+strings.Repeat("a", 5000)), 413, large},
		"a path too large":        {request("GET /p/"+strings.Repeat("a", 5000), ""), 413, large},
		"a blank before a colon":  {request("GET /p/echo", "", "X-A : 1"), 400, unreadable},
		"NUL in the path":         {request("GET /p/a\x00b", ""), 400, unreadable},
		"NUL in the header":       {request("GET /p/a", "", "X-A: \x00"), 400, unreadable},
		"two lengths":             {request("POST /p/echo", "word=x", "Content-Length: 7"), 400, unreadable},
		"a length below zero":     {request("POST /p/echo", "", "Content-Length: -5"), 400, unreadable},
		"an unknown transfer":     {request("POST /p/echo", "", "Transfer-Encoding: gzip, chunked"), 400, unreadable},
		"chunks in http/1.0":      {strings.Replace(request("POST /p/echo", "", "Transfer-Encoding: chunked"), "HTTP/1.1", "HTTP/1.0", 1), 400, unreadable},
		"a broken chunk":          {request("POST /p/echo", "", form, "Transfer-Encoding: chunked") + "zz\r\nword", 400, unreadable},
		"a header never finished": {"GET /p/echo HTTP/1.1\r\nHost: x\r\n", 400, late},
		"a body never finished":   {request("POST /p/echo", "", form, "Content-Length: 10") + "word", 400, late},
		"nothing at all":          {"", 400, plain},
		"no request":              {"hello\r\n\r\n", 400, plain},
		"tls":                     {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, plain},
	} {
		t.Run(name, func(t *testing.T) {
			got := w.raw(c.send, "GET")[0]
			require.Equal(t, strings.Replace(c.body, "ID", got.header.Get("X-Request-Id"), 1), got.body)
			require.Equal(t, c.status, got.status)
			require.True(t, got.closed)
			kind := "application/json"
			if c.body == plain {
				kind = "application/problem+json"
			}
			require.Equal(t, kind, got.header.Get("Content-Type"))
		})
	}
	t.Run("closed before anything came", func(t *testing.T) {
		before := strings.Count(w.log.text(), `"msg":"request"`)
		c, err := net.Dial("tcp", w.addr)
		require.NoError(t, err)
		require.NoError(t, c.(*net.TCPConn).CloseWrite())
		rest, err := io.ReadAll(c)
		require.NoError(t, err)
		require.Empty(t, rest)
		require.NoError(t, c.Close())
		require.Equal(t, before, strings.Count(w.log.text(), `"msg":"request"`))
	})
}

// One dialect only: whoever sends what cannot be read speaks it.
func TestUnreadableWithOneDialect(t *testing.T) {
	config := changed(t, "mappings/dialects/other.yaml", "dialect: other", "dialect: other")
	removeOther(t, config)
	w := start(t, config)
	got := w.raw("hello\r\n\r\n", "GET")[0]
	require.Contains(t, got.body, `{"kind":"unreadable","detail":"the request cannot be read","id":"`)
	require.Equal(t, "application/json", got.header.Get("Content-Type"))
}

// The answer to a body that is refused unread arrives, though the client goes on sending.
func TestRefusedWhileSending(t *testing.T) {
	w := start(t, "testdata/gateway.yaml")
	c, err := net.Dial("tcp", w.addr)
	require.NoError(t, err)
	defer func() { _ = c.Close() }()
	const size = 4 << 20
	_, err = io.WriteString(c, request("POST /p/echo", "", form, fmt.Sprintf("Content-Length: %d", size)))
	require.NoError(t, err)
	_, err = io.WriteString(c, strings.Repeat("a", size))
	require.NoError(t, err)
	require.Equal(t, `{"detail":"too large"}`, read(t, c, "POST")[0].body)
}

func TestExpect(t *testing.T) {
	w := start(t, "testdata/gateway.yaml")
	c, err := net.Dial("tcp", w.addr)
	require.NoError(t, err)
	defer func() { _ = c.Close() }()
	_, err = io.WriteString(c, request("POST /p/echo", "", form, "Expect: 100-continue", "Content-Length: 6"))
	require.NoError(t, err)
	require.NoError(t, c.SetReadDeadline(time.Now().Add(5*time.Second)))
	line := make([]byte, len("HTTP/1.1 100 Continue\r\n\r\n"))
	_, err = io.ReadFull(c, line)
	require.NoError(t, err)
	require.Equal(t, "HTTP/1.1 100 Continue\r\n\r\n", string(line))
	_, err = io.WriteString(c, "word=x")
	require.NoError(t, err)
	require.Equal(t, `{"word":"x","caller":"kiosk"}`, read(t, c, "POST")[0].body)
}

func TestPipelined(t *testing.T) {
	w := start(t, "testdata/gateway.yaml")
	got := w.raw(
		request("POST /p/echo", "word=one", form)+
			request("BREW /p/echo", "word=two", form)+
			request("HEAD /p/echo?word=three", "")+
			request("GET /p/hello?word=four", "", "X-Request-Id: abc")+
			request("POST /p/echo", "", form, "Content-Length: 65537"),
		"POST", "BREW", "HEAD", "GET", "POST")
	require.Equal(t, `{"word":"one","caller":"kiosk"}`, got[0].body)
	require.Equal(t, []string{"yes"}, got[0].header.Values("X-Said"))
	require.Equal(t, `{"detail":"not so"}`, got[1].body)
	require.Equal(t, 405, got[2].status)
	require.Empty(t, got[2].body)
	require.Equal(t, "GET, POST", got[2].header.Get("Allow"))
	require.Equal(t, `{"hello":"four","method":"GET","id":"abc"}`, got[3].body)
	require.Empty(t, got[3].header.Values("X-Said"), "nothing is left of answers before")
	require.Equal(t, "abc", got[3].header.Get("X-Request-Id"))
	require.Equal(t, `{"detail":"too large"}`, got[4].body)
	require.NotEqual(t, "abc", got[4].header.Get("X-Request-Id"))
	require.False(t, got[3].closed)
	require.True(t, got[4].closed)
}

func TestRequestID(t *testing.T) {
	w := start(t, "testdata/gateway.yaml")
	for name, c := range map[string]struct {
		given string
		kept  bool
	}{
		"taken over":        {"call-7.a_B", true},
		"a document number": {"52998224725", false},
		"too long":          {strings.Repeat("a", 65), false},
		"a blank":           {"a b", false},
		"markup":            {`"><script>`, false},
	} {
		t.Run(name, func(t *testing.T) {
			got := w.raw(request("GET /p/hello", "", "X-Request-Id: "+c.given))[0]
			require.Len(t, got.header.Values("X-Request-Id"), 1)
			id := got.header.Get("X-Request-Id")
			require.Equal(t, c.kept, id == c.given)
			require.Contains(t, got.body, `"id":"`+id+`"`)
			require.Contains(t, w.log.text(), `"request_id":"`+id+`"`)
		})
	}
}

// What a caller sends cannot end a header field of the answer and begin another.
func TestHeaderOfAnswer(t *testing.T) {
	w := start(t, changed(t, "mappings/plain/echo.yaml", `X-Said: "yes"`, `X-Said: "${input.word}"`))
	for name, word := range map[string]string{"a line": "a%0d%0aX-Evil:+1", "a feed": "a%0aX-Evil:+1", "a return": "a%0dX-Evil:+1", "NUL": "a%00b"} {
		t.Run(name, func(t *testing.T) {
			got := w.raw(request("POST /p/echo", "word="+word, form), "POST")[0]
			require.NotContains(t, got.header, "X-Evil")
			require.Equal(t, 500, got.status, "the mapping let it come so far: the answer is the gateway's own")
			require.Empty(t, got.header.Values("X-Said"))
		})
	}
}

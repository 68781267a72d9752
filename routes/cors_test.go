package routes

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const page = "Origin: https://desk.example"

func asking(method string) string { return "Access-Control-Request-Method: " + method }

// TestCORS shows what browsers are answered for pages of other origins.
func TestCORS(t *testing.T) {
	w := start(t, changed(t, "mappings/dialects/plain.yaml", "charset:", "cors: { origins: [\"https://desk.example\", \"http://localhost:5173\"], headers: [X-Till], max_age: 10m }\ncharset:"))
	const vary = "Origin Access-Control-Request-Method Access-Control-Request-Headers"
	for _, c := range []struct {
		name, send   string
		status       int
		origin       string
		allow        string // methods
		vary, expose string
	}{
		{"a browser asks, without credentials", "OPTIONS /p/echo HTTP/1.1\r\nHost: x\r\n" + page + "\r\n" + asking("POST") + "\r\n\r\n", 204, "https://desk.example", "GET, POST", vary, ""},
		{"about a path with parameters", request("OPTIONS /p/items/a/1", "", page, asking("GET")), 204, "https://desk.example", "GET", vary, ""},
		{"for another page", request("OPTIONS /p/echo", "", "Origin: https://evil.example", asking("POST")), 204, "", "", vary, ""},
		{"for a page whose origin only begins so", request("OPTIONS /p/echo", "", "Origin: https://desk.example.evil.example", asking("POST")), 204, "", "", vary, ""},
		{"for a page without origin", request("OPTIONS /p/echo", "", "Origin: null", asking("POST")), 204, "", "", vary, ""},
		{"about a path that is none", request("OPTIONS /p/nowhere", "", page, asking("POST")), 405, "https://desk.example", "", "Origin", ""},
		{"OPTIONS that is no question", request("OPTIONS /p/echo", "", page), 405, "https://desk.example", "", "Origin", ""},
		{"a dialect without", request("OPTIONS /p/other/thing", "", page, asking("PUT")), 405, "", "", "", ""},
		{"the page calls", request("POST /p/hello", "word=x", page, form), 200, "https://desk.example", "", "Origin", exposedHeaders},
		{"the page may read what is wrong", "POST /p/hello HTTP/1.1\r\nHost: x\r\n" + page + "\r\n\r\n", 403, "https://desk.example", "", "Origin", exposedHeaders},
		{"another page calls", request("POST /p/hello", "word=x", "Origin: https://evil.example", form), 200, "", "", "Origin", ""},
		{"no page", request("POST /p/hello", "word=x", form), 200, "", "", "Origin", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := w.raw(c.send)[0]
			require.Equal(t, c.status, a.status)
			require.Equal(t, c.origin, a.header.Get("Access-Control-Allow-Origin"))
			require.Equal(t, c.allow, a.header.Get("Access-Control-Allow-Methods"))
			require.Equal(t, c.vary, words(a.header.Values("Vary")))
			require.Equal(t, c.expose, a.header.Get("Access-Control-Expose-Headers"))
			require.Empty(t, a.header.Get("Access-Control-Allow-Credentials"))
			if c.allow != "" {
				require.Equal(t, "600", a.header.Get("Access-Control-Max-Age"))
				require.Equal(t, "Content-Type, X-Request-Id, Authorization, App, X-Till", a.header.Get("Access-Control-Allow-Headers"))
			}
		})
	}
}

// Without cors nothing of it shows.
func TestNoCORS(t *testing.T) {
	w := start(t, "testdata/gateway.yaml")
	for _, send := range []string{request("POST /p/hello", "word=x", page, form), request("OPTIONS /p/echo", "", page, asking("POST"))} {
		a := w.raw(send)[0]
		require.NotEqual(t, 204, a.status)
		require.Empty(t, a.header.Values("Vary"))
		require.Empty(t, a.header.Get("Access-Control-Allow-Origin"))
	}
}

func words(all []string) (joined string) {
	for i, w := range all {
		if i > 0 {
			joined += " "
		}
		joined += w
	}
	return joined
}

package intake

import (
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/mapping"
)

const crlf = "\r\n"

func part(name, value string) string {
	return "--b" + crlf + `Content-Disposition: form-data; name="` + name + `"` + crlf + crlf + value + crlf
}

func multi(body string) *Request {
	return &Request{Method: "POST", Type: "multipart/form-data; boundary=b", Body: body}
}

func TestRead(t *testing.T) {
	route := func() *mapping.Route {
		return routeOf(field("n", integerType), field("s", textType), field("o", textType, names("o", "other")))
	}
	for _, c := range []struct {
		name string
		r    *Request
		want string
	}{
		{"form", form("n=8006&s=a+b%21&x=1"), `{"n":8006,"s":"a b!"}`},
		{"form with a line break behind it", form("n=8006\r\n"), `{"n":8006}`},
		{"form with a charset", &Request{Type: "Application/X-WWW-Form-Urlencoded; charset=UTF-8", Body: "s=%C3%A9"}, `{"s":"é"}`},
		{"form without = and empty pieces", form("&&s&n=1&"), `{"n":1}`},
		{"form of a field that begins with a brace", form("%7B=1&s={"), `{"s":"{"}`},
		{"no Content-Type: form", &Request{Body: "n=1"}, `{"n":1}`},
		{"no Content-Type: JSON", &Request{Body: " \n{\"n\":1}"}, `{"n":1}`},
		{"JSON", jsonBody(`{"n":"8006","s":12,"x":{}}`), `{"n":8006,"s":"12"}`},
		{"JSON with charset and a byte order mark", &Request{Type: "application/json; charset=utf-8", Body: "\ufeff{\"s\":\"é\"}"}, `{"s":"é"}`},
		{"JSON with a parameter that is none", &Request{Type: "application/json; utf-8", Body: `{"n":1}`}, `{"n":1}`},
		{"JSON of a suffix", &Request{Type: "application/vnd.x+json", Body: `{"n":1}`}, `{"n":1}`},
		{"query", &Request{Method: "GET", Query: "n=8006&s=%C3%A9"}, `{"n":8006,"s":"é"}`},
		{"body before query", &Request{Query: "n=1&s=q", Body: "n=2"}, `{"n":2,"s":"q"}`},
		{"what is absent in the body is taken from the query", &Request{Query: "n=1", Body: "n=None&s="}, `{"n":1}`},
		{"an empty body, whatever its type", &Request{Type: "application/json", Query: "n=1", Body: " \r\n"}, `{"n":1}`},
		{"empty multipart body", multi(""), `{}`},
		{"multipart", multi(part("n", "8006") + part("s", "two\r\nlines") + "--b--"), `{"n":8006,"s":"two\r\nlines"}`},
		{"multipart with preamble, epilogue and line feeds alone", multi("hello\n--b\nContent-Disposition: form-data; name=n\n\n5\n--b--\nbye --b"), `{"n":5}`},
		{"multipart with a quoted boundary", &Request{Type: `multipart/form-data; boundary="b"`, Body: part("n", "1") + "--b--"}, `{"n":1}`},
		{"multipart value that holds the boundary", multi(part("s", "x--b--y\r\n--bb") + "--b--"), `{"s":"x--b--y\r\n--bb"}`},
		{"multipart part with its own charset", multi("--b\r\nContent-Disposition: form-data; name=s\r\nContent-Type: text/plain; charset=ISO-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\xe9\r\n--b--"), `{"s":"é"}`},
		{"multipart file that is not mapped", multi("--b\r\nContent-Disposition: form-data; name=f; filename=\"x.bin\"\r\nContent-Type: application/octet-stream\r\n\r\n\xff\xfe\r\n" + part("s", "é") + "--b--"), `{"s":"é"}`},
		{"multipart file that is mapped", multi("--b\r\nContent-Disposition: form-data; name=s; filename=\"x.txt\"\r\n\r\nabc\r\n--b--"), `{"s":"abc"}`},
		{"multipart part without a name", multi("--b\r\nContent-Disposition: form-data\r\n\r\nabc\r\n" + part("s", "x") + "--b--"), `{"s":"x"}`},
		{"multipart name with an escaped quote", multi(`--b` + crlf + `Content-Disposition: form-data; name="a\"b"` + crlf + crlf + "1" + crlf + part("n", "2") + "--b--"), `{"n":2}`},
		{"old bytes in a form", form("s=a%E7%E3o"), `{"s":"ação"}`},
		{"old bytes not escaped", form("s=a\xe7\xe3o&x=\xc3"), `{"s":"ação"}`},
		{"old bytes in multipart", multi(part("s", "a\xe7\xe3o") + "--b--"), `{"s":"ação"}`},
		{"old bytes in JSON", jsonBody("{\"s\":\"a\xe7\xe3o\"}"), `{"s":"ação"}`},
		{"old bytes in a query", &Request{Query: "s=a%E7%E3o"}, `{"s":"ação"}`},
		{"a body is in one charset as a whole", form("s=%C3%A9&x=%E9"), `{"s":"Ã©"}`},
		{"declared old charset", &Request{Type: "application/x-www-form-urlencoded; charset=\"latin1\"", Body: "s=%C3%A9"}, `{"s":"Ã©"}`},
		{"an alias", form("other=1"), `{"o":"1"}`},
		{"the first alias with a value", form("o=&other=1"), `{"o":"1"}`},
		{"an alias in the body before the first name in the query", &Request{Query: "o=q", Body: "other=b"}, `{"o":"b"}`},
		{"a key repeated that is not mapped", form("x=1&x=2&n=1"), `{"n":1}`},
		{"a JSON key repeated that is not mapped", jsonBody(`{"x":1,"x":2,"n":1}`), `{"n":1}`},
		{"escaped JSON key", jsonBody(`{"\u006e":1}`), `{"n":1}`},
		{"path parameters come first", &Request{Body: "n=2", Params: []Param{{"n", "7"}}}, `{"n":7}`},
		{"credentials are no input", form("token=t&app=a&n=1"), `{"n":1}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			requireInput(t, c.want, route(), c.r)
		})
	}
}

func TestReadRefuses(t *testing.T) {
	only := func(kinds ...mapping.ReadKind) func(*mapping.Dialect) {
		return func(d *mapping.Dialect) { d.Read = kinds }
	}
	onlyUTF8 := func(d *mapping.Dialect) { d.Charsets = []string{"utf-8"} }
	for _, c := range []struct {
		name string
		r    *Request
		with func(*mapping.Dialect)
		want string
	}{
		{"JSON header, form body", jsonBody("n=1"), nil, "the request body is not valid JSON: a word that is not true, false or null, at line 1, column 1"},
		{"form header, JSON body", form(` {"n":1}`), nil, "the request body is not what its Content-Type says"},
		{"form header, JSON list", form(`[1]`), nil, "the request body is not what its Content-Type says"},
		{"no header, JSON list", &Request{Body: `[1]`}, nil, "the request body is not what its Content-Type says"},
		{"no header, JSON cut short", &Request{Body: `{"n":1`}, nil, "the request body is not valid JSON: the document ends inside an object, at line 1, column 7"},
		{"JSON list", jsonBody(`[1]`), nil, "the JSON body is not an object"},
		{"JSON text", jsonBody(`"x"`), nil, "the JSON body is not an object"},
		{"JSON with a trailing comma", jsonBody("{\n  \"é\": 1,\n}"), nil, "the request body is not valid JSON: a comma before \"}\", at line 2, column 9"},
		{"bad escape in a form", form("s=%E"), nil, "the request holds a malformed percent escape"},
		{"bad escape in a name", form("%zz=1"), nil, "the request holds a malformed percent escape"},
		{"bad escape in a query", &Request{Query: "s=%"}, nil, "the request holds a malformed percent escape"},
		{"bad bytes", form("s=%E9"), onlyUTF8, "the request holds bytes that are not in its charset"},
		{"bad bytes in JSON", jsonBody("{\"s\":\"\xe9\"}"), onlyUTF8, "the request holds bytes that are not in its charset"},
		{"bytes that are not in the charset declared", &Request{Type: "application/json; charset=utf-8", Body: "{\"s\":\"\xe9\"}"}, nil, "the request holds bytes that are not in its charset"},
		{"unknown charset", &Request{Type: "application/json; charset=utf-16", Body: "{}"}, nil, "the charset of the request is not known here"},
		{"charset the dialect does not take", &Request{Type: "application/json; charset=iso-8859-1", Body: "{}"}, onlyUTF8, "the charset of the request is not known here"},
		{"Content-Type whose quotes do not end", &Request{Type: `application/json; charset="utf-8`, Body: "{}"}, nil, "the Content-Type is malformed"},
		{"unknown Content-Type", &Request{Type: "text/xml", Body: "<a/>"}, nil, "the request body is in a form that is not understood here"},
		{"form where none is read", form("n=1"), only(mapping.ReadJSON), "the request body is in a form that is not understood here"},
		{"JSON where none is read", jsonBody("{}"), only(mapping.ReadForm), "the request body is in a form that is not understood here"},
		{"multipart without boundary", &Request{Type: "multipart/form-data", Body: part("n", "1") + "--b--"}, nil, "the multipart body has no boundary"},
		{"multipart with an empty boundary", &Request{Type: `multipart/form-data; boundary=""`, Body: "----"}, nil, "the multipart body has no boundary"},
		{"multipart with another boundary", &Request{Type: "multipart/form-data; boundary=c", Body: part("n", "1") + "--b--"}, nil, "the multipart body is cut short"},
		{"multipart cut in a value", multi(part("n", "1") + "--b\r\nContent-Disposition: form-data; name=s\r\n\r\nab"), nil, "the multipart body is cut short"},
		{"multipart without its last delimiter", multi(part("n", "1")), nil, "the multipart body is cut short"},
		{"multipart cut in a header", multi("--b\r\nContent-Dispo\r\n--b--"), nil, "the multipart body is malformed"},
		{"multipart with a part of another kind", multi("--b\r\nContent-Disposition: attachment; name=n\r\n\r\n1\r\n--b--"), nil, "the multipart body is malformed"},
		{"multipart with an encoding nobody uses", multi("--b\r\nContent-Disposition: form-data; name=n\r\nContent-Transfer-Encoding: base64\r\n\r\nMQ==\r\n--b--"), nil, "the multipart body is malformed"},
		{"multipart with an unknown charset", multi("--b\r\nContent-Disposition: form-data; name=n\r\nContent-Type: text/plain; charset=klingon\r\n\r\n1\r\n--b--"), nil, "the charset of the request is not known here"},
		{"JSON with too many members", jsonBody("{" + strings.Repeat(`"x":1,`, 1000) + `"n":1}`), nil, "the request holds too many fields"},
		{"form with too many fields", form(strings.Repeat("x&", 1001)), nil, "the request holds too many fields"},
		{"multipart with too many parts", multi(strings.Repeat(part("x", ""), 1001) + "--b--"), nil, "the request holds too many fields"},
	} {
		t.Run(c.name, func(t *testing.T) {
			route := routeOf(field("n", integerType), field("s", textType))
			if c.with != nil {
				c.with(route.Dialect)
			}
			_, p := take(t, route, c.r)
			require.Equal(t, &Problem{Kind: mapping.Unreadable, Message: c.want}, told(t, p))
		})
	}
}

func TestReadTakesTheDialectsWords(t *testing.T) {
	route := routeOf(field("n", integerType))
	route.Dialect.Messages["unreadable"] = &mapping.Message{Text: "corpo ilegível"}
	_, p := take(t, route, jsonBody("{"))
	require.Equal(t, &Problem{Kind: mapping.Unreadable, Message: "corpo ilegível"}, told(t, p))
	require.Equal(t, "corpo ilegível", EncodingRefused(jsonBody("{}"), route.Dialect).Message)

	route.Dialect.Messages["media_type"] = &mapping.Message{Text: "outro Content-Type"}
	for name, r := range map[string]*Request{
		"an unknown one":      {Type: "text/plain", Body: "{}"},
		"of another body":     form(`{"n":1}`),
		"of another charset":  {Type: "application/json; charset=utf-16", Body: "{}"},
		"that cannot be read": {Type: `application/json; charset="`, Body: "{}"},
	} {
		t.Run(name, func(t *testing.T) {
			_, p := take(t, route, r)
			require.Equal(t, "outro Content-Type", p.Message)
			require.Equal(t, []Wrong{{Code: "media_type", Detail: "outro Content-Type"}}, p.Errors)
		})
	}
	require.Equal(t, "outro Content-Type", EncodingRefused(jsonBody("{}"), route.Dialect).Message)
	require.Equal(t, "Content-Encoding is not supported", EncodingRefused(jsonBody("{}"), nil).Message)
	_, p = take(t, route, jsonBody("[1]"))
	require.Equal(t, "corpo ilegível", p.Message)
}

func TestQueryIsReadOnlyWhereSaid(t *testing.T) {
	route := routeOf(field("n", integerType))
	route.Dialect.Read = []mapping.ReadKind{mapping.ReadForm}
	requireInput(t, `{}`, route, &Request{Query: "n=1"})
	requireInput(t, `{"n":2}`, route, &Request{Query: "n=1&%zz", Body: "n=2"})
}

// A body of brackets alone must not be followed down to its last level: it is
// read before anybody has signed in.
func TestDeepNesting(t *testing.T) {
	route := routeOf(field("n", integerType))
	for name, r := range map[string]*Request{
		"form":            form(strings.Repeat("[", 1<<20)),
		"form of objects": form(strings.Repeat(`{"a":`, 1<<18)),
		"JSON":            jsonBody(strings.Repeat("[", 1<<20)),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, _ = take(t, route, r)
			runtime.ReadMemStats(&after)
			require.Less(t, int64(after.StackSys)-int64(before.StackSys), int64(16<<20), "bytes of stack")
		})
	}
}

func TestFaultsAreBounded(t *testing.T) {
	items := field("l", listType, func(f *mapping.InputField) { f.Items = field("", integerType) })
	_, p := take(t, routeOf(items, field("n", integerType, required)), jsonBody(`{"l":[`+strings.Repeat(`"x",`, 5000)+`1]}`))
	require.NotNil(t, p)
	require.Len(t, p.Fields, maxFaults)
	require.Equal(t, "/l/0", p.Fields[0])
}

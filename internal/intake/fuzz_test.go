package intake

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime/multipart"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"
	"pgregory.net/rapid"

	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

// fuzzed is a route with a field of every kind.
func fuzzed() *mapping.Route {
	nested := field("o", objectType, func(f *mapping.InputField) { f.Fields = []*mapping.InputField{field("s", textType)} })
	list := field("l", listType, func(f *mapping.InputField) { f.Items = field("l", textType) })
	return routeOf(field("s", textType), field("i", integerType), field("n", numberType), field("b", boolType), field("a", anyType), list, nested)
}

// requireSound checks what must hold of every input that is accepted.
func requireSound(t *testing.T, got string, p *Problem) {
	t.Helper()
	if p != nil {
		require.NotEmpty(t, p.Message)
		return
	}
	require.True(t, json.Valid([]byte(got)), got)
	require.True(t, utf8.ValidString(got))
	gjson.Parse(got).ForEach(func(k, v gjson.Result) bool {
		require.Contains(t, []string{"s", "i", "n", "b", "a", "l", "o"}, k.String())
		require.NotEqual(t, gjson.Null, v.Type)
		return true
	})
}

func FuzzForm(f *testing.F) {
	for _, s := range []string{"s=a+b&i=5", "s=%C3%A9&s=", "i=%20 5", "l[]=1&l[0]=2", "s=%E9&b=True", "n=1e5&a={}", "%", "&&=&", "s=\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		d := street()
		d.Charsets = []string{"utf-8"}
		got, why := readForm(new(jsonx.Arena), nil, body, d.Charsets, "")
		want, err := url.ParseQuery(body)
		if why == "" && err == nil { // who reads it, too, reads the same
			n := 0
			for _, p := range got {
				require.Contains(t, want[p.name], p.value)
				n++
			}
			for _, values := range want {
				n -= len(values)
			}
			require.Zero(t, n)
		}
		if err != nil && !strings.Contains(body, ";") {
			require.NotEmpty(t, why, "%q: %v", body, err)
		}
		in, p := take(t, fuzzed(), form(body))
		requireSound(t, in, p)
	})
}

func FuzzMultipart(f *testing.F) {
	f.Add(part("s", "a")+"--b--", "b", "v")
	f.Add("--b\r\nContent-Disposition: form-data; name=s; filename=x\r\nContent-Type: text/plain; charset=latin1\r\n\r\n\xff\r\n--b--", `a"b`, "--b--")
	f.Add("--b\nContent-Disposition:form-data;name=\"\\\"\"\n\n\n--b \n\n--b--", "\r\n", "\r\n--b")
	f.Add("--b--", "", "")
	f.Add("--b\nContent-Disposition: form-data; name=\"s\"\r\n\r\na\r\n--b--", "b", "v")
	f.Add("--b\r\nContent-Disposition: form-data; name=\"s\"\r\n\r\na\n--b--\r\n--b--", "b", "v")
	f.Fuzz(func(t *testing.T, body, name, value string) {
		in, p := take(t, fuzzed(), multi(body))
		requireSound(t, in, p)

		got, why := readMultipart(new(jsonx.Arena), nil, body, "boundary=b", []string{"iso-8859-1"}, "")
		if want, ok := mimeFields(body); ok && why == "" {
			var ours []string
			for _, p := range got {
				if !p.file {
					ours = append(ours, p.name, p.value)
				}
			}
			require.Equal(t, want, ours)
		}

		var out bytes.Buffer // what a writer writes is read back
		w := multipart.NewWriter(&out)
		require.NoError(t, w.WriteField("x"+name, value))
		require.NoError(t, w.Close())
		got, why = readMultipart(new(jsonx.Arena), nil, out.String(), "boundary="+w.Boundary(), []string{"utf-8"}, "")
		if utf8.ValidString(name) && utf8.ValidString(value) {
			require.Empty(t, why)
			require.Len(t, got, 1)
			require.Equal(t, value, got[0].value)
		}
	})
}

// mimeFields reads with the standard library; only what it and we are to read
// alike: plain ASCII, fields with names, no transfer encodings or folded headers,
// one kind of line end (it takes the first boundary's for all: of a later "\r\n"
// half stays in the value, and a boundary behind another line end is text to it).
func mimeFields(body string) (all []string, ok bool) {
	if crlf := strings.Count(body, "\r\n"); crlf > 0 && crlf < strings.Count(body, "\n") {
		return nil, false
	}
	r := multipart.NewReader(strings.NewReader(body), "b")
	for {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return all, true
		}
		if err != nil {
			return nil, false
		}
		value, err := io.ReadAll(p)
		if err != nil || p.FileName() == "" && p.FormName() == "" || strings.ContainsFunc(body, func(c rune) bool { return c >= utf8.RuneSelf }) ||
			strings.ContainsAny(p.Header.Get("Content-Disposition"), "*\\%") {
			return nil, false
		}
		if p.FileName() == "" {
			all = append(all, p.FormName(), string(value))
		}
	}
}

func FuzzJSONInput(f *testing.F) {
	for _, s := range []string{
		`{"s":"a","i":"5","n":1e400,"b":1,"a":[{}],"l":["x",1],"o":{"s":"\ud800"}}`, `{"s":1,"s":2}`, `{"i":" 08 "}`,
		`{"o":{"s":null}}`, "{\"s\":\"\xe9\"}", "\ufeff{}", `{"a":"None"}`, `[]`, `{"n":-0}`, `{"\u0073":"\n"}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		in, p := take(t, fuzzed(), jsonBody(body))
		requireSound(t, in, p)
		if p != nil || !utf8.ValidString(body) {
			return
		}
		var want map[string]any
		d := json.NewDecoder(strings.NewReader(strings.TrimPrefix(body, bom)))
		d.UseNumber()
		require.Equal(t, strings.Trim(strings.TrimPrefix(body, bom), " \t\r\n") == "", d.Decode(&want) != nil)
		if s, ok := want["s"].(string); ok && s != "" && s != "None" {
			require.Equal(t, s, gjson.Get(in, "s").String())
		}
	})
}

// TestSameInputEveryWay sends the same fields as form, query, multipart and JSON.
func TestSameInputEveryWay(t *testing.T) {
	text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[0-9 ]{0,6}`), rapid.SampledFrom([]string{"", "None", "true", "0", "1.50", "-3", "é&=+%"}))
	rapid.Check(t, func(t *rapid.T) {
		var names []string
		for _, n := range []string{"s", "i", "n", "b", "x"} {
			if rapid.Bool().Draw(t, "has "+n) {
				names = append(names, n)
			}
		}
		values := url.Values{}
		doc := []byte{'{'}
		var parts bytes.Buffer
		w := multipart.NewWriter(&parts)
		for i, n := range names {
			v := strings.ToValidUTF8(text.Draw(t, n), "")
			values.Set(n, v)
			_ = w.WriteField(n, v)
			if i > 0 {
				doc = append(doc, ',')
			}
			doc = jsonx.AppendQuoted(doc, n)
			doc = append(doc, ':')
			doc = jsonx.AppendQuoted(doc, v)
		}
		_ = w.Close()
		doc = append(doc, '}')
		var first string
		var firstProblem *Problem
		for i, r := range []*Request{
			jsonBody(string(doc)),
			{Method: "POST", Body: string(doc)},
			form(values.Encode()),
			{Method: "GET", Query: values.Encode()},
			{Method: "POST", Type: w.FormDataContentType(), Body: parts.String()},
		} {
			got, p := take(t, routeOf(field("s", textType), field("i", integerType), field("n", numberType), field("b", boolType)), r)
			if i == 0 {
				first, firstProblem = got, p
				continue
			}
			require.Equal(t, firstProblem, p)
			require.Equal(t, first, got)
		}
	})
}

func FuzzPathText(f *testing.F) {
	for _, s := range []string{"", "a", "a%2Fb", "%", "%4", "%zz", "%00", "é", "%C3%A9", "%ff", "a+b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := PathText(s)
		if !ok {
			require.Empty(t, got)
			return
		}
		require.LessOrEqual(t, len(got), len(s))
		again, ok := PathText(strings.ReplaceAll(got, "%", "%25"))
		require.True(t, ok)
		require.Equal(t, got, again)
	})
}

package main

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// signIn asks with every kind of credentials, right and wrong, and wants the
// very bytes that some clients compare.
func (s *lookupShow) signIn() {
	who := field{"cpfcnpj", "98765432100"} // nobody: the shortest right answer
	const other = "7c0ffee0-1dea-4bad-8bad-5ca1ab1e0002"
	s.r.begin("wrong credentials")
	wrong := map[string][2]string{
		"another token":              {other, app},
		"no token":                   {"", app},
		"no app":                     {token, ""},
		"app in capitals":            {token, strings.ToUpper(app)},
		"app with a capital":         {token, "Ura"},
		"another app":                {token, "chatbot"},
		"token in capitals":          {strings.ToUpper(token), app},
		"half the token":             {token[:18], app},
		"more than the token":        {token + "0", app},
		"the token as the app":       {app, token},
		"a token of blanks":          {"   ", app},
		"a token with blanks":        {token + " x", app},
		"both wrong":                 {"x", "y"},
		"a token that looks absent":  {"None", "None"},
		"the token inside quotation": {`"` + token + `"`, app},
	}
	for name, c := range wrong {
		for _, w := range ways {
			for _, at := range places {
				what := fmt.Sprintf("%s, %s, %s", name, w.name, at.name)
				s.exactly(what, w.build(lookupPath, at, c[0], c[1], who), 403, wrongCredentials)
			}
		}
	}
	s.r.begin("missing credentials")
	for _, w := range ways {
		for _, path := range paths {
			s.exactly(w.name, w.build(path, place{}, "", "", who), 403, noCredentials)
			s.exactly(w.name+", left empty", w.build(path, place{body: true, query: true}, "", "", who), 403, noCredentials)
		}
	}
	s.exactly("nothing at all", request{method: "POST", path: lookupPath}, 403, noCredentials)
	s.exactly("nothing at all, GET", request{method: "GET", path: lookupPath}, 403, noCredentials)

	s.r.begin("credentials that disagree")
	disagree := func(what string, q request) { s.exactly(what, q, 403, wrongCredentials) }
	for _, w := range ways {
		inHeader := w.build(lookupPath, places[2], token, app, who)
		headerWrong := w.build(lookupPath, place{header: true, query: true}, token, app, who)
		headerWrong.header = append([]string{"Authorization: Token " + other, "App: " + app}, headerWrong.header[2:]...)
		disagree(w.name+": query right, header another", headerWrong)
		appWrong := w.build(lookupPath, place{header: true, query: true}, token, app, who)
		appWrong.header = append([]string{"Authorization: Token " + token, "App: URA"}, appWrong.header[2:]...)
		disagree(w.name+": query right, App header another", appWrong)
		queryWrong := inHeader
		queryWrong.query = strings.TrimSuffix("token="+other+"&app="+app+"&"+queryWrong.query, "&")
		disagree(w.name+": header right, query another", queryWrong)
		if w.encode != nil {
			bodyWrong := w.build(lookupPath, place{body: true}, other, app, who)
			bodyWrong.header = append(bodyWrong.header, "Authorization: Token "+token, "App: "+app)
			disagree(w.name+": header right, body another", bodyWrong)
		}
	}
	q := plain(who)
	q.body = append([]byte("token="+other+"&"), q.body...)
	disagree("two tokens in one form", q)
	disagree("two apps in one JSON body", request{method: "POST", path: lookupPath, header: []string{"Content-Type: application/json"},
		body: []byte(`{"token":"` + token + `","app":"ura","app":"x","cpfcnpj":"98765432100"}`)})
	disagree("a token that is a list", request{method: "POST", path: lookupPath, header: []string{"Content-Type: application/json"},
		body: []byte(`{"token":["` + token + `"],"app":"ura","cpfcnpj":"98765432100"}`)})

	s.r.begin("right credentials, oddly given")
	right := func(what string, q request) { s.exactly(what, q, 200, nobody) }
	basic := "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("someone:else"))
	for _, w := range ways {
		q := w.build(lookupPath, places[0], token, app, who)
		q.header = append(q.header, basic)
		right(w.name+", HTTP Basic beside them", q)
		bearer := w.build(lookupPath, places[0], token, app, who)
		bearer.header = append(bearer.header, "Authorization: Bearer "+other)
		right(w.name+", a bearer token beside them", bearer)
		split := w.build(lookupPath, place{}, "", "", who)
		split.header = append(split.header, "Authorization: Token "+token)
		split.query = strings.TrimSuffix("app="+app+"&"+split.query, "&")
		right(w.name+", the token in the header and the app in the query", split)
		lower := w.build(lookupPath, place{}, "", "", who)
		lower.header = append(lower.header, "authorization:   token   "+token, "app: "+app)
		right(w.name+", header names and scheme in small letters", lower)
	}
	onlyBasic := request{method: "POST", path: lookupPath, header: []string{basic, "Content-Type: application/x-www-form-urlencoded"}, body: []byte("cpfcnpj=98765432100")}
	s.exactly("HTTP Basic alone is nothing", onlyBasic, 403, noCredentials)
}

package sandbox_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/sandbox"
)

// ozmapBox is the id of one of the demonstration boxes.
func ozmapBox(n string) string { return "5f000003000000000000000" + n }

// askOZmap makes one request as OZmap's own client makes it.
func askOZmap(t *testing.T, s *sandbox.Sandbox, key, method, path, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(method, s.URL()+sandbox.OzmapPath+path, strings.NewReader(body))
	require.NoError(t, err)
	if key != "" {
		req.Header.Set("Authorization", key)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	got, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res.StatusCode, string(got)
}

// names are the names of a list's rows.
func names(t *testing.T, body string) (all []string) {
	t.Helper()
	var page struct{ Rows []map[string]any }
	require.NoError(t, json.Unmarshal([]byte(body), &page), body)
	for _, row := range page.Rows {
		name, _ := row["name"].(string)
		all = append(all, name)
	}
	return all
}

// TestOZmapRequestsOfItsClient sends what @ozmap/ozmap-sdk 1.1.8 was seen to
// send, byte for byte, when it finds, makes, changes and deletes.
func TestOZmapRequestsOfItsClient(t *testing.T) {
	s := startSGP(t)
	property, client := "5f0000040000000000001001", "5f0000050000000000001001"
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		has                      []string
	}{
		{"find by filter", "GET", "/boxes", `{"filter":[{"property":"name","operator":"=","value":"CTO-02"}]}`, 200, []string{`"total":1,"count":1,"start":0,"limit":50,"rows":[{`, `"name":"CTO-02"`, `"hasNextPage":false`}},
		{"find one", "GET", "/ftth-clients?limit=1", `{"filter":[{"property":"code","operator":"like","value":"123|"}]}`, 200, []string{`"code":"123|123"`, `"limit":1`}},
		{"find all, the first page", "GET", "/boxes?limit=2", `{}`, 200, []string{`"hasNextPage":true`, `"nextUrl":"/api/v2/boxes?limit=2&start=2"`}},
		{"find all, the last page", "GET", "/boxes?limit=2&start=4", `{}`, 200, []string{`"total":5,"count":1,"start":4`, `"hasNextPage":false`}},
		{"a page, one field", "GET", "/boxes?page=2&limit=2&select[]=name&populate[]=boxType", `{}`, 200, []string{`"rows":[{"id":"` + ozmapBox("3") + `","name":"CTO-03"},{"id":"` + ozmapBox("4") + `","name":"CTO-04"}]`}},
		{"find by id", "GET", "/boxes/" + ozmapBox("2") + "?populate[]=boxType&populate[]=project", `{}`, 200, []string{`"code":"CTO 8"`, `"name":"Centro"`}},
		{"find nothing by id", "GET", "/boxes/5f0000030000000000009999", `{}`, 404, []string{"Element not found"}},
		{"create", "POST", "/properties", `{"project":"5f0000010000000000000001","coords":[-43.7601,-20.6601],"address":"Rua do SDK, 5","box":"` + ozmapBox("2") + `","client":{"code":"SDK-1","name":"CLIENTE DO SDK","implanted":false},"auto_connect":true}`, 201, []string{`"id":"` + property + `"`, `"code":"SDK-1"`, `"port":8`, `"lat":-20.6601`}},
		{"find by the client's code", "GET", "/properties/client/SDK-1", `{}`, 200, []string{`[{"address":"Rua do SDK, 5"`, `"id":"` + client + `"`}},
		{"viability", "GET", "/ftth-viability/radius?lat=-20.66&lng=-43.76", `{}`, 200, []string{`"viable":true,"boxes":[{"id":"` + ozmapBox("1"), `"name":"CTO-02","distance":150,`, `"availability":0,"reason":"full"`, `"reason":"project"`}},
		{"create without room", "POST", "/properties", `{"project":"5f0000010000000000000001","coords":[-43.76,-20.66],"address":"x","box":"` + ozmapBox("2") + `","client":{"code":"SDK-2","implanted":false},"auto_connect":true}`, 422, []string{"no free port"}},
		{"update a client", "PATCH", "/ftth-clients/" + client, `{"observation":"ligado","implanted":true}`, 204, nil},
		{"update a property", "PATCH", "/properties/" + property, `{"observation":"SDK-1","address":"Rua do SDK, 6"}`, 204, nil},
		{"see both", "GET", "/properties/" + property, `{}`, 200, []string{`"address":"Rua do SDK, 6"`, `"implanted":true`, `"observation":"ligado"`, `"observation":"SDK-1"`}},
		{"update nobody", "PATCH", "/ftth-clients/5f0000050000000000009999", `{"name":"x"}`, 404, []string{"Element not found"}},
		{"delete a client", "DELETE", "/ftth-clients/" + client, ``, 204, nil},
		{"its property stays", "GET", "/properties/" + property, `{}`, 200, []string{`"client":null`, `"port":8`}},
		{"delete a property", "DELETE", "/properties/" + property, ``, 204, nil},
		{"it is gone", "GET", "/properties/" + property, `{}`, 404, nil},
		{"delete it again", "DELETE", "/properties/" + property, ``, 404, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, body := askOZmap(t, s, sandbox.OzmapToken, c.method, c.path, c.body)
			require.Equal(t, c.status, status, body)
			for _, part := range c.has {
				require.Contains(t, body, part)
			}
		})
	}
}

// The client logs in with its account or its key after a 401; with a key it
// sends true as Authorization then.
func TestOZmapLogin(t *testing.T) {
	s := startSGP(t)
	status, _ := askOZmap(t, s, "", "GET", "/boxes", `{}`)
	require.Equal(t, http.StatusUnauthorized, status)
	login := func(body string) (int, string) {
		status, text := askOZmap(t, s, "true", "POST", "/users/login?type=API", body)
		var got struct{ Authorization string }
		require.NoError(t, json.Unmarshal([]byte(text), &got))
		return status, got.Authorization
	}
	_, key := login(`{"login":"sandbox","password":"sandbox"}`)
	status, body := askOZmap(t, s, key, "GET", "/boxes", `{}`)
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, `"total":5`)

	s.Fault(sandbox.Fault{Operation: "ozmap.boxes.list", Kind: sandbox.KindExpiredToken})
	for range 2 {
		status, _ = askOZmap(t, s, key, "GET", "/boxes", `{}`)
		require.Equal(t, http.StatusUnauthorized, status, "it has ended for good")
	}
	_, again := login(`{"apiKey":"` + sandbox.OzmapToken + `"}`)
	require.NotEqual(t, key, again)
	status, _ = askOZmap(t, s, again, "GET", "/boxes", `{}`)
	require.Equal(t, http.StatusOK, status)
	s.Fault(sandbox.Fault{Operation: "ozmap.boxes.list", Kind: sandbox.KindExpiredToken})
	status, _ = askOZmap(t, s, sandbox.OzmapToken, "GET", "/boxes", `{}`)
	require.Equal(t, http.StatusUnauthorized, status)
	status, _ = askOZmap(t, s, sandbox.OzmapToken, "GET", "/boxes", `{}`)
	require.Equal(t, http.StatusOK, status, "a key that no login gave is refused once")

	for _, wrong := range []string{`{"login":"sandbox","password":"x"}`, `{"apiKey":"x"}`, `{}`} {
		status, key := login(wrong)
		require.Equal(t, http.StatusUnauthorized, status, wrong)
		require.Empty(t, key)
	}
	status, _ = askOZmap(t, s, "", "POST", "/users/login", `{"apiKey":"`+sandbox.OzmapToken+`"}`)
	require.Equal(t, http.StatusBadRequest, status, "the type is missing")

	s.Reset()
	status, _ = askOZmap(t, s, again, "GET", "/boxes", `{}`)
	require.Equal(t, http.StatusUnauthorized, status)
}

// A seller's key looks at where there is room, and at no customer.
func TestOZmapSeller(t *testing.T) {
	s := startSGP(t)
	_, body := askOZmap(t, s, "", "POST", "/users/login?type=API", `{"apiKey":"`+sandbox.OzlocToken+`"}`)
	var got struct{ Authorization string }
	require.NoError(t, json.Unmarshal([]byte(body), &got))
	for _, key := range []string{sandbox.OzlocToken, got.Authorization} {
		for path, want := range map[string]int{
			"/boxes": 200, "/ftth-viability/radius?lat=-20.66&lng=-43.76": 200,
			"/properties": 403, "/ftth-clients": 403, "/properties/client/777": 403, "/nowhere": 403,
		} {
			status, _ := askOZmap(t, s, key, "GET", path, "")
			require.Equal(t, want, status, path)
		}
		status, _ := askOZmap(t, s, key, "DELETE", "/properties/5f0000040000000000000001", "")
		require.Equal(t, 403, status)
	}
	status, _ := askOZmap(t, s, "Bearer "+sandbox.OzmapToken, "GET", "/boxes", "")
	require.Equal(t, 401, status, "a key stands without a word before it")
}

func TestOZmapFilters(t *testing.T) {
	s := startSGP(t)
	square := `{"type":"Polygon","coordinates":[[[-43.77,-20.65],[-43.75,-20.65],[-43.75,-20.61],[-43.77,-20.61]]]}`
	for _, c := range []struct {
		name, filter, sort string
		want               []string
	}{
		{"equal", `{"property":"name","operator":"=","value":"CTO-01"}`, "", []string{"CTO-01"}},
		{"unequal", `{"property":"implanted","operator":"!=","value":true}`, "", []string{"CTO-04"}},
		{"like", `{"property":"name","operator":"like","value":"cto-0"}`, `{"property":"name","direction":-1}`, []string{"CTO-05", "CTO-04", "CTO-03", "CTO-02", "CTO-01"}},
		{"near, with a radius", `{"property":"coords","operator":"near","value":{"lat":-20.66,"lng":-43.76,"radius":100}}`, "", []string{"CTO-01", "CTO-03"}},
		{"near, coords", `{"property":"coords","operator":"near","value":{"coords":[-43.76,-20.66]}}`, "", []string{"CTO-01", "CTO-02", "CTO-03", "CTO-04"}},
		{"near, in other words", `{"property":"coords","operator":"near","value":{"latitude":-20.66,"longitude":-43.76,"radius":70}}`, "", []string{"CTO-01"}},
		{"all", `{"property":"coords","operator":"all","value":[-43.76,-20.65946]}`, "", []string{"CTO-01"}},
		{"exists", `{"property":"identifier","operator":"exists","value":true}`, "", nil},
		{"exists not", `{"property":"identifier","operator":"exists","value":false},{"property":"name","operator":"=","value":"CTO-03"}`, "", []string{"CTO-03"}},
		{"less", `{"property":"lat","operator":"<","value":-20.6594}`, "", []string{"CTO-01"}},
		{"at most", `{"property":"name","operator":"<=","value":"CTO-02"}`, "", []string{"CTO-01", "CTO-02"}},
		{"more", `{"property":"name","operator":">","value":"CTO-04"}`, "", []string{"CTO-05"}},
		{"at least", `{"property":"lat","operator":">=","value":-20.65}`, "", []string{"CTO-05"}},
		{"in", `{"property":"id","operator":"in","value":["` + ozmapBox("1") + `","` + ozmapBox("5") + `"]}`, "", []string{"CTO-01", "CTO-05"}},
		{"not in", `{"property":"name","operator":"notin","value":["CTO-01","CTO-02","CTO-03"]}`, "", []string{"CTO-04", "CTO-05"}},
		{"within", `{"property":"coords","operator":"within","value":` + square + `}`, "", []string{"CTO-05"}},
		{"a list inside is or", `[{"property":"name","operator":"=","value":"CTO-01"},{"property":"name","operator":"=","value":"CTO-04"}],{"property":"implanted","operator":"=","value":true}`, "", []string{"CTO-01"}},
		{"the order of two", `{"property":"name","operator":"!=","value":"CTO-05"}`, `{"property":"boxType","direction":-1},{"property":"name","direction":1}`, []string{"CTO-02", "CTO-03", "CTO-01", "CTO-04"}},
		{"a number as text", `{"property":"hierarchyLevel","operator":"=","value":"2"},{"property":"name","operator":"=","value":"CTO-01"}`, "", []string{"CTO-01"}},
		{"of what is not there", `{"property":"a.b.c","operator":"<","value":1}`, "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			filter, sort := "["+c.filter+"]", "["+c.sort+"]"
			status, body := askOZmap(t, s, sandbox.OzmapToken, "GET", "/boxes", `{"filter":`+filter+`,"sort":`+sort+`}`)
			require.Equal(t, http.StatusOK, status, body)
			require.Equal(t, c.want, names(t, body))
			_, body = askOZmap(t, s, sandbox.OzmapToken, "GET", "/boxes?filter="+url.QueryEscape(filter)+"&sort="+url.QueryEscape(sort), "")
			require.Equal(t, c.want, names(t, body), "in the query")
		})
	}
	for _, c := range []struct{ name, path, body string }{
		{"an unknown operator", "/boxes", `{"filter":[{"property":"name","operator":"~","value":1}]}`},
		{"near nothing", "/boxes", `{"filter":[{"property":"coords","operator":"near","value":"here"}]}`},
		{"within nothing", "/boxes", `{"filter":[{"property":"coords","operator":"within","value":{"coordinates":[[[1,2]]]}}]}`},
		{"no condition", "/boxes", `{"filter":[7]}`},
		{"no object", "/boxes", `[`},
		{"no list in the query", "/boxes?filter=%7B%7D", ""},
		{"no page", "/boxes?page=0", ""},
		{"no number", "/boxes?limit=x", ""},
		{"no place", "/ftth-viability/radius?lat=91&lng=0", ""},
		{"half a place", "/ftth-viability/radius?lat=1", ""},
		{"no radius", "/ftth-viability/radius?lat=1&lng=1&radius=0", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, body := askOZmap(t, s, sandbox.OzmapToken, "GET", c.path, c.body)
			require.Equal(t, http.StatusBadRequest, status, body)
		})
	}
	status, body := askOZmap(t, s, sandbox.OzmapToken, "GET", "/nowhere", "")
	require.Equal(t, http.StatusNotFound, status)
	require.JSONEq(t, `{"message":"Not found"}`, body)
}

// What takes a port, what gives it back, and what is refused.
func TestOZmapPorts(t *testing.T) {
	s := startSGP(t)
	free := func(box string) float64 {
		res, err := http.Get(s.URL() + "/_sandbox/ozmap")
		require.NoError(t, err)
		var all struct{ Boxes []map[string]any }
		require.NoError(t, json.NewDecoder(res.Body).Decode(&all))
		require.NoError(t, res.Body.Close())
		for _, b := range all.Boxes {
			if b["name"] == box {
				n, _ := b["free_ports"].(float64)
				return n
			}
		}
		return -1
	}
	ask := func(want int, method, path, body string) string {
		t.Helper()
		status, text := askOZmap(t, s, sandbox.OzmapToken, method, path, body)
		require.Equal(t, want, status, text)
		return text
	}
	create := func(want int, more string) string {
		t.Helper()
		var made struct{ ID string }
		text := ask(want, "POST", "/properties", `{"project":"5f0000010000000000000001","lat":-20.66,"lng":-43.76`+more+`}`)
		require.NoError(t, json.Unmarshal([]byte(text), &made))
		return made.ID
	}
	require.InDelta(t, 1, free("CTO-02"), 0)
	bare := create(201, `,"box":"`+ozmapBox("2")+`"`)
	require.InDelta(t, 1, free("CTO-02"), 0, "nobody asked to connect it")
	ask(204, "PATCH", "/properties/"+bare, `{"auto_connect":true,"client":{"code":"x"}}`)
	require.InDelta(t, 0, free("CTO-02"), 0)
	forced := create(201, `,"box":"`+ozmapBox("2")+`","auto_connect":true,"force":true`)
	require.InDelta(t, 0, free("CTO-02"), 0)
	require.Contains(t, ask(200, "GET", "/properties/"+forced, ""), `"connections":[]`)
	ask(204, "PATCH", "/properties/"+bare, `{"connector":null}`)
	require.InDelta(t, 1, free("CTO-02"), 0, "disconnected")
	require.NotContains(t, ask(200, "GET", "/properties/"+bare, ""), `"drop":null`)
	ask(204, "PATCH", "/properties/"+bare, `{"box":"`+ozmapBox("1")+`","auto_connect":true,"port":16,"coords":[-43.7,-20.6]}`)
	require.Contains(t, ask(200, "GET", "/properties/"+bare, ""), `"port":16`)
	ask(422, "PATCH", "/properties/"+forced, `{"box":"`+ozmapBox("1")+`","auto_connect":true,"port":16}`)
	ask(204, "PATCH", "/properties/"+bare, `{"box":null,"client":null}`)
	require.Contains(t, ask(200, "GET", "/properties/"+bare, ""), `"drop":null`)
	for name, body := range map[string]string{
		"an unknown box": `,"box":"x"`, "an unknown client": `,"client":"x"`, "no client": `,"client":7`,
	} {
		t.Run(name, func(*testing.T) { create(400, body) })
	}
	ask(400, "POST", "/properties", `{"project":"x"}`)
	ask(400, "POST", "/properties", `{"project":"5f0000010000000000000001"}`)
	ask(400, "POST", "/properties", `[]`)
	ask(404, "PATCH", "/properties/x", `{}`)
	ask(404, "DELETE", "/ftth-clients/x", ``)
	ask(400, "PATCH", "/ftth-clients/5f0000050000000000000001", `{"implanted":"yes"}`)
	require.Contains(t, ask(200, "GET", "/properties/client/123%7C123", ""), `"code":"123|123"`)
	require.Equal(t, "[]", ask(200, "GET", "/properties/client/a%2Fb", ""), "a slash belongs to the code")

	s.Reset()
	require.InDelta(t, 1, free("CTO-02"), 0)
	require.JSONEq(t, `{"message":"Element not found"}`, ask(404, "GET", "/properties/"+bare, ""))
}

// Faults reach OZmap as the others, and who looks at the calls sees no key.
func TestOZmapFaults(t *testing.T) {
	s := startSGP(t)
	s.Fault(sandbox.Fault{Operation: "ozmap.properties.create", Kind: sandbox.KindBusiness})
	s.Fault(sandbox.Fault{Operation: "ozmap.properties.delete", Kind: sandbox.KindCutAfterRead})
	status, body := askOZmap(t, s, sandbox.OzmapToken, "POST", "/properties", `{}`)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.JSONEq(t, `{"message":"Refused"}`, body)
	req, err := http.NewRequest("DELETE", s.URL()+sandbox.OzmapPath+"/properties/5f0000040000000000000001", bytes.NewReader(nil))
	require.NoError(t, err)
	req.Header.Set("Authorization", sandbox.OzmapToken)
	_, err = http.DefaultClient.Do(req) //nolint:bodyclose // there is no answer
	require.Error(t, err)
	_, body = askOZmap(t, s, sandbox.OzmapToken, "GET", "/properties/client/1300001", "")
	require.Equal(t, "[]", body, "done, though nobody was told")
	askOZmap(t, s, "true", "POST", "/users/login?type=API", `{"login":"sandbox","password":"sandbox-password","apiKey" : "`+sandbox.OzlocToken+`"}`)
	res, err := http.Get(s.URL() + "/_sandbox/calls")
	require.NoError(t, err)
	shown, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.NotContains(t, string(shown), sandbox.OzmapToken)
	require.NotContains(t, string(shown), sandbox.OzlocToken)
	require.NotContains(t, string(shown), "sandbox-password")
	require.Equal(t, 1, s.Count("ozmap.properties.delete"))
}

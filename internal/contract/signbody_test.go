package contract_test

import (
	"encoding/json"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/emenda-gateway/emenda/internal/contract"
)

func TestSignBody(t *testing.T) {
	c := load(t, "shop", places)
	for _, one := range []struct{ name, op, body, want, kind string }{
		{"a form", "form", "a=1&b=2", "a=1&b=2&app=u%20ra&token=t%261", "application/x-www-form-urlencoded"},
		{"an empty form", "form", "", "app=u%20ra&token=t%261", "application/x-www-form-urlencoded"},
		{"a form that has them", "form", "token=x&a=1&app=&token=y&tokens=z", "a=1&tokens=z&app=u%20ra&token=t%261", "application/x-www-form-urlencoded"},
		{"JSON", "all", `{"a":10.50}`, `{"a":10.50,"app":"u ra","token":"t&1"}`, "application/json"},
		{"no JSON", "all", "", `{"app":"u ra","token":"t&1"}`, "application/json"},
		{"JSON that has them", "all", `{"token":{"x":1},"a":[],"token":2}`, `{"token":"t&1","a":[],"app":"u ra"}`, "application/json"},
	} {
		t.Run(one.name, func(t *testing.T) {
			r := contract.Request{Body: []byte(one.body)}
			body, kind, err := c.Operations[one.op].SignBody(&r, []contract.Credential{{Name: "app", Value: "u ra"}, {Name: "token", Value: "t&1"}})
			require.NoError(t, err)
			require.Equal(t, one.want, string(body))
			require.Equal(t, one.kind, kind)
			require.Equal(t, one.body, string(r.Body), "the request itself holds no secret")
		})
	}
	_, _, err := c.Operations["all"].SignBody(&contract.Request{Body: []byte(`["secret"]`)}, []contract.Credential{{Name: "app", Value: "x"}})
	require.EqualError(t, err, "the body is no object, so it cannot carry the sign-in")
}

// Whatever is sent and whatever the secret, a reader of forms or of JSON finds
// each field as it was and the credentials once, as they are.
func TestSignedBodiesRoundTrip(t *testing.T) {
	c := load(t, "shop", places)
	texts := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.RuneFrom([]rune("&=+%;#? \r\n\x00\"\\aç\u2028"))))
	names := rapid.OneOf(texts, rapid.SampledFrom([]string{"token", "app", "tokens", "Token"}))
	rapid.Check(t, func(t *rapid.T) {
		fields := rapid.MapOf(names, texts).Draw(t, "fields")
		secret := texts.Draw(t, "secret")
		raw, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]string{}
		for name, value := range fields {
			want[name] = value
		}
		want["token"], want["app"] = secret, "ura"
		credentials := []contract.Credential{{Name: "token", Value: secret}, {Name: "app", Value: "ura"}}

		var r contract.Request
		if err := c.Operations["form"].Build(&r, nil, raw); err != nil {
			t.Fatal(err)
		}
		form, _, err := c.Operations["form"].SignBody(&r, credentials)
		if err != nil {
			t.Fatal(err)
		}
		got, err := url.ParseQuery(string(form))
		if err != nil {
			t.Fatalf("%q: %v", form, err)
		}
		if len(got) != len(want) {
			t.Fatalf("%q has %d fields, want %d", form, len(got), len(want))
		}
		for name, value := range want {
			if len(got[name]) != 1 || got[name][0] != value {
				t.Fatalf("%q: field %q is %q, want %q", form, name, got[name], value)
			}
		}

		body, _, err := c.Operations["all"].SignBody(&contract.Request{Body: raw}, credentials)
		if err != nil {
			t.Fatal(err)
		}
		var read map[string]string
		if err := json.Unmarshal(body, &read); err != nil {
			t.Fatalf("%q: %v", body, err)
		}
		if len(read) != len(want) {
			t.Fatalf("%q has %d fields, want %d", body, len(read), len(want))
		}
		for name, value := range want {
			if read[name] != value {
				t.Fatalf("%q: field %q is %q, want %q", body, name, read[name], value)
			}
		}
	})
}

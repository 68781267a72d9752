package intake

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/jsonx"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

func TestSignIn(t *testing.T) {
	callers := []*Caller{
		caller("other", "elsewhere", "ura", "t1"),
		caller("ivr", "street", "ura", "t1", "t2"),
		caller("bot", "street", "Bot", "t3"),
		caller("nobody", "street", "ura"),
	}
	auth := func(v, app string) func(string) string {
		return header(map[string]string{"Authorization": v, "App": app})
	}
	const none, bad = "none", "bad"
	for _, c := range []struct {
		name string
		r    *Request
		want string
	}{
		{"form", form("token=t1&app=ura"), "ivr"},
		{"the second secret", form("token=t2&app=ura"), "ivr"},
		{"JSON", jsonBody(`{"token":"t1","app":"ura"}`), "ivr"},
		{"multipart", multi(part("token", "t1") + part("app", "ura") + "--b--"), "ivr"},
		{"query", &Request{Query: "token=t3&app=Bot"}, "bot"},
		{"header", &Request{Header: auth("Token t1", "ura")}, "ivr"},
		{"header whose scheme is in other case", &Request{Header: auth("tOKEN   t1 ", " ura ")}, "ivr"},
		{"token in the body, app in the header", &Request{Body: "token=t1", Header: auth("", "ura")}, "ivr"},
		{"everywhere alike", &Request{Query: "token=t1&app=ura", Body: "token=t1&app=ura", Header: auth("Token t1", "ura")}, "ivr"},
		{"twice alike in a form", form("token=t1&token=t1&app=ura"), "ivr"},
		{"Basic beside them", &Request{Body: "token=t1&app=ura", Header: auth("Basic dTpw", "")}, "ivr"},
		{"an empty one beside a right one", &Request{Query: "token=&app=", Body: "token=t1&app=ura"}, "ivr"},

		{"nothing", form("n=1"), none},
		{"nothing at all", &Request{}, none},
		{"left empty", form("token=&app="), none},
		{"null", jsonBody(`{"token":null,"app":null}`), none},
		{"Basic alone", &Request{Header: auth("Basic dTpw", "")}, none},
		{"the scheme alone", &Request{Header: auth("Token", "")}, none},

		{"token without app", form("token=t1"), bad},
		{"app without token", form("app=ura"), bad},
		{"app in the header alone", &Request{Header: auth("", "ura")}, bad},
		{"token left empty", form("token=&app=ura"), bad},
		{"unknown token", form("token=t9&app=ura"), bad},
		{"unknown app", form("token=t1&app=x"), bad},
		{"app in other case", form("token=t1&app=URA"), bad},
		{"token in other case", form("token=T1&app=ura"), bad},
		{"app of another token", form("token=t1&app=Bot"), bad},
		{"token of another dialect's caller only", form("token=t1&app=elsewhere"), bad},
		{"None is no token", form("token=None&app=None"), bad},
		{"tokens that disagree in a form", form("token=t1&token=t2&app=ura"), bad},
		{"tokens that disagree in JSON", jsonBody(`{"token":"t1","token":"t2","app":"ura"}`), bad},
		{"tokens that disagree between places", &Request{Query: "token=t2", Body: "token=t1&app=ura"}, bad},
		{"apps that disagree between places", &Request{Body: "token=t1&app=ura", Header: auth("", "Bot")}, bad},
		{"header and body that disagree", &Request{Body: "token=t1&app=ura", Header: auth("Token t3", "")}, bad},
		{"a token that is no text", jsonBody(`{"token":{"$ne":""},"app":"ura"}`), bad},
		{"a token that is true", jsonBody(`{"token":true,"app":"ura"}`), bad},
		{"blanks belong to a token", form("token=t1+&app=ura"), bad},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := street()
			f, p := Read(new(jsonx.Arena), c.r, d)
			require.Nil(t, p)
			got, p := SignIn(f, c.r, d, callers)
			switch c.want {
			case none:
				require.Equal(t, &Problem{Kind: mapping.NotSignedIn}, p)
			case bad:
				require.NotNil(t, p)
				require.Equal(t, &Problem{Kind: mapping.BadSignIn, Aim: p.Aim}, p)
			default:
				require.Nil(t, p)
				require.Equal(t, c.want, got.Name)
			}
		})
	}
}

func TestSignInWithNumbers(t *testing.T) {
	d := street()
	r := jsonBody(`{"token":12345678901234567890,"app":7}`)
	f, p := Read(new(jsonx.Arena), r, d)
	require.Nil(t, p)
	got, p := SignIn(f, r, d, []*Caller{caller("n", "street", "7", "12345678901234567890")})
	require.Nil(t, p)
	require.Equal(t, "n", got.Name)
}

func TestSignInByKeyOrBasic(t *testing.T) {
	d := &mapping.Dialect{Name: "app", SignIn: []mapping.SignInPlace{{Place: mapping.PlaceHeader, Token: "X-Api-Key"}}}
	basic := &mapping.Dialect{Name: "app", SignIn: []mapping.SignInPlace{{Place: mapping.PlaceHeader, Token: "Authorization", Scheme: "Basic"}}}
	both := &mapping.Dialect{Name: "app", SignIn: append(d.SignIn[:1:1], basic.SignIn...)}
	callers := []*Caller{caller("seller", "app", "user", "key")}
	for _, c := range []struct {
		name string
		d    *mapping.Dialect
		head map[string]string
		want string
		kind mapping.ErrorKind
	}{
		{"key", d, map[string]string{"X-Api-Key": "key"}, "seller", 0},
		{"wrong key", d, map[string]string{"X-Api-Key": "kez"}, "", mapping.BadSignIn},
		{"no key", d, nil, "", mapping.NotSignedIn},
		{"user and password", basic, map[string]string{"Authorization": "basic dXNlcjprZXk="}, "seller", 0},
		{"wrong user", basic, map[string]string{"Authorization": "Basic dXNlcmE6a2V5"}, "", mapping.BadSignIn},
		{"no colon", basic, map[string]string{"Authorization": "Basic dXNlcg=="}, "", mapping.BadSignIn},
		{"no base64", basic, map[string]string{"Authorization": "Basic ?"}, "", mapping.BadSignIn},
		{"either: key", both, map[string]string{"X-Api-Key": "key"}, "seller", 0},
		{"either: user and password", both, map[string]string{"Authorization": "Basic dXNlcjprZXk="}, "seller", 0},
		{"either, and they agree", both, map[string]string{"X-Api-Key": "key", "Authorization": "Basic dXNlcjprZXk="}, "seller", 0},
		{"either, and they do not", both, map[string]string{"X-Api-Key": "kez", "Authorization": "Basic dXNlcjprZXk="}, "", mapping.BadSignIn},
		{"either: the key of another user", both, map[string]string{"X-Api-Key": "key", "Authorization": "Basic dXNlcmE6a2V5"}, "", mapping.BadSignIn},
		{"a password without user", basic, map[string]string{"Authorization": "Basic OmtleQ=="}, "", mapping.BadSignIn},
		{"a user without password", basic, map[string]string{"Authorization": "Basic dXNlcjo="}, "", mapping.BadSignIn},
		{"another scheme", basic, map[string]string{"Authorization": "Bearer x"}, "", mapping.NotSignedIn},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, p := SignIn(nil, &Request{Header: header(c.head)}, c.d, callers)
			if c.want == "" {
				require.NotNil(t, p)
				require.Equal(t, &Problem{Kind: c.kind, Aim: p.Aim}, p)
				return
			}
			require.Nil(t, p)
			require.Equal(t, c.want, got.Name)
		})
	}
}

func TestNoPlaceToSignInLetsNobodyIn(t *testing.T) {
	_, p := SignIn(nil, &Request{}, &mapping.Dialect{Name: "d"}, []*Caller{caller("a", "d", "", "")})
	require.Equal(t, &Problem{Kind: mapping.NotSignedIn}, p)
}

func TestMay(t *testing.T) {
	for _, c := range []struct {
		globs string
		needs string
		want  bool
	}{
		{"ura.*", "ura.consulta", true},
		{"ura.*", "ura.", true},
		{"ura.*", "uraX", false},
		{"*", "anything", true},
		{"*.read", "a.b.read", true},
		{"*.read", "a.b.reads", false},
		{"a*c*e", "abcde", true},
		{"a*c*e", "abcdef", false},
		{"a*bc*bc", "abcbc", true},
		{"a*bc*bc", "abc", false},
		{"DV01", "DV01", true},
		{"DV01", "DV011", false},
		{"DV01", "dv01", false},
		{"", "", false},
		{"*", "", false},
		{"a.?", "a.b", false},
	} {
		require.Equal(t, c.want, (&Caller{Permissions: []string{"x.y", c.globs}}).May(c.needs), "%s for %s", c.globs, c.needs)
	}
	require.False(t, (&Caller{}).May("a"))
}

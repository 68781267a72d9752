package ticket_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/ticket"
)

var (
	one = bytes.Repeat([]byte{1}, 32)
	two = bytes.Repeat([]byte{2}, 32)
	now = time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC)
)

func issuer(t testing.TB, keys ...[]byte) *ticket.Issuer {
	i, err := ticket.New(keys...)
	require.NoError(t, err)
	return i
}

func TestTicket(t *testing.T) {
	i := issuer(t, one)
	got := i.Issue("desk", 3, now)
	parts := strings.Split(got, ".")
	require.Len(t, parts, 3)
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	require.NoError(t, err)
	var claims map[string]any
	require.NoError(t, json.Unmarshal(raw, &claims))
	require.Equal(t, map[string]any{"sub": "desk", "iat": 1772712000000.0, "exp": 1772715600000.0, "qtdRen": 3.0}, claims, "times in milliseconds")

	forged := parts[0] + "." + base64.RawURLEncoding.EncodeToString(bytes.Replace(raw, []byte("desk"), []byte("boss"), 1)) + "." + parts[2]
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + parts[1] + "."
	for name, c := range map[string]struct {
		issuer         *ticket.Issuer
		ticket, caller string
		at             time.Time
		err            error
	}{
		"good":                     {i, got, "desk", now, nil},
		"nearly an hour later":     {i, got, "desk", now.Add(time.Hour - time.Millisecond), nil},
		"an hour later":            {i, got, "desk", now.Add(time.Hour), ticket.ErrExpired},
		"another caller":           {i, got, "boss", now, ticket.ErrForged},
		"another caller, written":  {i, forged, "boss", now, ticket.ErrForged},
		"a caller with its prefix": {i, got, "des", now, ticket.ErrForged},
		"unsigned":                 {i, none, "desk", now, ticket.ErrForged},
		"without signature":        {i, parts[0] + "." + parts[1] + ".", "desk", now, ticket.ErrForged},
		"a longer signature":       {i, got + "A", "desk", now, ticket.ErrForged},
		"half":                     {i, got[:len(got)-1], "desk", now, ticket.ErrForged},
		"nothing":                  {i, "", "desk", now, ticket.ErrForged},
		"dots":                     {i, "..", "desk", now, ticket.ErrForged},
		"while the key changes":    {issuer(t, two, one), got, "desk", now, nil},
		"another key":              {issuer(t, two), got, "desk", now, ticket.ErrForged},
	} {
		t.Run(name, func(t *testing.T) {
			renewed, err := c.issuer.Check(c.ticket, c.caller, c.at)
			require.Equal(t, c.err, err)
			if c.err == nil {
				require.Equal(t, 3, renewed)
			}
		})
	}
	_, err = ticket.New()
	require.Error(t, err)
}

func FuzzCheck(f *testing.F) {
	i := issuer(f, one)
	good := i.Issue("desk", 0, now)
	f.Add(good, "desk")
	f.Add("a.b.c", "desk")
	f.Add(good+"=", `d"esk`)
	f.Fuzz(func(t *testing.T, token, caller string) {
		_, err := i.Check(token, caller, now)
		if err == nil && (token != good || caller != "desk") {
			t.Fatalf("%q is taken for a ticket of %q", token, caller)
		}
	})
}

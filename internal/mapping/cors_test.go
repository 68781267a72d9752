package mapping

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBadOrigin(t *testing.T) {
	for origin, want := range map[string]string{
		"https://app.example":      "",
		"http://localhost:5173":    "",
		"https://[::1]:8443":       "",
		"*":                        "there is no wildcard",
		"https://*.example":        "there is no wildcard",
		"app.example":              "it begins with http:// or https:// and a host",
		"null":                     "it begins with http:// or https:// and a host",
		"https://":                 "it begins with http:// or https:// and a host",
		"ftp://app.example":        "it begins with http:// or https:// and a host",
		"https://app.example/":     "it ends after host and port",
		"https://app.example/x":    "it ends after host and port",
		"https://u:p@app.example":  "it ends after host and port",
		"https://app.example?a=b":  "it ends after host and port",
		"https://App.example":      "browsers write it in lower case",
		"https://app.example:443":  "browsers leave the scheme's own port out",
		"http://app.example:80":    "browsers leave the scheme's own port out",
		"https://app.example:8443": "",
	} {
		require.Equal(t, want, badOrigin(origin), origin)
	}
}

func TestHeaderField(t *testing.T) {
	for name, want := range map[string]bool{"X-Till": true, "x_1": true, "": false, "*": false, "X Y": false, "X:": false, "é": false} {
		require.Equal(t, want, headerField(name), name)
	}
}

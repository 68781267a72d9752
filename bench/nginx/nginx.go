// Package nginx sets up the peer: the lookup by nginx with Lua, from Debian's
// packages nginx, libnginx-mod-http-lua and lua-cjson.
package nginx

import (
	_ "embed"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

// modules is where Debian keeps nginx's.
const modules = "/usr/lib/nginx/modules"

// Options are who may ask, and whom it asks.
type Options struct {
	Listen        string // host:port
	ERP           string // host:port
	Path          string // of the ERP's lookup
	Authorization string
	App, Token    string
	Workers       int
}

//go:embed nginx.conf.tmpl
var conf string

//go:embed lookup.lua
var script string

// Write writes the configuration into dir and gives the arguments to start nginx with.
func Write(dir string, o Options) ([]string, error) {
	t, err := template.New("nginx.conf").Parse(conf)
	if err != nil {
		return nil, err
	}
	var text strings.Builder
	if err := t.Execute(&text, struct {
		Options
		Dir, Modules string
		Root         bool // its workers must read what is written here
	}{o, dir, modules, os.Geteuid() == 0}); err != nil {
		return nil, err
	}
	script := strings.NewReplacer("@TOKEN@", o.Token, "@APP@", o.App).Replace(script)
	if err := os.WriteFile(filepath.Join(dir, "lookup.lua"), []byte(script), 0o600); err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		return nil, err
	}
	return []string{"-p", dir, "-e", filepath.Join(dir, "error.log"), "-c", file}, nil
}

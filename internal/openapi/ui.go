package openapi

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"io"
	"path"
	"strings"
	"sync"
)

//go:embed ui/index.html ui/page.css ui/page.js ui/favicon-32x32.png ui/swagger-ui-bundle.js.gz ui/swagger-ui.css.gz
var ui embed.FS

// PagePath is where the page is served.
const PagePath = "/docs"

// DocumentPath is where the page looks for the document.
const DocumentPath = PagePath + "/openapi.json"

// PagePolicy is the page's Content-Security-Policy: it asks nobody but the gateway.
const PagePolicy = "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// File is a file of the page, or the document, as it is served.
type File struct {
	Path  string // below the gateway: "/docs/page.js"
	Type  string
	ETag  string
	zip   []byte
	plain func() []byte
}

// Gzip gives the file compressed.
func (f *File) Gzip() []byte { return f.zip }

// Plain gives the file as it is.
func (f *File) Plain() []byte { return f.plain() }

var types = map[string]string{
	".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".png": "image/png",
}

// PageFiles gives the files of the page: first the page itself.
var PageFiles = sync.OnceValue(func() []*File {
	var all []*File
	for _, name := range []string{"index.html", "page.css", "page.js", "favicon-32x32.png", "swagger-ui.css.gz", "swagger-ui-bundle.js.gz"} {
		content, err := ui.ReadFile("ui/" + name)
		if err != nil {
			panic(err) // it is embedded
		}
		base, zipped := strings.CutSuffix(name, ".gz")
		f := &File{Path: PagePath + "/" + base, Type: types[path.Ext(base)]}
		switch {
		case zipped:
			f.zip = content
			f.plain = sync.OnceValue(func() []byte { return unzip(content) })
			f.ETag = etag(content)
		default:
			f.hold(content)
		}
		if base == "index.html" {
			f.Path = PagePath
		}
		all = append(all, f)
	}
	return all
})

// File gives the document as a file of the page.
func (d *Document) File() *File {
	f := &File{Path: DocumentPath, Type: "application/json"}
	f.hold(d.JSON())
	return f
}

// hold makes content what the file holds.
func (f *File) hold(content []byte) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(content) // a buffer takes everything
	_ = w.Close()
	f.zip, f.ETag, f.plain = b.Bytes(), etag(content), func() []byte { return content }
}

func etag(content []byte) string {
	sum := sha256.Sum256(content)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:9]) + `"`
}

func unzip(content []byte) []byte {
	r, err := gzip.NewReader(bytes.NewReader(content))
	var plain []byte
	if err == nil {
		plain, err = io.ReadAll(r)
	}
	if err != nil {
		panic(err) // it is embedded, and a test reads it
	}
	return plain
}

package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// block is one fenced block of a page.
type block struct {
	page, language, text string
	line                 int
}

// pages are what people read; docs/mapping.md is made of executed cases (internal/reference).
func blocks(t *testing.T) (all []block) {
	t.Helper()
	pages, err := filepath.Glob("../../docs/*.md")
	require.NoError(t, err)
	for _, page := range append(pages, "../../README.md") {
		if filepath.Base(page) == "mapping.md" {
			continue
		}
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		var open *block
		for i, line := range strings.Split(string(text), "\n") {
			switch rest, fence := strings.CutPrefix(line, "```"); {
			case fence && open == nil:
				open = &block{page: page, language: rest, line: i + 1}
			case fence:
				all = append(all, *open)
				open = nil
			case open != nil:
				open.text += line + "\n"
			}
		}
		require.Nil(t, open, "%s: a block without end", page)
	}
	return all
}

// complete tells whether a YAML block is a whole file, and under which path it is meant to be saved.
func (b block) complete() (path string, ok bool) {
	if b.language != "yaml" || !regexp.MustCompile(`(?m)^(emenda|openapi|- call):`).MatchString(b.text) {
		return "", false
	}
	first, _, _ := strings.Cut(b.text, "\n")
	path, ok = strings.CutPrefix(first, "# ")
	return path, ok
}

// typed is how lines begin that are run.
var typed = []string{"curl ", "sed ", "bin/emenda check", "bin/emenda test", "bin/emenda unknowns", "bin/emenda orders", "bin/emenda privacy", "bin/emenda trace", "bin/emenda explain", "bin/emenda schema", "bin/emenda contract", "bin/emenda routes", "bin/emenda openapi"}

// commands are the lines of a block that a reader would type.
func (b block) commands() (lines []string) {
	for line := range strings.Lines(b.text) {
		line = strings.TrimSpace(strings.TrimPrefix(line, "$ "))
		if slices.ContainsFunc(typed, func(begin string) bool { return strings.HasPrefix(line, begin) }) {
			lines = append(lines, line)
		}
	}
	return lines
}

// TestDocs runs every command and every complete YAML file of README.md and docs/.
func TestDocs(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(filepath.Join(dir, "mappings"), os.DirFS("../../mappings")))
	config, err := os.ReadFile("../../gateway.yaml")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "gateway.yaml"), config, 0o600))
	binary := filepath.Join(dir, "bin", "emenda")
	out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)

	all := blocks(t)
	files := 0
	for _, b := range all {
		if path, ok := b.complete(); ok {
			require.True(t, filepath.IsLocal(path), "%s:%d", b.page, b.line)
			require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, path)), 0o700))
			require.NoError(t, os.WriteFile(filepath.Join(dir, path), []byte(b.text), 0o600))
			files++
		}
	}
	require.Positive(t, files, "README.md shows a mapping")

	public, admin := address(t), address(t)
	gateway := exec.Command(binary, "serve", "--sandbox")
	gateway.Dir = dir
	var log bytes.Buffer
	gateway.Stderr = &log
	env := append(os.Environ(), "EMENDA_LISTEN="+public, "EMENDA_ADMIN_LISTEN="+admin)
	gateway.Env = env
	require.NoError(t, gateway.Start())
	defer func() {
		require.NoError(t, gateway.Process.Signal(syscall.SIGTERM))
		require.NoError(t, gateway.Wait(), log.String())
	}()
	require.Eventually(t, func() bool {
		r, err := http.Get("http://" + admin + "/healthz")
		if err != nil {
			return false
		}
		return r.Body.Close() == nil && r.StatusCode == http.StatusOK
	}, 20*time.Second, 50*time.Millisecond)

	place := strings.NewReplacer("127.0.0.1:8080", public, "127.0.0.1:8081", admin)
	ran := 0
	for _, b := range all {
		want := expected(b)
		for i, line := range b.commands() {
			t.Run(fmt.Sprintf("%s:%d %s", filepath.Base(b.page), b.line, line[:min(len(line), 40)]), func(t *testing.T) {
				c := exec.Command("sh", "-c", place.Replace(line))
				c.Dir, c.Env = dir, env
				got, err := c.CombinedOutput()
				require.NoError(t, err, "%s", got)
				if b.language == "console" {
					require.Regexp(t, want[i], string(got))
				} else {
					require.NotContains(t, string(got), `"detail"`, "an error of the dialect")
				}
			})
			ran++
		}
	}
	require.GreaterOrEqual(t, ran, 8, "the commands of README.md")
}

// expected gives what the block shows under each of its commands; "..." stands for anything.
func expected(b block) (all []string) {
	if b.language != "console" {
		return nil
	}
	for _, part := range strings.Split("\n"+b.text, "\n$ ")[1:] {
		_, out, _ := strings.Cut(part, "\n")
		pattern := regexp.QuoteMeta(strings.TrimSpace(out))
		all = append(all, `^\s*`+strings.ReplaceAll(pattern, `\.\.\.`, `(?s:.*)`)+`\s*$`)
	}
	return all
}

func address(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	return l.Addr().String()
}

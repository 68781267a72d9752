package main

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// example is one command of the README and what it must print.
type example struct {
	line    int
	command string
	want    string
}

// The addresses that the README's examples speak to.
var readmeAddress = regexp.MustCompile(`(127\.0\.0\.1|localhost):(8080|8081)\b`)

// showReadme does what a newcomer does: clones, runs, types what the README
// shows, and compares.
func showReadme(o options, r *report) error {
	dir, err := os.MkdirTemp("", "emenda-clone-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	clone := filepath.Join(dir, "emenda")
	r.begin("git clone, make run")
	begun := time.Now()
	text, err := output(dir, "git", "clone", "-q", o.root, clone)
	if !r.check(err == nil, "git clone: %v\n%s", err, text) {
		return nil
	}
	run, err := begin(clone, []string{
		"EMENDA_LISTEN=127.0.0.1:0", "EMENDA_ADMIN_LISTEN=127.0.0.1:0", "EMENDA_DATA=" + filepath.Join(dir, "data"),
	}, "make", "run")
	if err != nil {
		return err
	}
	defer run.kill()
	address, admin, err := serving(run, 10*time.Minute)
	if !r.check(err == nil, "make run: %v", err) {
		return nil
	}
	r.notef("serving %s after the clone began", time.Since(begun).Round(time.Second))

	readme, err := os.ReadFile(filepath.Join(clone, "README.md"))
	if err != nil {
		return err
	}
	examples := readExamples(string(readme))
	r.begin("the README's examples")
	adminAt, err := url.Parse(admin)
	if err != nil {
		return err
	}
	calls := 0
	for _, e := range examples {
		if !strings.HasPrefix(e.command, "curl ") && !strings.HasPrefix(e.command, "bin/emenda ") {
			continue
		}
		if strings.HasPrefix(e.command, "curl ") {
			calls++
		}
		command := readmeAddress.ReplaceAllStringFunc(e.command, func(at string) string {
			if strings.HasSuffix(at, ":8081") {
				return adminAt.Host
			}
			return address
		})
		got, err := runExample(clone, command)
		if r.check(err == nil, "README.md:%d: %v", e.line, err) {
			r.check(matches(e.want, got), "README.md:%d: %s\n--- want\n%s\n--- got\n%s", e.line, e.command, e.want, got)
		}
	}
	r.check(calls > 0, "README.md has no curl example in a console block")
	r.notef("%d of curl", calls)
	if o.skipTest {
		return nil
	}
	r.begin("make test in the clone")
	begun = time.Now()
	text, err = output(clone, "make", "test")
	r.printf("%s", lastLines(text, 12))
	r.check(err == nil, "make test: %v", err)
	r.notef("%s", time.Since(begun).Round(time.Second))
	return nil
}

// runExample runs a command as a newcomer's shell does and gives what it
// prints; a time limit ends what was not meant to be run here.
func runExample(dir, command string) (string, error) {
	p, err := begin(dir, nil, "sh", "-c", command)
	if err != nil {
		return "", err
	}
	defer p.kill()
	select {
	case <-p.ended:
	case <-time.After(time.Minute):
		return "", fmt.Errorf("%s: still running after a minute", command)
	}
	return p.out.text(), nil
}

// readExamples reads the ```console blocks of a Markdown text: lines that
// begin with "$ " are commands, which a backslash at the end continues; what
// follows is what they print.
func readExamples(text string) []example {
	var all []example
	inside, continued := false, false
	for i, line := range strings.Split(text, "\n") {
		switch {
		case !inside:
			inside = strings.HasPrefix(line, "```console")
			continued = false
		case strings.HasPrefix(line, "```"):
			inside = false
		case continued:
			last := &all[len(all)-1]
			last.command += "\n" + strings.TrimPrefix(line, "> ")
			continued = strings.HasSuffix(line, `\`)
		case strings.HasPrefix(line, "$ "):
			all = append(all, example{line: i + 1, command: line[2:]})
			continued = strings.HasSuffix(line, `\`)
		case len(all) > 0:
			all[len(all)-1].want += line + "\n"
		}
	}
	return all
}

// matches compares what was printed with what is expected, where "..." stands
// for any text. Blanks at the end of lines and empty lines at the end do not
// count: Markdown does not show them.
func matches(want, got string) bool {
	parts := strings.Split(trimLines(want), "...")
	for i, p := range parts {
		parts[i] = regexp.QuoteMeta(p)
	}
	return regexp.MustCompile(`(?s)\A` + strings.Join(parts, ".*") + `\z`).MatchString(trimLines(got))
}

func trimLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " \t\r")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}

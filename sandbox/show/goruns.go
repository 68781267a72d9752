package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// output runs a program in the repository and gives what it printed.
func output(dir, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(cleanEnvironment(), "EMENDA_MUTANTS=all") // the tests' sample is for every day
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

// lastLines gives the last n lines of a text.
func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// showMutants breaks the shipped mappings in every way the tests know.
func showMutants(o options, r *report) error {
	return showTests(o, r, "TestMutants|TestBroken", "./internal/snapshot")
}

// showCoverage shows that the cases of the language are executed.
func showCoverage(o options, r *report) error {
	return showTests(o, r, "TestLanguageCovered|TestValueSuite", "./...")
}

var (
	testEnd = regexp.MustCompile(`^\s*--- (PASS|FAIL|SKIP): (\S+)`)
	testLog = regexp.MustCompile(`^\s+\S+_test\.go:\d+: (.*)`)
)

// showTests runs tests and prints the figures they log. Each named test that
// stands for itself must be among those that ran.
func showTests(o options, r *report, names, pkg string) error {
	r.begin("go test -run '%s' %s", names, pkg)
	text, err := output(o.root, "go", "test", "-count=1", "-timeout", "45m", "-run", "^("+names+")", "-v", pkg)
	ran := map[string]int{}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if m := testLog.FindStringSubmatch(line); m != nil {
			r.printf("      %s", m[1])
		}
		m := testEnd.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		r.check(m[1] == "PASS", "%s: %s", m[2], m[1])
		for name := range strings.SplitSeq(names, "|") {
			if strings.HasPrefix(m[2], name) {
				ran[name]++
			}
		}
	}
	for name := range strings.SplitSeq(names, "|") {
		r.check(ran[name] > 0, "no test begins with %s", name)
	}
	if !r.check(err == nil, "go test: %v", err) {
		r.printf("%s", lastLines(text, 60))
	}
	return nil
}

// fuzzTime is how long language-7 fuzzes each target.
const fuzzTime = "60s"

// showFuzz fuzzes every target of the repository.
func showFuzz(o options, r *report) error {
	r.begin("every fuzz target, %s each", fuzzTime)
	text, err := output(o.root, "tools/fuzz", fuzzTime)
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "Fuzz") {
			r.printf("      %s", line)
			r.check(strings.Contains(line, "execs"), "no figures: %s", line)
		}
	}
	if !r.check(err == nil, "tools/fuzz: %v", err) {
		r.printf("%s", lastLines(text, 60))
		return nil
	}
	r.notef("%s", lastLines(text, 1))
	return nil
}

const exprLibrary = "github.com/expr-lang/expr"

// showCost shows what rendering the lookup's reply costs, and that of the
// expression library only the grammar is used.
func showCost(o options, r *report) error {
	r.begin("the lookup's reply template")
	text, err := output(o.root, "go", "test", "-run", "^$", "-bench", "LookupReply", "-benchmem", "./internal/exchange")
	if !r.check(err == nil, "go test -bench: %v\n%s", err, lastLines(text, 40)) {
		return nil
	}
	found := regexp.MustCompile(`(?m)^(Benchmark\S+)\s+\d+\s+([\d.]+) ns/op.*?\s(\d+) B/op\s+(\d+) allocs/op`).FindAllStringSubmatch(text, -1)
	r.check(len(found) > 0, "no benchmark ran:\n%s", text)
	for _, m := range found {
		r.printf("      %s: %s ns/op, %s B/op, %s allocs/op", m[1], m[2], m[3], m[4])
		r.check(m[4] == "0", "%s: %s allocs/op, want 0", m[1], m[4])
	}
	r.begin("of %s only the grammar", exprLibrary)
	if err := grammarImports(o, r); err != nil {
		return err
	}
	return grammarRule(o, r)
}

// grammar are the packages of the library that ours may import.
var grammar = []string{exprLibrary + "/ast", exprLibrary + "/conf", exprLibrary + "/file", exprLibrary + "/parser"}

// grammarImports checks what our packages import, tests included, and what the gateway links.
func grammarImports(o options, r *report) error {
	imports, err := output(o.root, "go", "list", "-f",
		`{{$p := .ImportPath}}{{range .Imports}}{{$p}} {{.}}{{"\n"}}{{end}}{{range .TestImports}}{{$p}} {{.}}{{"\n"}}{{end}}{{range .XTestImports}}{{$p}} {{.}}{{"\n"}}{{end}}`, "./...")
	if err != nil {
		return fmt.Errorf("go list: %w\n%s", err, imports)
	}
	direct := map[string]bool{}
	for line := range strings.Lines(imports) {
		pkg, imported, _ := strings.Cut(strings.TrimSpace(line), " ")
		if imported == exprLibrary || strings.HasPrefix(imported, exprLibrary+"/") {
			direct[imported] = true
			r.check(slices.Contains(grammar, imported), "%s imports %s", pkg, imported)
		}
	}
	r.check(direct[exprLibrary+"/parser"], "nothing imports the parser")
	allowed, err := dependencies(o, grammar...)
	if err != nil {
		return err
	}
	linked, err := dependencies(o, "./cmd/emenda")
	if err != nil {
		return err
	}
	for pkg := range linked {
		r.check(allowed[pkg], "the gateway links %s", pkg)
	}
	for _, never := range []string{"", "/vm", "/compiler", "/checker", "/optimizer"} {
		r.check(!linked[exprLibrary+never], "the gateway links %s", exprLibrary+never)
	}
	r.notef("%d packages of it imported, %d linked", len(direct), len(linked))
	return nil
}

// dependencies gives the packages of the expression library that pkgs need.
func dependencies(o options, pkgs ...string) (map[string]bool, error) {
	text, err := output(o.root, "go", append([]string{"list", "-deps"}, pkgs...)...)
	if err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, text)
	}
	found := map[string]bool{}
	for pkg := range strings.Lines(text) {
		pkg = strings.TrimSpace(pkg)
		if pkg == exprLibrary || strings.HasPrefix(pkg, exprLibrary+"/") {
			found[pkg] = true
		}
	}
	return found, nil
}

// grammarRule checks that the linter holds the same.
func grammarRule(o options, r *report) error {
	raw, err := os.ReadFile(filepath.Join(o.root, ".golangci.yml"))
	if err != nil {
		return err
	}
	var file struct {
		Linters struct {
			Enable   []string
			Settings struct {
				Depguard struct {
					Rules map[string]struct {
						Files, Allow []string
						Deny         []struct{ Pkg string }
					}
				}
			}
		}
	}
	if err := yaml.Unmarshal(raw, &file); err != nil {
		return fmt.Errorf(".golangci.yml: %w", err)
	}
	r.check(slices.Contains(file.Linters.Enable, "depguard"), ".golangci.yml: depguard is not enabled")
	held := 0
	for name, rule := range file.Linters.Settings.Depguard.Rules {
		for _, deny := range rule.Deny {
			if deny.Pkg != exprLibrary {
				continue
			}
			held++
			r.check(slices.Equal(rule.Files, []string{"**/*.go"}), ".golangci.yml: rule %s is not for every file", name)
			for _, pkg := range rule.Allow {
				r.check(slices.Contains(grammar, pkg), ".golangci.yml: rule %s allows %s", name, pkg)
			}
		}
	}
	r.check(held == 1, ".golangci.yml: %d rules deny %s, want 1", held, exprLibrary)
	return nil
}

package main

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/emenda-gateway/emenda/sandbox"
)

// ozmapFiles are the pinned package of OZmap's own client, and what it is made to do.
//
//go:embed ozmap
var ozmapFiles embed.FS

// ozmapSteps are the groups of checks that the client must come through.
var ozmapSteps = []string{"find by filter", "find by id", "create a property with its client", "update", "delete", "log in again on 401"}

// ozmapCheck is one line that the client's program prints.
type ozmapCheck struct {
	Group, Name string
	OK          bool
	Detail      string
}

// showOzmapSDK installs OZmap's own client from npm and has it speak to the sandbox.
func showOzmapSDK(_ options, r *report) error {
	dir, err := os.MkdirTemp("", "emenda-ozmap-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.CopyFS(dir, ozmapFiles); err != nil {
		return err
	}
	dir = filepath.Join(dir, "ozmap")
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	r.begin("npm ci")
	begun := time.Now()
	install := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent")
	install.Dir = dir
	text, err := install.CombinedOutput()
	if !r.check(err == nil, "npm ci: %v\n%s", err, text) {
		return nil
	}
	r.notef("@ozmap/ozmap-sdk %s in %s", ozmapVersion(dir), time.Since(begun).Round(100*time.Millisecond))

	box, err := sandbox.Start(sandbox.Options{})
	if err != nil {
		return err
	}
	defer func() { _ = box.Close(ctx) }()
	node := exec.CommandContext(ctx, "node", "sdk.cjs")
	node.Dir = dir
	node.Env = append(os.Environ(), "OZMAP_ADDRESS="+box.URL(), "OZMAP_TOKEN="+sandbox.OzmapToken, "OZLOC_TOKEN="+sandbox.OzlocToken,
		"OZMAP_LOGIN="+sandbox.OzmapLogin, "OZMAP_PASSWORD="+sandbox.OzmapPassword)
	var out, wrong bytes.Buffer
	node.Stdout, node.Stderr = &out, &wrong
	err = node.Run()
	counts := map[string]int{}
	group := ""
	for line := range strings.Lines(out.String()) {
		var c ozmapCheck
		if json.Unmarshal([]byte(line), &c) != nil || c.Group == "" {
			continue // the client's own log
		}
		if c.Group != group {
			group = c.Group
			r.begin("%s", group)
		}
		counts[group]++
		r.check(c.OK, "%s: %s", c.Name, c.Detail)
	}
	r.begin("the whole")
	r.check(err == nil, "node: %v\n%s", err, lastLines(wrong.String(), 20))
	for _, step := range ozmapSteps {
		r.check(counts[step] > 0, "%s was not reached", step)
	}
	r.notef("%d calls of OZmap arrived", len(box.Calls()))
	return nil
}

// ozmapVersion reads which version was installed.
func ozmapVersion(dir string) string {
	var p struct{ Version string }
	text, err := os.ReadFile(filepath.Join(dir, "node_modules", "@ozmap", "ozmap-sdk", "package.json"))
	if err != nil || json.Unmarshal(text, &p) != nil {
		return fmt.Sprint("of no version: ", err)
	}
	return p.Version
}

package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Between these lines of the page stands what the last run has measured.
const (
	pageBegin = "<!-- written by make bench -->\n"
	pageEnd   = "<!-- up to here -->\n"
)

// render writes the tables.
func render(o options, tables []*table) string {
	var b strings.Builder
	b.WriteString(machine(o))
	for _, t := range tables {
		rates := t.rates
		fmt.Fprintf(&b, "\n**%s**\n\n| | CPU s / 100,000 | × %s | requests/s |", t.title, t.to)
		for _, rate := range rates {
			fmt.Fprintf(&b, " p50 ms at %d/s | p99 ms | × %s |", rate, t.to)
		}
		b.WriteString(" allocations |\n| --- |" + strings.Repeat(" ---: |", 4+3*len(rates)) + "\n")
		for _, r := range t.rows {
			fmt.Fprintf(&b, "| %s | %.2f | %.2f | %.0f |", r.name, median(r.cpu)/10, ratio(r.cpu, t.rows[0].cpu), median(r.speed))
			for _, rate := range rates {
				fmt.Fprintf(&b, " %.2f | %.2f | %.2f |", median(r.half[rate]), median(r.most[rate]), ratio(r.most[rate], t.rows[0].most[rate]))
			}
			if r.mallocs == nil {
				b.WriteString(" |\n")
				continue
			}
			fmt.Fprintf(&b, " %.1f |\n", median(r.mallocs))
		}
		b.WriteString("\nEach round's ratio of CPU: ")
		var each []string
		for _, r := range t.rows[1:] {
			figures := make([]string, len(r.cpu))
			for i := range r.cpu {
				figures[i] = fmt.Sprintf("%.2f", r.cpu[i]/t.rows[0].cpu[i])
			}
			each = append(each, strings.Trim(r.name, "*")+" "+strings.Join(figures, " "))
		}
		b.WriteString(strings.Join(each, "; ") + ".\n")
	}
	for _, r := range tables[0].rows {
		if r.server.ready > 0 {
			fmt.Fprintf(&b, "\n%s served %d ms after its process was started, with every mapping and the whole contract read and checked.\n", strings.Trim(r.name, "*"), r.server.ready.Milliseconds())
		}
	}
	return b.String()
}

// machine says where and when it was measured.
func machine(o options) string {
	model := "a processor that does not say its name"
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, ok := strings.CutPrefix(line, "model name"); ok {
				model = strings.TrimSpace(strings.TrimLeft(name, "\t :"))
				break
			}
		}
	}
	kernel := "Linux"
	if text, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		kernel += " " + strings.TrimSpace(string(text))
	}
	busy := ""
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		busy = strings.Fields(string(text))[1]
	}
	peer := "nginx"
	if out, err := exec.Command("nginx", "-v").CombinedOutput(); err == nil {
		peer = strings.TrimSpace(strings.TrimPrefix(string(out), "nginx version: "))
	}
	return fmt.Sprintf("Measured on %s: %s, %d cores shared by driver, stub ERP and server, %s, %s, %s; load average %s over the last five minutes. %d rounds, interleaved; %d requests a round flat out, %d s at each rate; medians.\n",
		time.Now().UTC().Format(time.DateOnly), model, runtime.NumCPU(), kernel, runtime.Version(), peer, busy, o.rounds, o.requests, o.seconds)
}

// keep writes what was measured into the page.
func keep(page, text string) error {
	f, err := os.Open(page)
	if err != nil {
		return err
	}
	var lines []string
	scan := bufio.NewScanner(f)
	for scan.Scan() {
		lines = append(lines, scan.Text()+"\n")
	}
	_ = f.Close()
	if err := scan.Err(); err != nil {
		return err
	}
	from, to := slices.Index(lines, pageBegin), slices.Index(lines, pageEnd)
	if from < 0 || to < from {
		return fmt.Errorf("%s has no place for the tables", page)
	}
	return os.WriteFile(page, []byte(strings.Join(lines[:from+1], "")+text+strings.Join(lines[to:], "")), 0o644)
}

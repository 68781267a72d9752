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
		t.render(&b)
	}
	for _, r := range tables[0].rows {
		if r.server.ready > 0 {
			fmt.Fprintf(&b, "\n%s served %d ms after its process was started, with every mapping and the whole contract read and checked.\n", strings.Trim(r.name, "*"), r.server.ready.Milliseconds())
		}
	}
	return b.String()
}

// render writes the two tables of what was measured with one latency: as fast
// as every server answers, and at rates at which all of them do the same.
func (t *table) render(b *strings.Builder) {
	fmt.Fprintf(b, "\n**%s**\n\n| as fast as it answers | CPU s / 100,000 | × %s | each round | requests/s | allocations |\n| --- | ---: | ---: | --- | ---: | ---: |\n", t.title, t.to)
	for _, r := range t.rows {
		allocations := ""
		if r.mallocs != nil {
			allocations = fmt.Sprintf("%.1f", median(r.mallocs))
		}
		fmt.Fprintf(b, "| %s | %s | %.0f | %s |\n", r.name, beside(r.cpu, t.rows[0].cpu), median(r.speed), allocations)
	}
	for _, rate := range t.rates {
		fmt.Fprintf(b, "\n| at %d/s | CPU s / 100,000 | × %s | each round | p50 ms | p99 ms | × %s |\n| --- | ---: | ---: | --- | ---: | ---: | ---: |\n", rate, t.to, t.to)
		for _, r := range t.rows {
			first := t.rows[0]
			fmt.Fprintf(b, "| %s | %s | %.2f | %.2f | %.2f |\n", r.name, beside(r.paced[rate], first.paced[rate]),
				median(r.half[rate]), median(r.most[rate]), ratio(r.most[rate], first.most[rate]))
		}
	}
}

// beside gives three cells: the CPU, its ratio to another's, and that of each round.
func beside(cpu, to []float64) string {
	each := make([]string, len(cpu))
	for i := range cpu {
		each[i] = fmt.Sprintf("%.2f", cpu[i]/to[i])
	}
	return fmt.Sprintf("%.2f | %.2f | %s", median(cpu)/10, ratio(cpu, to), strings.Join(each, " "))
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

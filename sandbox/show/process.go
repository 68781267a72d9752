package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is a program that a driver started, in a process group of its own,
// so that what it starts in turn (make, go run) ends with it.
type process struct {
	cmd      *exec.Cmd
	out, err *capture
	ended    chan struct{} // closed when it has ended
	code     int           // good once ended is closed
}

// begin starts a program in dir. env is added to this process's environment,
// from which everything that configures a gateway is taken out.
func begin(dir string, env []string, name string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command(name, args...), out: newCapture(), err: newCapture(), ended: make(chan struct{})}
	p.cmd.Dir = dir
	p.cmd.Env = append(cleanEnvironment(), env...)
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.err
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // the code says it all
		p.code = p.cmd.ProcessState.ExitCode()
	}()
	return p, nil
}

// cleanEnvironment is the environment without what configures a gateway.
func cleanEnvironment() []string {
	var kept []string
	for _, e := range os.Environ() {
		switch name, _, _ := strings.Cut(e, "="); {
		case strings.HasPrefix(name, "EMENDA_"), strings.HasPrefix(name, "ERP_"), strings.HasPrefix(name, "URA_"), strings.HasPrefix(name, "SGP_"),
			strings.HasPrefix(name, "OZMAP_"), strings.HasPrefix(name, "OZLOC_"), strings.HasPrefix(name, "GEOCODER_"),
			strings.HasPrefix(name, "REDIS_"), strings.HasPrefix(name, "MVNO_"), strings.HasPrefix(name, "PARTNER_"), strings.HasPrefix(name, "SIGNUPS_"), strings.HasPrefix(name, "INSTALLER_"),
			name == "DATABASE_URL", name == "MAKEFLAGS", name == "MFLAGS", name == "MAKELEVEL":
		default:
			kept = append(kept, e)
		}
	}
	return kept
}

// wait waits until a line of c fulfils want, and gives what it made of it.
func (p *process) wait(c *capture, within time.Duration, want func(line string) (string, bool)) (string, error) {
	deadline := time.After(within)
	from := 0
	for {
		changed := c.changed()
		lines := c.lines()
		for ; from < len(lines); from++ {
			if got, ok := want(lines[from]); ok {
				return got, nil
			}
		}
		select {
		case <-changed:
		case <-p.ended:
			if len(c.lines()) == from {
				return "", fmt.Errorf("%s ended with code %d:\n%s", p.cmd.Args[0], p.code, p.err.tail(2000))
			}
		case <-deadline:
			return "", fmt.Errorf("%s did not get ready in %s:\n%s", p.cmd.Args[0], within, p.err.tail(2000))
		}
	}
}

// terminate sends SIGTERM to the program alone and waits for its end.
func (p *process) terminate(within time.Duration) (code int, took time.Duration, err error) {
	begun := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return 0, 0, err
	}
	select {
	case <-p.ended:
		return p.code, time.Since(begun), nil
	case <-time.After(within):
		return 0, time.Since(begun), fmt.Errorf("still running %s after SIGTERM", within)
	}
}

// kill ends the program and what it started, whatever they are doing.
func (p *process) kill() {
	group := -p.cmd.Process.Pid
	select {
	case <-p.ended:
	default:
		_ = syscall.Kill(group, syscall.SIGTERM)
		select {
		case <-p.ended:
		case <-time.After(5 * time.Second):
		}
	}
	_ = syscall.Kill(group, syscall.SIGKILL) // ESRCH when nothing is left
	<-p.ended
}

// murder ends the program and what it started without a word, as kill -9 does.
func (p *process) murder() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.ended
}

// capture keeps what a program writes.
type capture struct {
	mu    sync.Mutex
	buf   bytes.Buffer
	pulse chan struct{} // closed at the next write
}

func newCapture() *capture { return &capture{pulse: make(chan struct{})} }

// Write keeps p.
func (c *capture) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.pulse)
	c.pulse = make(chan struct{})
	return c.buf.Write(p)
}

func (c *capture) changed() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pulse
}

func (c *capture) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.buf.String()
}

// lines gives the whole lines so far.
func (c *capture) lines() []string {
	lines := strings.Split(c.text(), "\n")
	return lines[:len(lines)-1]
}

// tail gives at most the last n bytes.
func (c *capture) tail(n int) string {
	text := c.text()
	return text[max(0, len(text)-n):]
}

// Package pgtest starts a real PostgreSQL for tests, on a free port of this
// machine, and ends and starts it again as a test wishes. What the system's
// package starts by itself is left alone. A machine without one fails the test:
// `make test` installs it.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Server is a running PostgreSQL.
type Server struct {
	t    testing.TB
	bin  string
	dir  string
	port int
	as   *syscall.Credential // nil: as who runs the test
	cmd  *exec.Cmd
}

// Start starts a server with an empty database, whose data survive a restart; it
// ends with the test. It syncs as it does in production.
func Start(t testing.TB) *Server {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		t.Fatal("PostgreSQL is not installed (make test does it)")
	}
	slices.SortFunc(found, func(a, b string) int { return version(a) - version(b) })
	s := &Server{t: t, bin: filepath.Dir(found[len(found)-1]), dir: filepath.Join(t.TempDir(), "pg")}
	s.as = whoMay(t)
	if err := os.Mkdir(s.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if s.as != nil {
		if err := os.Chown(s.dir, int(s.as.Uid), int(s.as.Gid)); err != nil {
			t.Fatal(err)
		}
		open(t, filepath.Dir(s.dir))
	}
	init := s.command("initdb", "-D", s.dir, "-A", "trust", "-U", "emenda", "-E", "UTF8", "--locale=C", "--no-sync")
	if out, err := init.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.port = ln.Addr().(*net.TCPAddr).Port
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Kill)
	s.Run()
	return s
}

// version gives the number in the path of a program.
func version(path string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	return n
}

// whoMay gives who runs the server: PostgreSQL refuses root.
func whoMay(t testing.TB) *syscall.Credential {
	if os.Getuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	t.Fatal("PostgreSQL refuses root, and there is neither a user postgres nor nobody")
	return nil
}

// open lets others through the folders a test was given.
func open(t testing.TB, dir string) {
	for ; len(dir) > len(os.TempDir()); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // a test's own folder
			t.Fatal(err)
		}
	}
}

func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), args...) //nolint:gosec // our own arguments
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.as}
	return cmd
}

// URL is the address of the database.
func (s *Server) URL() string {
	return fmt.Sprintf("postgres://emenda@127.0.0.1:%d/postgres?sslmode=disable", s.port)
}

// Database makes another, empty database on the server, and gives its address.
func (s *Server) Database(name string) string {
	s.t.Helper()
	s.Exec(`CREATE DATABASE ` + pgx.Identifier{name}.Sanitize())
	return fmt.Sprintf("postgres://emenda@127.0.0.1:%d/%s?sslmode=disable", s.port, name)
}

// Exec runs a statement in the first database.
func (s *Server) Exec(text string, args ...any) {
	s.t.Helper()
	conn, err := pgx.Connect(context.Background(), s.URL())
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.Exec(context.Background(), text, args...); err != nil {
		s.t.Fatal(err)
	}
}

// Run starts the server after Kill or Stop, with the data it had.
func (s *Server) Run() {
	s.t.Helper()
	log, err := os.OpenFile(filepath.Join(filepath.Dir(s.dir), "pg.log"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600) //nolint:gosec // a test's own folder
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	s.cmd = s.command("postgres", "-D", s.dir, "-p", strconv.Itoa(s.port), "-c", "listen_addresses=127.0.0.1",
		"-c", "unix_socket_directories=", "-c", "fsync=on", "-c", "max_connections=200")
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		s.t.Fatalf("PostgreSQL cannot be started: %v", err)
	}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if s.answers() {
			return
		}
		if time.Now().After(deadline) {
			text, _ := os.ReadFile(log.Name())
			s.t.Fatalf("PostgreSQL does not answer:\n%s", text)
		}
	}
}

// answers tells whether the server takes statements.
func (s *Server) answers() bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.URL())
	if err != nil {
		return false
	}
	_, err = conn.Exec(ctx, "SELECT 1")
	return err == nil && conn.Close(ctx) == nil
}

// Kill ends the server as a crash would: nothing is written any more.
func (s *Server) Kill() { s.end(syscall.SIGQUIT) }

// Stop ends the server in good order; connections are cut.
func (s *Server) Stop() { s.end(syscall.SIGINT) }

func (s *Server) end(sig syscall.Signal) {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(sig)
	_ = s.cmd.Wait()
	s.cmd = nil
}

// Restart is Stop and Run.
func (s *Server) Restart() {
	s.t.Helper()
	s.Stop()
	s.Run()
}

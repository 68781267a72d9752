package main

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"time"
)

// redis is a redis-server of its own, on this machine, that keeps nothing on disk.
type redis struct {
	*process
	url    string
	folder string
}

// startRedis starts the redis-server that PATH knows, on a free port.
func startRedis() (*redis, error) {
	folder, err := os.MkdirTemp("", "emenda-show-redis-")
	if err != nil {
		return nil, err
	}
	for range 3 { // another program may take the port meanwhile
		port, freeErr := freePort()
		if freeErr != nil {
			err = freeErr
			break
		}
		var p *process
		p, err = begin(folder, nil, "redis-server", "--bind", "127.0.0.1", "--port", port, "--save", "", "--appendonly", "no", "--dir", folder)
		if err != nil {
			break
		}
		if _, err = p.wait(p.out, 10*time.Second, func(line string) (string, bool) {
			return "", strings.Contains(line, "Ready to accept connections")
		}); err == nil {
			return &redis{process: p, url: "redis://127.0.0.1:" + port, folder: folder}, nil
		}
		p.kill()
	}
	_ = os.RemoveAll(folder)
	return nil, fmt.Errorf("redis-server: %w", err)
}

// close ends it and removes its folder.
func (r *redis) close() {
	r.kill()
	_ = os.RemoveAll(r.folder)
}

// freePort gives a port that nobody listens on at the moment.
func freePort() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(ln.Addr().String())
	if err != nil {
		return "", err
	}
	return port, ln.Close()
}

// newSealKey gives a key that replicas share.
func newSealKey() string {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	return base64.StdEncoding.EncodeToString(key)
}

// replicas are gateways with one store, one key and one backend.
type replicas []*gateway

// startReplicas starts n of them, all at once.
func startReplicas(o options, n int, erp string, store *redis, key string) (replicas, error) {
	all := make(replicas, n)
	errs := make([]error, n)
	var started sync.WaitGroup
	for i := range all {
		started.Go(func() {
			all[i], errs[i] = startReplica(o, erp, []string{"REDIS_URL=" + store.url, "EMENDA_SEAL_KEY=" + key})
		})
	}
	started.Wait()
	for _, err := range errs {
		if err != nil {
			all.close()
			return nil, err
		}
	}
	return all, nil
}

// close ends those that run.
func (all replicas) close() {
	var ended sync.WaitGroup
	for _, g := range all {
		if g != nil {
			ended.Go(g.close)
		}
	}
	ended.Wait()
}

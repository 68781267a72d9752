package main

import (
	"crypto/rand"
	"encoding/base64"
	"sync"
)

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

package routes

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// Admin gives the handler of the admin listener: /healthz, /readyz and
// /metrics. With a token, everything but the probes asks for it as a bearer
// token (RFC 6750).
func (v *Server) Admin(token string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, health{Status: "ok"})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if v.closing.Load() {
			writeJSON(w, http.StatusServiceUnavailable, health{Status: "stopping"})
			return
		}
		s := v.Snapshot()
		h := health{Status: "ready", Configuration: s.Hash}
		for _, l := range s.LeftOut {
			h.LeftOut = append(h.LeftOut, leftOut{Kind: l.Kind, Name: l.Name, Why: l.Why})
		}
		writeJSON(w, http.StatusOK, h)
	})
	mux.Handle("GET /metrics", guarded(token, v.metrics.Handler()))
	return mux
}

// AdminServer gives the HTTP server of the admin listener, with time-outs set.
func (v *Server) AdminServer(token string) *http.Server {
	return &http.Server{
		Handler:           v.Admin(token),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       60 * time.Second,
	}
}

type health struct {
	Status        string    `json:"status"`
	Configuration string    `json:"configuration,omitempty"`
	LeftOut       []leftOut `json:"left_out,omitempty"`
}

type leftOut struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
	Why  string `json:"why"`
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func guarded(token string, next http.Handler) http.Handler {
	if token == "" {
		return next
	}
	want := sha256.Sum256([]byte(token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		got := sha256.Sum256([]byte(given))
		if !strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			w.Header().Set("WWW-Authenticate", `Bearer realm="emenda"`)
			writeJSON(w, http.StatusUnauthorized, health{Status: "a bearer token is needed"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

package routes

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/emenda-gateway/emenda/internal/store"
)

// Admin gives the handler of the admin listener: /healthz, /readyz, /metrics
// and, with ReloadWith, /-/reload. With a token, everything but the probes asks for it as a bearer
// token (RFC 6750), and a probe without it is told no more than the status.
func (v *Server) Admin(token string) http.Handler {
	trusted := bearer(token)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, health{Status: "ok"})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if v.closing.Load() {
			writeJSON(w, http.StatusServiceUnavailable, health{Status: "stopping"})
			return
		}
		s := v.Snapshot()
		h := health{Status: "ready"}
		kept := s.Kept.Health()
		orders := v.ordersHealth(r.Context())
		if !kept.Up || orders != nil && !orders.Up { // what needs neither goes on: the replica stays in service
			h.Status = "degraded"
		}
		if !trusted(r) {
			writeJSON(w, http.StatusOK, h)
			return
		}
		h.Configuration, h.Store, h.Orders = s.Hash, storeHealth(kept), orders
		for _, l := range s.LeftOut {
			h.LeftOut = append(h.LeftOut, leftOut{Kind: l.Kind, Name: l.Name, Why: l.Why})
		}
		for _, m := range s.UnderMaintenance() {
			h.Maintenance = append(h.Maintenance, m.Kind+" "+m.Name)
		}
		v.tellReload(&h)
		writeJSON(w, http.StatusOK, h)
	})
	mux.Handle("GET /metrics", guarded(trusted, v.metrics.Handler()))
	mux.Handle("GET /-/unknowns", guarded(trusted, http.HandlerFunc(v.unknowns)))
	mux.Handle("DELETE /-/unknowns/{id}", guarded(trusted, http.HandlerFunc(v.done)))
	mux.Handle("GET /-/requests/{id}", guarded(trusted, http.HandlerFunc(v.traced)))
	if v.reloads != nil {
		mux.Handle("GET /-/reload", guarded(trusted, http.HandlerFunc(v.lastReload)))
		mux.Handle("POST /-/reload", guarded(trusted, http.HandlerFunc(v.reload)))
		mux.Handle("PUT /-/reload", guarded(trusted, http.HandlerFunc(v.reload)))
	}
	if v.orders != nil {
		v.ordersAdmin(mux, trusted)
	}
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
		ErrorLog:          slog.NewLogLogger(v.log.Handler(), slog.LevelDebug),
	}
}

type health struct {
	Status        string       `json:"status"`
	Configuration string       `json:"configuration,omitempty"`
	Store         *storeState  `json:"store,omitempty"`
	Orders        *ordersState `json:"orders,omitempty"`
	Serving       string       `json:"serving,omitempty"`
	LastReload    *refusal     `json:"last_reload,omitempty"`
	NeedsRestart  []string     `json:"needs_restart,omitempty"`
	Maintenance   []string     `json:"maintenance,omitempty"`
	LeftOut       []leftOut    `json:"left_out,omitempty"`
}

// storeState is how the store is.
type storeState struct {
	Kind  string     `json:"kind"` // "redis" or "file"
	Up    bool       `json:"up"`
	Since *time.Time `json:"since,omitempty"`
}

func storeHealth(h store.Health) *storeState {
	s := &storeState{Kind: "file", Up: h.Up}
	if h.Shared {
		s.Kind = "redis"
	}
	if !h.Since.IsZero() {
		since := h.Since.UTC().Truncate(time.Millisecond)
		s.Since = &since
	}
	return s
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

// bearer tells of requests whether they carry the token; without one all are as good as if they did.
func bearer(token string) func(*http.Request) bool {
	if token == "" {
		return func(*http.Request) bool { return true }
	}
	want := sha256.Sum256([]byte(token))
	return func(r *http.Request) bool {
		scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		got := sha256.Sum256([]byte(given))
		return strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare(got[:], want[:]) == 1
	}
}

func guarded(trusted func(*http.Request) bool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !trusted(r) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="emenda"`)
			writeJSON(w, http.StatusUnauthorized, health{Status: "a bearer token is needed"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

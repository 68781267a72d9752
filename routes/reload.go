package routes

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/emenda-gateway/emenda/internal/snapshot"
)

// Reloads reloads the configuration when asked to, and tells how the last reload went.
type Reloads interface {
	Reload(trigger string) snapshot.Report
	Report() *snapshot.Report
}

var _ Reloads = (*snapshot.Reloader)(nil)

// ReloadWith makes the admin listener answer for reloads; it is called before serving.
func (v *Server) ReloadWith(r Reloads) { v.reloads = r }

// reloadAnswer is what /-/reload tells.
type reloadAnswer struct {
	Status        string          `json:"status"`
	Configuration string          `json:"configuration"`
	Serving       string          `json:"serving,omitempty"`
	LastGoodOf    *time.Time      `json:"last_good_of,omitempty"`
	At            time.Time       `json:"at"`
	Trigger       string          `json:"trigger"`
	Tests         int             `json:"tests"`
	NeedsRestart  []string        `json:"needs_restart"`
	Problems      json.RawMessage `json:"problems"`
}

func answerOf(p *snapshot.Report) reloadAnswer {
	a := reloadAnswer{
		Status: string(p.Result), Configuration: p.Configuration, At: p.At.UTC(), Trigger: p.Trigger, Tests: p.Tests,
		NeedsRestart: p.NeedsRestart, Problems: p.Problems.JSON(),
	}
	if a.NeedsRestart == nil {
		a.NeedsRestart = []string{}
	}
	if !p.LastGood.IsZero() {
		a.Serving, a.LastGoodOf = lastGood, &p.LastGood
	}
	return a
}

// lastGood says that what serves is not what is on disk, since the start.
const lastGood = "last_good"

// reload reloads; 422 when the files on disk were refused.
func (v *Server) reload(w http.ResponseWriter, _ *http.Request) {
	p := v.reloads.Reload("request")
	status := http.StatusOK
	if p.Result == snapshot.Refused {
		status = http.StatusUnprocessableEntity
	}
	writeJSON(w, status, answerOf(&p))
}

// lastReload tells how the last reload went.
func (v *Server) lastReload(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, answerOf(v.reloads.Report()))
}

// refusal is what /readyz says of a last reload that was refused.
type refusal struct {
	Result   string    `json:"result"`
	At       time.Time `json:"at"`
	Problems int       `json:"problems"`
}

// tellReload adds to h what differs between the files on disk and what serves.
func (v *Server) tellReload(h *health) {
	if v.reloads == nil {
		return
	}
	p := v.reloads.Report()
	h.NeedsRestart = p.NeedsRestart
	if p.Result == snapshot.Refused {
		h.LastReload = &refusal{Result: string(p.Result), At: p.At.UTC(), Problems: len(p.Problems)}
	}
	if !p.LastGood.IsZero() {
		h.Serving = lastGood
	}
}

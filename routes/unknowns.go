package routes

import (
	"errors"
	"net/http"
	"time"

	"github.com/emenda-gateway/emenda/internal/store"
)

// Unknown is a call nobody knows the end of, as the admin listener tells it.
type Unknown struct {
	ID        string    `json:"id"`
	SentAt    time.Time `json:"sent_at"`
	Why       string    `json:"why"` // "answer_lost" or "gateway_ended"
	Operation string    `json:"operation"`
	Route     string    `json:"route"`
	Step      string    `json:"step"`
	Key       string    `json:"key,omitempty"` // JSON: what the request was about
	Caller    string    `json:"caller,omitempty"`
	RequestID string    `json:"request_id"`
}

// Unknowns is the list of GET /-/unknowns.
type Unknowns struct {
	Unknowns []Unknown `json:"unknowns"`
	Foreign  int       `json:"sealed_with_another_key,omitempty"`
}

// UnknownsOf gives a store's list as the admin listener tells it.
func UnknownsOf(all []store.Unknown, foreign int) Unknowns {
	list := Unknowns{Unknowns: []Unknown{}, Foreign: foreign}
	for _, u := range all {
		why := "gateway_ended"
		if u.Lost {
			why = "answer_lost"
		}
		list.Unknowns = append(list.Unknowns, Unknown{
			ID: u.ID, SentAt: u.At, Why: why, Operation: u.Operation, Route: u.Route, Step: u.Step,
			Key: u.Key, Caller: u.Caller, RequestID: u.RequestID,
		})
	}
	return list
}

// unknowns lists the calls people must look at.
func (v *Server) unknowns(w http.ResponseWriter, r *http.Request) {
	all, foreign, err := v.Snapshot().Kept.Unknowns(r.Context())
	if err != nil {
		writeJSON(w, http.StatusServiceUnavailable, health{Status: "the store cannot be reached"})
		return
	}
	writeJSON(w, http.StatusOK, UnknownsOf(all, foreign))
}

// done takes a call off the list.
func (v *Server) done(w http.ResponseWriter, r *http.Request) {
	err := v.Snapshot().Kept.Done(r.Context(), r.PathValue("id"))
	switch {
	case errors.Is(err, store.ErrNoUnknown):
		writeJSON(w, http.StatusNotFound, health{Status: err.Error()})
	case err != nil:
		writeJSON(w, http.StatusServiceUnavailable, health{Status: "the store cannot be reached"})
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

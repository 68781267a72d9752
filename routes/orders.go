package routes

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/emenda-gateway/emenda/internal/durable"
	"github.com/emenda-gateway/emenda/internal/snapshot"
)

// OrdersWith makes the admin listener answer for orders; it is called before serving.
func (v *Server) OrdersWith(o *durable.Orders) { v.orders = o }

// Hold gives the snapshot that serves, which stays open until release; nil when
// the server has ended.
func (v *Server) Hold() (s *snapshot.Snapshot, release func()) {
	a := v.enter()
	if a == nil {
		return nil, nil
	}
	return a.snapshot, a.leave
}

// ordersState is how the orders' database is.
type ordersState struct {
	Kind string `json:"kind"` // "sqlite" or "postgres"
	Up   bool   `json:"up"`
}

// ordersHealth is how the orders' database is; nil: nothing needs one.
func (v *Server) ordersHealth(ctx context.Context) *ordersState {
	if v.orders == nil {
		return nil
	}
	kind, up := v.orders.Health(ctx)
	if kind == "" {
		return nil
	}
	return &ordersState{Kind: kind, Up: up}
}

func (v *Server) ordersAdmin(mux *http.ServeMux, trusted func(*http.Request) bool) {
	for pattern, answer := range map[string]func(*http.Request) (any, error){
		"GET /-/orders":                func(r *http.Request) (any, error) { return v.orders.List(r.Context(), r.URL.Query()) },
		"GET /-/orders/{id}":           func(r *http.Request) (any, error) { return v.orders.Get(r.Context(), r.PathValue("id")) },
		"GET /-/orders/{id}/graph.svg": v.drawOrder,
		"POST /-/orders/{id}/{action}": v.actOnOrder,
		"POST /-/privacy/export":       v.exportPerson,
		"POST /-/privacy/erase":        v.erasePerson,
		"GET /-/schedules":             func(r *http.Request) (any, error) { return v.orders.Schedules(r.Context()) },
	} {
		mux.Handle(pattern, guarded(trusted, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			result, err := answer(r)
			var bad durable.BadQuestion
			switch status, p := durable.ProblemOf(err); {
			case err == nil:
				if drawn, is := result.(drawing); is {
					w.Header().Set("Content-Type", "image/svg+xml")
					_, _ = w.Write(drawn)
					return
				}
				writeJSON(w, http.StatusOK, result)
			case errors.As(err, &bad):
				writeJSON(w, http.StatusBadRequest, durable.Problem{Code: "request", Message: bad.Error()})
			case status == 0:
				writeJSON(w, http.StatusServiceUnavailable, p)
			default:
				writeJSON(w, status, p)
			}
		})))
	}
}

// drawing is an SVG document.
type drawing []byte

func (v *Server) drawOrder(r *http.Request) (any, error) {
	d, err := v.orders.Get(r.Context(), r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return drawing(durable.Graph(d)), nil
}

// asked is the body of what people ask of orders.
type asked struct {
	By       string `json:"by"`
	Reason   string `json:"reason"`
	Document string `json:"document"`
}

func readAsked(r *http.Request) (a asked, err error) {
	body := http.MaxBytesReader(nil, r.Body, 64<<10)
	if err := json.NewDecoder(body).Decode(&a); err != nil {
		return a, durable.BadQuestion("the body is a JSON object")
	}
	return a, nil
}

// actOnOrder has an order undone (cancel), or answers one that waits for a person (retry, continue, undo).
func (v *Server) actOnOrder(r *http.Request) (any, error) {
	a, err := readAsked(r)
	if err != nil {
		return nil, err
	}
	if a.By == "" {
		return nil, durable.BadQuestion("by says who asks")
	}
	id := r.PathValue("id")
	if err := v.orders.Act(r.Context(), id, r.PathValue("action"), a.By, a.Reason); err != nil {
		if errors.Is(err, durable.ErrAction) {
			return nil, durable.BadQuestion(err.Error())
		}
		return nil, err
	}
	return v.orders.Get(r.Context(), id)
}

func (v *Server) exportPerson(r *http.Request) (any, error) {
	a, err := readDocument(r)
	if err != nil {
		return nil, err
	}
	return v.orders.Export(r.Context(), a.Document)
}

func (v *Server) erasePerson(r *http.Request) (any, error) {
	a, err := readDocument(r)
	if err != nil {
		return nil, err
	}
	return v.orders.Erase(r.Context(), a.Document)
}

func readDocument(r *http.Request) (asked, error) {
	a, err := readAsked(r)
	if err == nil && strings.TrimSpace(a.Document) == "" {
		err = durable.BadQuestion("document says whose orders")
	}
	return a, err
}

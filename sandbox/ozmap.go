package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
)

// What signs in at the stand-in OZmap: keys as they stand in Authorization,
// and an account for its login.
const (
	// OzmapToken is the key of the user of integrations, who may do everything.
	OzmapToken = "0a1b2c3d-ozmap-integration"
	// OzlocToken is the key of a user for sellers, who may only look.
	OzlocToken = "0a1b2c3d-ozmap-seller"

	// OzmapPath is where its API lies below the sandbox's address.
	OzmapPath = "/api/v2"

	OzmapLogin    = "sandbox"
	OzmapPassword = "sandbox"
)

// ozmapPrefix is what the paths of OZmap's API v2 begin with.
const ozmapPrefix = OzmapPath + "/"

// ozmap is what the stand-in OZmap knows.
type ozmap struct {
	mu sync.Mutex
	// stores holds the elements by the path of their kind.
	stores map[string]*ozStore
	// ports is how many ports a box has, used how many of them nobody here takes.
	ports, used map[string]int
	// abroad are the boxes that no list shows, so that the network at home can be
	// looked through; who asks near them finds them.
	abroad map[string]bool
	// sessions are the keys that logins gave: true for one that may do everything.
	sessions map[string]bool
	made     int
	log      *made
}

// ozStore is the elements of one kind, in the order in which they were made.
type ozStore struct {
	list []ozDoc
	// refs names the kind of element that a field names, for populate.
	refs map[string]string
}

// ozDoc is one element, as JSON has it.
type ozDoc map[string]any

func (d ozDoc) text(field string) string {
	s, _ := d[field].(string)
	return s
}

func (s *ozStore) find(id string) ozDoc {
	for _, d := range s.list {
		if d.text("id") == id {
			return d
		}
	}
	return nil
}

func (s *ozStore) remove(id string) {
	kept := s.list[:0]
	for _, d := range s.list {
		if d.text("id") != id {
			kept = append(kept, d)
		}
	}
	clear(s.list[len(kept):])
	s.list = kept
}

// The kinds of elements, as paths name them.
const (
	ozProjects   = "projects"
	ozBoxTypes   = "box-types"
	ozBoxes      = "boxes"
	ozProperties = "properties"
	ozClients    = "ftth-clients"
)

// ozID makes the id of an element: 24 hexadecimal digits.
func ozID(kind, n int) string { return fmt.Sprintf("5f%06x%016x", kind, n) }

// ozmapOperations is the table of the stand-in OZmap.
func ozmapOperations() []operation {
	var table []operation
	add := func(id, method, path string, do func(*ozmap, *request) answer) {
		table = append(table, operation{
			id: "ozmap." + id, method: method, path: ozmapPrefix + path, texts: map[string]bool{"id": true, "code": true},
			admit: ozmapKey, expire: ozmapExpire, stateful: true,
			refusal: `{"message":"Refused"}`, refusalStatus: http.StatusUnprocessableEntity,
			answer: func(s *Sandbox, r *request) answer {
				s.ozmap.mu.Lock()
				defer s.ozmap.mu.Unlock()
				return do(&s.ozmap, r)
			},
		})
	}
	add("users.login", http.MethodPost, "users/login", (*ozmap).login)
	table[0].admit, table[0].expire = func(*Sandbox, *request) *answer { return nil }, nil
	for _, kind := range []string{ozProjects, ozBoxTypes, ozBoxes, ozProperties, ozClients} {
		id := strings.ReplaceAll(kind, "-", "_")
		add(id+".list", http.MethodGet, kind, func(o *ozmap, r *request) answer { return o.search(r, kind) })
		add(id+".get", http.MethodGet, kind+"/{id}", func(o *ozmap, r *request) answer { return o.one(r, kind) })
	}
	add("properties.by_client", http.MethodGet, "properties/client/{code}", (*ozmap).byClient)
	add("properties.create", http.MethodPost, "properties", (*ozmap).createProperty)
	add("properties.update", http.MethodPatch, "properties/{id}", (*ozmap).updateProperty)
	add("properties.delete", http.MethodDelete, "properties/{id}", (*ozmap).deleteProperty)
	add("ftth_clients.update", http.MethodPatch, "ftth-clients/{id}", (*ozmap).updateClient)
	add("ftth_clients.delete", http.MethodDelete, "ftth-clients/{id}", (*ozmap).deleteClient)
	add("ftth_viability.radius", http.MethodGet, "ftth-viability/radius", (*ozmap).viability)
	return append(table, operation{
		id: "geocoder.search", method: http.MethodGet, path: GeocoderPath + "/search", stateful: true,
		admit: func(*Sandbox, *request) *answer { return nil }, refusal: `[]`, answer: geocode,
	})
}

// ozmapKey asks for a key, as it is, in Authorization; a seller's only looks
// at where there is room.
func ozmapKey(s *Sandbox, r *request) *answer {
	s.ozmap.mu.Lock()
	defer s.ozmap.mu.Unlock()
	key := r.http.Header.Get("Authorization")
	all, known := s.ozmap.sessions[key]
	switch {
	case same(key, OzmapToken):
		all, known = true, true
	case same(key, OzlocToken):
		known = true
	}
	looks := r.http.Method == http.MethodGet && (strings.Contains(r.http.URL.Path, ozBoxes) || strings.Contains(r.http.URL.Path, "ftth-viability"))
	switch {
	case !known:
		return ozRefuse(http.StatusUnauthorized, "Invalid or expired token")
	case !all && !looks:
		return ozRefuse(http.StatusForbidden, "User has no permission for this")
	}
	return nil
}

// ozmapExpire ends the session of a call; a key that is none of a login is
// refused this once.
func ozmapExpire(s *Sandbox, r *request) *answer {
	s.ozmap.mu.Lock()
	defer s.ozmap.mu.Unlock()
	delete(s.ozmap.sessions, r.http.Header.Get("Authorization"))
	return ozRefuse(http.StatusUnauthorized, "Invalid or expired token")
}

// login is users.login: a key for an account, or for another key.
func (o *ozmap) login(r *request) answer {
	fields, refused := ozBody(r)
	if refused != nil {
		return *refused
	}
	given := ozDoc(fields)
	if kind := r.http.URL.Query().Get("type"); kind != "API" {
		return *ozRefuse(http.StatusBadRequest, "Unknown type of login")
	}
	var all bool
	switch key := given.text("apiKey"); {
	case same(given.text("login"), OzmapLogin) && same(given.text("password"), OzmapPassword), same(key, OzmapToken):
		all = true
	case same(key, OzlocToken):
	default:
		return *ozRefuse(http.StatusUnauthorized, "Wrong login or password")
	}
	o.made++
	key := fmt.Sprintf("ozmap-session-%d", o.made)
	o.sessions[key] = all
	return value(object{"authorization", key, "type", "API"})
}

// ozRefuse is how OZmap says no.
func ozRefuse(status int, message string) *answer {
	a := value(object{"message", message})
	a.status = status
	return &a
}

// ozNothing answers that it is done.
func ozNothing() answer { return answer{status: http.StatusNoContent, kind: typeJSON} }

// ozBody reads a body that is one JSON object, or empty.
func ozBody(r *request) (map[string]any, *answer) {
	raw, err := r.load()
	if err != nil {
		return nil, ozRefuse(http.StatusBadRequest, "The body could not be read")
	}
	if len(bytes.TrimSpace(raw)) == 0 {
		return map[string]any{}, nil
	}
	var fields map[string]any
	if json.Unmarshal(raw, &fields) != nil || fields == nil {
		return nil, ozRefuse(http.StatusBadRequest, "The body is not a JSON object")
	}
	return fields, nil
}

// overview is everything that there is, as /_sandbox/ozmap shows it.
func (o *ozmap) overview() map[string]any {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := map[string]any{}
	for kind, s := range o.stores {
		list := []ozDoc{}
		for _, d := range s.list {
			one := o.shown(kind, d)
			if kind == ozBoxes {
				one["ports"], one["free_ports"] = o.ports[d.text("id")], o.free(d.text("id"))
			}
			list = append(list, one)
		}
		out[strings.ReplaceAll(kind, "-", "_")] = list
	}
	return out
}

package sandbox

import (
	"maps"
	"net/http"
	"slices"
)

// byClient gives the properties of all clients with a code.
func (o *ozmap) byClient(r *request) answer {
	list := []ozDoc{}
	for _, p := range o.stores[ozProperties].list {
		if c := o.stores[ozClients].find(p.text("client")); c != nil && c.text("code") == r.words["code"] {
			list = append(list, o.shown(ozProperties, p))
		}
	}
	return value(list)
}

// ozPropertyFields are those that a request may give of a property; the rest
// is passed over.
var ozPropertyFields = []string{"address", "observation", "potencyRead", "tags", "external_id"}

// ozClientFields are those that a request may give of a client.
var ozClientFields = []string{"code", "name", "observation", "implanted", "certified", "status", "onu", "tags", "external_id"}

// take puts the fields of a request that may be given into an element.
func (d ozDoc) take(fields map[string]any, names []string) {
	for _, name := range names {
		if v, ok := fields[name]; ok {
			d[name] = v
		}
	}
}

// createProperty reserves: a property, with the client that it is given and
// its drop connected to a box.
func (o *ozmap) createProperty(r *request) answer {
	fields, refused := ozBody(r)
	if refused != nil {
		return *refused
	}
	given := ozDoc(fields)
	if o.stores[ozProjects].find(given.text("project")) == nil {
		return *ozRefuse(http.StatusBadRequest, "The project does not exist")
	}
	at, ok := ozPointOf(fields)
	if !ok {
		return *ozRefuse(http.StatusBadRequest, "lat and lng, or coords, are missing")
	}
	n := o.next()
	p := ozDoc{
		"kind": "Property", "address": nil, "project": given["project"], "box": nil, "client": nil, "drop": nil,
		"lat": at.lat, "lng": at.lng, "coords": []any{at.lng, at.lat}, "observation": nil, "tags": []any{}, "connections": []map[string]any{},
	}
	p.take(fields, ozPropertyFields)
	if refused := o.place(p, given, true, ozID(7, n)); refused != nil {
		return *refused
	}
	client, refused := o.clientOf(given["client"], n)
	if refused != nil {
		return *refused
	}
	if client != nil {
		p["client"] = client["id"]
	}
	o.keep(ozProperties, 4, n, p)
	if client != nil {
		o.log.add("reservation", client.text("code"))
	}
	a := value(o.shown(ozProperties, p))
	a.status = http.StatusCreated
	return a
}

// place puts a property at the box that a request names, and connects it when
// that says so; without room, only with force, and then without a port.
func (o *ozmap) place(p, given ozDoc, fresh bool, drop string) *answer {
	if v, ok := given["box"]; ok && v == nil {
		p["box"], p["drop"], p["connections"] = nil, nil, []map[string]any{}
		return nil
	}
	if v, ok := given["connector"]; ok && v == nil {
		p["connections"] = []map[string]any{}
	}
	if given.text("box") != "" {
		if o.stores[ozBoxes].find(given.text("box")) == nil {
			return ozRefuse(http.StatusBadRequest, "The box does not exist")
		}
		if fresh || p["box"] != given["box"] {
			p["box"], p["connections"] = given["box"], []map[string]any{}
		}
		if p["drop"] == nil {
			p["drop"] = drop
		}
	}
	box := o.stores[ozBoxes].find(p.text("box"))
	if given["auto_connect"] != true || box == nil || len(ozConnections(p)) > 0 {
		return nil
	}
	port, _ := given["port"].(float64)
	if !o.connect(p, box, int(port)) && given["force"] != true {
		return ozRefuse(http.StatusUnprocessableEntity, "The box has no free port")
	}
	return nil
}

// clientOf is the client that a property is given: none, one that there is, or
// a new one.
func (o *ozmap) clientOf(v any, n int) (ozDoc, *answer) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case string:
		if c := o.stores[ozClients].find(v); c != nil {
			return c, nil
		}
		return nil, ozRefuse(http.StatusBadRequest, "The client does not exist")
	case map[string]any:
		c := ozNewClient("", "", false)
		c.take(v, ozClientFields)
		return o.keep(ozClients, 5, n, c), nil
	default:
		return nil, ozRefuse(http.StatusBadRequest, "The client is neither an id nor an object")
	}
}

// updateProperty changes a property; connector: null disconnects its drop.
func (o *ozmap) updateProperty(r *request) answer {
	fields, refused := ozBody(r)
	if refused != nil {
		return *refused
	}
	p := o.stores[ozProperties].find(r.words["id"])
	if p == nil {
		return *ozRefuse(http.StatusNotFound, "Element not found")
	}
	given, n := ozDoc(fields), o.next()
	changed := maps.Clone(p)
	changed.take(fields, ozPropertyFields)
	if at, ok := ozPointOf(fields); ok {
		changed["lat"], changed["lng"], changed["coords"] = at.lat, at.lng, []any{at.lng, at.lat}
	}
	if refused := o.place(changed, given, false, ozID(7, n)); refused != nil {
		return *refused
	}
	if v, ok := given["client"]; ok {
		client, refused := o.clientOf(v, n)
		if refused != nil {
			return *refused
		}
		changed["client"] = nil
		if client != nil {
			changed["client"] = client["id"]
		}
	}
	maps.Copy(p, changed)
	return ozNothing()
}

// deleteProperty takes its client and its drop away with it.
func (o *ozmap) deleteProperty(r *request) answer {
	p := o.stores[ozProperties].find(r.words["id"])
	if p == nil {
		return *ozRefuse(http.StatusNotFound, "Element not found")
	}
	o.stores[ozClients].remove(p.text("client"))
	o.stores[ozProperties].remove(p.text("id"))
	return ozNothing()
}

// updateClient changes a client.
func (o *ozmap) updateClient(r *request) answer {
	fields, refused := ozBody(r)
	if refused != nil {
		return *refused
	}
	c := o.stores[ozClients].find(r.words["id"])
	if c == nil {
		return *ozRefuse(http.StatusNotFound, "Element not found")
	}
	if v, ok := fields["implanted"]; ok && !slices.Contains([]any{true, false}, v) {
		return *ozRefuse(http.StatusBadRequest, "implanted is true or false")
	}
	c.take(fields, ozClientFields)
	return ozNothing()
}

// deleteClient leaves the property, its drop and its port.
func (o *ozmap) deleteClient(r *request) answer {
	c := o.stores[ozClients].find(r.words["id"])
	if c == nil {
		return *ozRefuse(http.StatusNotFound, "Element not found")
	}
	for _, p := range o.stores[ozProperties].list {
		if p["client"] == c["id"] {
			p["client"] = nil
		}
	}
	o.stores[ozClients].remove(c.text("id"))
	return ozNothing()
}

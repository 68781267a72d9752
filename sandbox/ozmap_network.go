package sandbox

import (
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// ozRadius is how far, in metres, boxes are looked for when nobody says.
const ozRadius = 300.0

// ozPoint is a place on earth.
type ozPoint struct{ lat, lng float64 }

// distance is in metres, over a ball.
func (p ozPoint) distance(q ozPoint) float64 {
	const radius = 6371000.0
	rad := func(d float64) float64 { return d * math.Pi / 180 }
	a := math.Pow(math.Sin(rad(q.lat-p.lat)/2), 2) + math.Cos(rad(p.lat))*math.Cos(rad(q.lat))*math.Pow(math.Sin(rad(q.lng-p.lng)/2), 2)
	return 2 * radius * math.Asin(math.Min(1, math.Sqrt(a)))
}

// within tells whether the place lies inside a ring of others.
func (p ozPoint) within(ring []ozPoint) bool {
	in := false
	for i, a := range ring {
		b := ring[(i+1)%len(ring)]
		if (a.lat > p.lat) != (b.lat > p.lat) && p.lng < (b.lng-a.lng)*(p.lat-a.lat)/(b.lat-a.lat)+a.lng {
			in = !in
		}
	}
	return in
}

// ozPointOf reads a place in one of the ways in which OZmap takes it; of a
// pair, the longitude stands first.
func ozPointOf(v any) (ozPoint, bool) {
	fields, _ := v.(map[string]any)
	for _, names := range [][2]string{{"lat", "lng"}, {"latitude", "longitude"}} {
		lat, ok := fields[names[0]].(float64)
		lng, too := fields[names[1]].(float64)
		if ok && too {
			return ozPoint{lat, lng}.checked()
		}
	}
	for _, name := range []string{"coords", "coordinates"} {
		if p, ok := ozPair(fields[name]); ok {
			return p.checked()
		}
	}
	return ozPoint{}, false
}

func (p ozPoint) checked() (ozPoint, bool) {
	return p, math.Abs(p.lat) <= 90 && math.Abs(p.lng) <= 180
}

func ozPair(v any) (ozPoint, bool) {
	pair, _ := v.([]any)
	if len(pair) != 2 {
		return ozPoint{}, false
	}
	lng, ok := pair[0].(float64)
	lat, too := pair[1].(float64)
	return ozPoint{lat, lng}, ok && too
}

// ozRing reads the outer ring of a polygon.
func ozRing(v any) ([]ozPoint, bool) {
	fields, _ := v.(map[string]any)
	rings, _ := fields["coordinates"].([]any)
	if len(rings) == 0 {
		return nil, false
	}
	var ring []ozPoint
	for _, pair := range ozList(rings[0]) {
		p, ok := ozPair(pair)
		if !ok {
			return nil, false
		}
		ring = append(ring, p)
	}
	return ring, len(ring) > 2
}

// free is how many ports of a box are free.
func (o *ozmap) free(box string) int {
	taken := o.used[box]
	for _, p := range o.stores[ozProperties].list {
		for _, c := range ozConnections(p) {
			if c["id"] == box {
				taken++
			}
		}
	}
	return o.ports[box] - taken
}

// ozConnections are the ports that the drop of a property is connected to.
func ozConnections(p ozDoc) []map[string]any {
	list, _ := p["connections"].([]map[string]any)
	return list
}

// connect takes the first free port of a box for a property, the one asked for
// when it is not 0.
func (o *ozmap) connect(p ozDoc, box ozDoc, want int) bool {
	id := box.text("id")
	taken := map[int]bool{}
	for n := range o.used[id] {
		taken[n+1] = true
	}
	for _, other := range o.stores[ozProperties].list {
		for _, c := range ozConnections(other) {
			if n, ok := c["port"].(int); ok && c["id"] == id {
				taken[n] = true
			}
		}
	}
	for n := range o.ports[id] {
		if port := n + 1; !taken[port] && (want == 0 || want == port) {
			p["connections"] = []map[string]any{{
				"id": id, "name": box.text("name"), "kind": "Splitter", "port": port, "implanted": false, "fiber": ozID(6, o.next()),
			}}
			return true
		}
	}
	return false
}

// next is a number for what is made.
func (o *ozmap) next() int {
	o.made++
	return 0x1000 + o.made
}

// viability is ftth-viability.radius: which boxes near a place have room. Full
// ones, and those that are only planned, are refused.
func (o *ozmap) viability(r *request) answer {
	query := r.http.URL.Query()
	at := map[string]float64{"radius": ozRadius}
	for _, name := range []string{"lat", "lng", "radius"} {
		if name == "radius" && query.Get(name) == "" {
			continue
		}
		n, err := strconv.ParseFloat(query.Get(name), 64)
		if err != nil || math.IsNaN(n) || math.IsInf(n, 0) || name == "radius" && n <= 0 {
			return *ozRefuse(http.StatusBadRequest, name+" is not a number")
		}
		at[name] = n
	}
	here, ok := ozPoint{at["lat"], at["lng"]}.checked()
	if !ok {
		return *ozRefuse(http.StatusBadRequest, "lat and lng are no place")
	}
	near := func(kind string) []ozDoc {
		list := []ozDoc{}
		for _, d := range o.stores[kind].list {
			if p, ok := ozPointOf(map[string]any(d)); ok && here.distance(p) <= at["radius"] {
				one := o.shown(kind, d)
				one["distance"] = math.Round(here.distance(p)*100) / 100
				list = append(list, one)
			}
		}
		slices.SortStableFunc(list, func(a, b ozDoc) int { return ozCompare(a["distance"], b["distance"]) })
		return list
	}
	boxes, refused := []object{}, []object{}
	for _, b := range near(ozBoxes) {
		free := o.free(b.text("id"))
		one := object{
			"id", b["id"], "name", b["name"], "distance", b["distance"], "project", b["project"], "lat", b["lat"], "lng", b["lng"],
			"implanted", b["implanted"], "availability", free,
		}
		switch {
		case b["implanted"] != true:
			refused = append(refused, append(one, "reason", "project"))
		case free <= 0:
			refused = append(refused, append(one, "reason", "full"))
		default:
			boxes = append(boxes, one)
		}
	}
	properties := []object{}
	for _, p := range near(ozProperties) {
		properties = append(properties, object{"id", p["id"], "address", p["address"], "distance", p["distance"], "lat", p["lat"], "lng", p["lng"]})
	}
	return value(object{"viable", len(boxes) > 0, "boxes", boxes, "refused_boxes", refused, "properties", properties})
}

// GeocoderPath is where the stand-in geocoder lies below the sandbox's address.
const GeocoderPath = "/geocoder"

// geocode is geocoder.search: addresses of one street are near the network,
// those of another far from it, and there is no third.
func geocode(_ *Sandbox, r *request) answer {
	q := strings.ToLower(r.http.URL.Query().Get("q"))
	found := []object{}
	for _, street := range [][2]string{{"rua exemplo", "-20.66"}, {"rua distante", "-20.5"}} {
		if strings.Contains(q, street[0]) {
			found = append(found, object{"place_id", 1, "lat", street[1], "lon", "-43.76", "display_name", r.http.URL.Query().Get("q") + ", Centro", "importance", 0.5})
		}
	}
	for _, a := range ozAbroad {
		if strings.Contains(q, a.postal) {
			found = append(found, object{"place_id", 2, "lat", fmt.Sprint(a.lat), "lon", fmt.Sprint(a.lng), "display_name", a.postal + " " + a.city, "importance", 0.5})
		}
	}
	return value(found)
}

// ozAbroad are the places of the other country, each with a box near it.
var ozAbroad = []struct {
	postal, city string
	ozPoint
	ports, used int
}{
	{"28028", "Madrid", ozPoint{40.43, -3.67}, 20000, 0},
	{"46870", "Ontinyent", ozPoint{38.822, -0.608}, 20000, 0},
	{"28001", "Madrid", ozPoint{40.424, -3.685}, 64, 0},
	{"08001", "Barcelona", ozPoint{41.38, 2.17}, 8, 8},
}

// Around this place the demonstration network lies.
const ozLat, ozLng = -20.66, -43.76

// reset brings back the demonstration network.
func (o *ozmap) reset() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sessions, o.made = map[string]bool{}, 0
	o.ports, o.used, o.abroad = map[string]int{}, map[string]int{}, map[string]bool{}
	o.stores = map[string]*ozStore{
		ozProjects: {}, ozBoxTypes: {}, ozClients: {},
		ozBoxes:      {refs: map[string]string{"project": ozProjects, "boxType": ozBoxTypes}},
		ozProperties: {refs: map[string]string{"project": ozProjects, "box": ozBoxes}},
	}
	for i, name := range []string{"Centro", "Expansão"} {
		o.keep(ozProjects, 1, i+1, ozDoc{"name": name, "identifier": fmt.Sprintf("P%d", i+1), "lat": ozLat, "lng": ozLng, "parents": []any{}})
	}
	for i, code := range []string{"CTO 16", "CTO 8"} {
		o.keep(ozBoxTypes, 2, i+1, ozDoc{"code": code, "prefix": "CTO", "default_reserve": 0.0})
	}
	for i, b := range []struct {
		name           string
		project, kind  int
		north          float64 // of the place, in metres
		ports, used    int
		built, certain bool
	}{
		{"CTO-01", 1, 1, 60, 16, 4, true, true},
		{"CTO-02", 1, 2, 150, 8, 6, true, false},
		{"CTO-03", 1, 2, 90, 8, 8, true, true},
		{"CTO-04", 2, 1, 120, 16, 0, false, false},
		{"CTO-05", 1, 1, 4000, 16, 0, true, true},
	} {
		lat := math.Round((ozLat+b.north/111194.93)*1e6) / 1e6
		d := o.keep(ozBoxes, 3, i+1, ozDoc{
			"kind": "Box", "name": b.name, "address": "Rua das Caixas", "project": ozID(1, b.project), "boxType": ozID(2, b.kind), "hierarchyLevel": 2.0,
			"implanted": b.built, "certified": b.certain, "draft": false, "shared": false, "lat": lat, "lng": ozLng, "coords": []any{ozLng, lat}, "tags": []any{}, "cables": []any{},
		})
		o.ports[d.text("id")], o.used[d.text("id")] = b.ports, b.used
	}
	for i, a := range ozAbroad {
		d := o.keep(ozBoxes, 3, 101+i, ozDoc{
			"kind": "Box", "name": "CTO-" + a.postal, "address": "Calle de las Cajas", "project": ozID(1, 1), "boxType": ozID(2, 1), "hierarchyLevel": 2.0,
			"implanted": true, "certified": true, "draft": false, "shared": false, "lat": a.lat, "lng": a.lng, "coords": []any{a.lng, a.lat}, "tags": []any{}, "cables": []any{},
		})
		o.ports[d.text("id")], o.used[d.text("id")], o.abroad[d.text("id")] = a.ports, a.used, true
	}
	for i, c := range []struct {
		code, name string
		box        int
		implanted  bool
	}{
		{"1300001", "MARIA EXEMPLO DA SILVA", 1, true},
		{"1300021", "ANA EXEMPLO DE LIMA", 1, false},
		{"777", "CLIENTE REPETIDO UM", 1, true},
		{"777", "CLIENTE REPETIDO DOIS", 2, true},
		{"123|123", "CODIGO EXEMPLO", 5, true},
	} {
		client := o.keep(ozClients, 5, i+1, ozNewClient(c.code, c.name, c.implanted))
		box := o.stores[ozBoxes].find(ozID(3, c.box))
		p := o.keep(ozProperties, 4, i+1, maps.Clone(ozDoc{
			"kind": "Property", "address": fmt.Sprintf("Rua Exemplo, %d", 10*(i+1)), "project": box["project"], "box": box["id"], "client": client["id"],
			"drop": ozID(7, i+1), "lat": ozLat, "lng": ozLng, "coords": []any{ozLng, ozLat}, "observation": nil, "tags": []any{}, "connections": []map[string]any{},
		}))
		o.connect(p, box, 0)
	}
	o.made = 0
}

// ozNewClient is a client as it begins.
func ozNewClient(code, name string, implanted bool) ozDoc {
	return ozDoc{
		"kind": "FTTHClient", "code": code, "name": name, "observation": "", "implanted": implanted, "certified": false, "status": 0.0, "tags": []any{},
		"onu": map[string]any{"user_PPPoE": "", "serial_number": "", "mac_address": ""},
	}
}

// keep adds an element; kind and n make its id.
func (o *ozmap) keep(store string, kind, n int, d ozDoc) ozDoc {
	const made = "2026-01-05T12:00:00.000Z"
	d["id"], d["createdAt"], d["updatedAt"] = ozID(kind, n), made, made
	o.stores[store].list = append(o.stores[store].list, d)
	return d
}

package sandbox

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// How many elements a list gives that was not told, and at most.
const (
	ozLimit    = 50
	ozMaxLimit = 1000
)

// ozFilter is one condition of a filter.
type ozFilter struct {
	Property string `json:"property"`
	Operator string `json:"operator"`
	Value    any    `json:"value"`
}

// ozSort is one key of an order: 1 ascends, -1 descends.
type ozSort struct {
	Property  string `json:"property"`
	Direction int    `json:"direction"`
}

// ozQuery is what a list is asked for. All groups must hold, of each group one
// condition.
type ozQuery struct {
	groups           [][]ozFilter
	sort             []ozSort
	start, limit     int
	selects, popules []string
}

// search lists the elements of a kind.
func (o *ozmap) search(r *request, kind string) answer {
	q, refused := ozRead(r)
	if refused != nil {
		return *refused
	}
	found := []ozDoc{}
	for _, d := range o.stores[kind].list {
		if o.abroad[d.text("id")] {
			continue
		}
		one := o.shown(kind, d)
		good, wrong := q.holds(one)
		if wrong != "" {
			return *ozRefuse(http.StatusBadRequest, wrong)
		}
		if good {
			found = append(found, one)
		}
	}
	for _, by := range slices.Backward(q.sort) {
		slices.SortStableFunc(found, func(a, b ozDoc) int { return by.Direction * ozCompare(ozAt(a, by.Property), ozAt(b, by.Property)) })
	}
	start := min(q.start, len(found))
	rows := []ozDoc{}
	for _, d := range found[start:min(start+q.limit, len(found))] {
		rows = append(rows, q.cut(o.populate(kind, d, q.popules)))
	}
	out := object{"total", len(found), "count", len(rows), "start", start, "limit", q.limit, "rows", rows, "hasNextPage", start+len(rows) < len(found)}
	if start+len(rows) < len(found) {
		// Not page: OZmap's own client sends one of its own over it.
		next := r.http.URL.Query()
		next.Del("page")
		next.Set("start", strconv.Itoa(start+q.limit))
		out = append(out, "nextUrl", r.http.URL.Path+"?"+next.Encode())
	}
	return value(out)
}

// one gives an element by its id.
func (o *ozmap) one(r *request, kind string) answer {
	d := o.stores[kind].find(r.words["id"])
	if d == nil {
		return *ozRefuse(http.StatusNotFound, "Element not found")
	}
	q, refused := ozRead(r)
	if refused != nil {
		return *refused
	}
	return value(q.cut(o.populate(kind, o.shown(kind, d), q.popules)))
}

// shown is an element as it is answered: a property with its client whole.
func (o *ozmap) shown(kind string, d ozDoc) ozDoc {
	one := maps.Clone(d)
	if kind == ozProperties {
		one["client"] = nil
		if c := o.stores[ozClients].find(d.text("client")); c != nil {
			one["client"] = maps.Clone(c)
		}
	}
	return one
}

// populate puts elements in the place of the ids that name them.
func (o *ozmap) populate(kind string, d ozDoc, fields []string) ozDoc {
	for _, name := range fields {
		if of, ok := o.stores[kind].refs[name]; ok {
			if other := o.stores[of].find(d.text(name)); other != nil {
				d[name] = o.shown(of, other)
			}
		}
	}
	return d
}

// cut keeps the fields that were selected.
func (q *ozQuery) cut(d ozDoc) ozDoc {
	if len(q.selects) == 0 {
		return d
	}
	maps.DeleteFunc(d, func(name string, _ any) bool { return name != "id" && !slices.Contains(q.selects, name) })
	return d
}

// ozRead reads what a list is asked for, in the body of a GET, as OZmap's own
// client sends it, and in the query.
func ozRead(r *request) (*ozQuery, *answer) {
	var body struct {
		Filter []json.RawMessage `json:"filter"`
		Sort   []ozSort          `json:"sort"`
	}
	raw, err := r.load()
	if err != nil || len(raw) > 0 && json.Unmarshal(raw, &body) != nil {
		return nil, ozRefuse(http.StatusBadRequest, "The body is not a JSON object")
	}
	query := r.http.URL.Query()
	for name, into := range map[string]any{"filter": &body.Filter, "sort": &body.Sort} {
		if text := query.Get(name); text != "" && json.Unmarshal([]byte(text), into) != nil {
			return nil, ozRefuse(http.StatusBadRequest, "The "+name+" is not a JSON list")
		}
	}
	q := &ozQuery{sort: body.Sort, limit: ozLimit, selects: ozWords(query, "select"), popules: ozWords(query, "populate")}
	page := 1
	for name, into := range map[string]*int{"page": &page, "limit": &q.limit, "start": &q.start} {
		if text := query.Get(name); text != "" {
			if *into, err = strconv.Atoi(text); err != nil || *into < 0 || *into == 0 && name != "start" || *into > 1_000_000 {
				return nil, ozRefuse(http.StatusBadRequest, "The "+name+" is not a number, or out of bounds")
			}
		}
	}
	q.limit = min(q.limit, ozMaxLimit)
	q.start += (page - 1) * q.limit
	for _, one := range body.Filter {
		var group []ozFilter
		if json.Unmarshal(one, &group) != nil {
			group = make([]ozFilter, 1)
			if json.Unmarshal(one, &group[0]) != nil {
				return nil, ozRefuse(http.StatusBadRequest, "A condition of the filter is no object")
			}
		}
		q.groups = append(q.groups, group)
	}
	return q, nil
}

// ozWords gives the values of name and name[].
func ozWords(query url.Values, name string) []string {
	return slices.Concat(query[name+"[]"], query[name])
}

// holds tells whether the element is one of those that are looked for, or what
// is wrong with the filter.
func (q *ozQuery) holds(d ozDoc) (good bool, wrong string) {
	for _, group := range q.groups {
		some := false
		for _, f := range group {
			one, wrong := f.holds(ozAt(d, f.Property), d)
			if wrong != "" {
				return false, wrong
			}
			some = some || one
		}
		if !some {
			return false, ""
		}
	}
	return true, ""
}

// ozAt is the value at a path of names with points between; a name that
// carries a whole element stands for its id.
func ozAt(d ozDoc, path string) any {
	var at any = map[string]any(d)
	for name := range strings.SplitSeq(path, ".") {
		switch in := at.(type) {
		case map[string]any:
			at = in[name]
		case ozDoc:
			at = in[name]
		default:
			return nil
		}
	}
	if whole, ok := at.(ozDoc); ok {
		return whole["id"]
	}
	return at
}

func (f ozFilter) holds(has any, d ozDoc) (good bool, wrong string) {
	switch f.Operator {
	case "=", "":
		return ozHas(has, f.Value), ""
	case "!=":
		return !ozHas(has, f.Value), ""
	case "like":
		return strings.Contains(strings.ToLower(ozText(has)), strings.ToLower(ozText(f.Value))), ""
	case "exists":
		return (has != nil) == (f.Value != false), ""
	case "in", "notin":
		in := slices.ContainsFunc(ozList(f.Value), func(v any) bool { return ozHas(has, v) })
		return in == (f.Operator == "in"), ""
	case "all":
		return !slices.ContainsFunc(ozList(f.Value), func(v any) bool { return !ozHas(has, v) }), ""
	case "<":
		return has != nil && ozCompare(has, f.Value) < 0, ""
	case "<=":
		return has != nil && ozCompare(has, f.Value) <= 0, ""
	case ">":
		return has != nil && ozCompare(has, f.Value) > 0, ""
	case ">=":
		return has != nil && ozCompare(has, f.Value) >= 0, ""
	case "near":
		to, ok := ozPointOf(f.Value)
		if !ok {
			return false, "near needs a point"
		}
		radius := ozRadius
		if v, ok := f.Value.(map[string]any)["radius"].(float64); ok {
			radius = v
		}
		at, ok := ozPointOf(map[string]any(d))
		return ok && at.distance(to) <= radius, ""
	case "within":
		ring, ok := ozRing(f.Value)
		if !ok {
			return false, "within needs a polygon"
		}
		at, ok := ozPointOf(map[string]any(d))
		return ok && at.within(ring), ""
	default:
		return false, fmt.Sprintf("Unknown operator %q", f.Operator)
	}
}

// ozHas tells whether a value is, or a list holds, the one looked for.
func ozHas(has, want any) bool {
	if list, ok := has.([]any); ok {
		return slices.ContainsFunc(list, func(v any) bool { return ozHas(v, want) })
	}
	return has == nil && want == nil || has != nil && want != nil && ozCompare(has, want) == 0
}

func ozList(v any) []any {
	if list, ok := v.([]any); ok {
		return list
	}
	return []any{v}
}

// ozText spells a value; none is the empty text.
func ozText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	default:
		return fmt.Sprint(v)
	}
}

// ozCompare orders numbers by value and everything else by its text.
func ozCompare(a, b any) int {
	x, xok := a.(float64)
	y, yok := b.(float64)
	if xok && yok {
		return cmp.Compare(x, y)
	}
	return cmp.Compare(ozText(a), ozText(b))
}

package intake

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/emenda-gateway/emenda/internal/mapping"
)

// Paths are the paths of a set: what takes a request, and in whose words one
// that nothing takes is answered.
type Paths struct {
	Ways     []*Way           // in the order in which they are asked
	Routes   []*mapping.Route // the mappings among them, each once
	prefixes []prefix         // longest first
}

// Way is a path, and what takes the requests that have it: a mapping, or an
// exposed operation.
type Way struct {
	Path    string // whole, with its {parameters}, without a slash at the end
	Methods []string
	Dialect *mapping.Dialect
	Route   *mapping.Route   // nil: Exposed
	Exposed *mapping.Exposed // nil: Route
}

// prefix is where a dialect's paths begin.
type prefix struct {
	path    string // without a slash at the end
	dialect *mapping.Dialect
}

// Methods are those a route may have; with all others a request is nobody's.
var Methods = []string{"GET", "POST", "PUT", "PATCH", "DELETE"}

// NewPaths gives the paths of a set.
func NewPaths(set *mapping.Set) *Paths {
	p := &Paths{Routes: slices.Clone(set.Routes)}
	slices.SortStableFunc(p.Routes, func(x, y *mapping.Route) int { return moreLiteral(x.Path, y.Path) })
	for _, r := range p.Routes {
		p.Ways = append(p.Ways, waysOf(r)...)
	}
	for _, e := range set.Exposed {
		w := &Way{Path: strings.TrimSuffix(e.Path, "/"), Methods: []string{e.Method}, Dialect: e.Dialect, Exposed: e}
		if e.Method == "GET" { // RFC 9110, 9.3.2
			w.Methods = []string{"GET", "HEAD"}
		}
		p.Ways = append(p.Ways, w)
	}
	slices.SortStableFunc(p.Ways, func(x, y *Way) int { return moreLiteral(x.Path, y.Path) })
	for _, d := range set.Dialects {
		for _, text := range d.Prefixes {
			p.prefixes = append(p.prefixes, prefix{path: strings.TrimSuffix(text, "/"), dialect: d})
		}
	}
	slices.SortFunc(p.prefixes, func(x, y prefix) int {
		if d := len(y.path) - len(x.path); d != 0 {
			return d
		}
		return strings.Compare(x.path, y.path)
	})
	return p
}

// waysOf gives the ways to a mapping: one below each of its dialect's prefixes.
func waysOf(r *mapping.Route) []*Way {
	paths := r.Spelled()
	all := make([]*Way, 0, len(paths))
	methods := r.Methods
	if r.Replaces != nil && r.Replaces.Method == "GET" { // as where the operation itself is offered
		methods = []string{"GET", "HEAD"}
	}
	for _, path := range paths {
		all = append(all, &Way{Path: path, Methods: methods, Dialect: r.Dialect, Route: r})
	}
	return all
}

// Spellings gives the paths of the way with and without a slash at the end, as its dialect says.
func (w *Way) Spellings() []string {
	var all []string
	if w.Dialect.Slash != mapping.SlashAlways {
		all = append(all, w.Path)
	}
	if w.Dialect.Slash != mapping.SlashNever {
		all = append(all, w.Path+"/")
	}
	return all
}

// moreLiteral orders paths so that literal text goes before a {parameter} in
// its place: the first route that fits takes the request.
func moreLiteral(x, y string) int {
	a, b := strings.Split(x, "/"), strings.Split(y, "/")
	for i := range min(len(a), len(b)) {
		pa, pb := strings.HasPrefix(a[i], "{"), strings.HasPrefix(b[i], "{")
		switch {
		case pa && !pb:
			return 1
		case pb && !pa:
			return -1
		}
	}
	return 0
}

// Spellings gives the whole paths a route has, with its {parameters}: below
// each of its dialect's prefixes, with and without a slash at the end as the dialect says.
func Spellings(route *mapping.Route) []string {
	var all []string
	for _, w := range waysOf(route) {
		all = append(all, w.Spellings()...)
	}
	return all
}

// Dialect gives the dialect whose prefix a path has, the longest one's; nil for none.
func (p *Paths) Dialect(path string) *mapping.Dialect {
	if path != "" && path[0] == '/' {
		path = "/" + strings.TrimLeft(path, "/")
	}
	for _, x := range p.prefixes {
		if rest, ok := strings.CutPrefix(path, x.path); ok && (rest == "" || rest[0] == '/') {
			return x.dialect
		}
	}
	return nil
}

// Methods gives the methods that a path has, in order: those of one dialect, or
// of all when it is nil.
func (p *Paths) Methods(path string, of *mapping.Dialect) []string {
	var all []string
	for _, w := range p.Ways {
		if (of == nil || w.Dialect == of) && w.Takes(path) {
			all = append(all, w.Methods...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Find gives what takes a method and path, and the path's parameters. Where
// nothing does the problem says so (NoRoute, BadMethod); where a parameter
// cannot be read (Unreadable), the way is given too. It is the rule by which
// the listener serves, without it.
func (p *Paths) Find(method, path string) (*Way, []Param, *Problem) {
	problem := &Problem{Kind: mapping.NoRoute, Message: "no such route"}
	if strings.HasPrefix(path, "//") { // no name may be taken for a host
		return nil, nil, problem
	}
	if !slices.Contains(Methods, method) {
		problem = &Problem{Kind: mapping.BadMethod, Message: "method not allowed"}
	}
	for _, w := range p.Ways {
		params, fits, unreadable := w.params(path)
		switch {
		case !fits:
		case slices.Contains(w.Methods, method):
			return w, params, unreadable
		default:
			problem = &Problem{Kind: mapping.BadMethod, Message: "method not allowed"}
		}
	}
	return nil, nil, problem
}

// PathOf reads the parameters of one route's path; fits tells whether it is
// its path at all, the problem that a parameter is no text.
func PathOf(route *mapping.Route, path string) (params []Param, fits bool, problem *Problem) {
	for _, w := range waysOf(route) {
		if params, fits, problem = w.params(path); fits {
			return params, fits, problem
		}
	}
	return nil, false, nil
}

// Takes tells whether a path is the way's.
func (w *Way) Takes(path string) bool {
	_, fits, _ := w.params(path)
	return fits
}

// params reads the parameters of the way's path, as PathOf.
func (w *Way) params(path string) (params []Param, fits bool, problem *Problem) {
	for _, spelling := range w.Spellings() {
		params, fits = matchPath(spelling, path)
		if !fits {
			continue
		}
		for i := range params {
			var ok bool
			if params[i].Value, ok = PathText(params[i].Value); !ok {
				return nil, true, &Problem{Kind: mapping.Unreadable, Message: "the path holds a malformed percent escape"}
			}
		}
		return params, true, nil
	}
	return nil, false, nil
}

// matchPath holds a path against a spelling of a route's, and gives the
// parameters as they stand there.
func matchPath(spelling, path string) ([]Param, bool) {
	want, have := strings.Split(spelling, "/"), strings.Split(path, "/")
	if len(want) != len(have) {
		return nil, false
	}
	var params []Param
	for i, w := range want {
		name, isParam := strings.CutPrefix(w, "{")
		switch {
		case isParam && have[i] != "":
			params = append(params, Param{Name: strings.TrimSuffix(name, "}"), Value: have[i]})
		case isParam || w != have[i]:
			return nil, false
		}
	}
	return params, true
}

// PathText undoes the percent escapes of a path's segment; what is not text then is refused.
func PathText(s string) (string, bool) {
	if strings.IndexByte(s, '%') >= 0 {
		b := make([]byte, 0, len(s))
		for i := 0; i < len(s); i++ {
			if s[i] != '%' {
				b = append(b, s[i])
				continue
			}
			if i+2 >= len(s) {
				return "", false
			}
			high, low := unhex(s[i+1]), unhex(s[i+2])
			if high > 15 || low > 15 {
				return "", false
			}
			b = append(b, high<<4|low)
			i += 2
		}
		s = string(b)
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f {
			return "", false
		}
	}
	if !utf8.ValidString(s) {
		return "", false
	}
	return s, true
}

package config

import (
	"regexp"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// Load reads and checks gateway.yaml; it needs no environment. The
// configuration is nil when the file cannot be read; with other errors it
// holds what could be read, so that further checks can go on.
func Load(f *diag.File) (*Config, diag.List) {
	root, list := yamldoc.Parse(f)
	if root == nil {
		return nil, list
	}
	list.Add(yamldoc.Check(root, Shape))
	if root.Kind != yamldoc.Map {
		return nil, list
	}
	l := &loader{list: &list}
	c := l.config(f, root)
	list.Sort()
	return c, list
}

type loader struct {
	list *diag.List
}

func (l *loader) config(f *diag.File, root *yamldoc.Node) *Config {
	if v := root.Get("emenda"); v != nil && v.Text != Version {
		l.list.Errorf(v.FirstLine(), "version", "this version of the language is not known").Help = "write emenda: " + Version
	}
	c := &Config{File: f, Backends: map[string]*Backend{}, Callers: map[string]*Caller{}, Memory: map[string]*Memory{}, Closed: map[string]*Closed{}, Schedules: map[string]*Schedule{}}
	l.gateway(c, root.Get("gateway"))
	c.Gateway.RedisURL = l.secret(root.Get("redis").Get("url"))
	c.Gateway.OrdersURL = l.secret(root.Get("orders").Get("database"))
	c.Gateway.OrdersKeep = l.text(root.Get("orders"), "keep", defaultKeep, duration)
	for _, e := range entries(root.Get("backends")) {
		c.Backends[e.Key.Text] = l.backend(e)
	}
	for _, e := range entries(root.Get("callers")) {
		c.Callers[e.Key.Text] = l.caller(e)
	}
	for _, e := range entries(root.Get("memory")) {
		c.Memory[e.Key.Text] = l.memory(e)
	}
	for _, e := range entries(root.Get("maintenance")) {
		c.Closed[e.Key.Text] = &Closed{At: e.Key.Span, Maintenance: l.text(root.Get("maintenance"), e.Key.Text, "", nil)}
	}
	for _, e := range entries(root.Get("schedules")) {
		c.Schedules[e.Key.Text] = l.schedule(e)
	}
	if n := root.Get("const"); n != nil && n.Kind == yamldoc.Map {
		c.Const = n
		l.constants(n)
	}
	n := root.Get("limits")
	c.Limits = Limits{
		Body:        l.text(n, "body", defaultBody, size),
		Header:      l.text(n, "header", defaultHeader, size),
		ReadTimeout: l.text(n, "read_timeout", defaultReadTimeout, duration),
		IdleTimeout: l.text(n, "idle_timeout", defaultKeepAlive, duration),
		Connections: l.text(n, "connections", defaultConnections, count),
		Fuel:        l.text(n, "fuel", defaultFuel, count),
		Each:        l.text(n, "each", defaultEach, count),
		SignIn: SignInLimit{
			Failures: l.text(n.Get("sign_in"), "failures", defaultWrong, count),
			Per:      l.text(n.Get("sign_in"), "per", defaultWrongPer, duration),
			Pause:    l.text(n.Get("sign_in"), "pause", defaultWrongPause, duration),
		},
	}
	return c
}

// entries gives the entries of n when it is a map.
func entries(n *yamldoc.Node) []yamldoc.Entry {
	if n == nil || n.Kind != yamldoc.Map {
		return nil
	}
	return n.Entries
}

func (l *loader) gateway(c *Config, n *yamldoc.Node) {
	g := &c.Gateway
	g.Listen = l.text(n, "listen", defaultListen, listen)
	g.AdminListen = l.text(n, "admin_listen", defaultAdminListen, listen)
	g.AdminToken = l.secret(n.Get("admin_token"))
	g.Data = l.text(n, "data", defaultData, filled)
	g.Mappings = l.text(n, "mappings", "", nil)
	if packs := n.Get("packs"); packs != nil && packs.Kind == yamldoc.List {
		g.Packs = make([]Pack, 0, len(packs.Items))
		for _, item := range packs.Items {
			g.Packs = append(g.Packs, Pack{Name: item.Text, At: item.Span})
		}
	}
	g.Timezone = l.text(n, "timezone", defaultTimezone, zone)
	g.SealKeys = l.secrets(n.Get("seal_key"))
	g.Proxies = l.texts(n, "trusted_proxies", networks)
	g.ProxyHeader = l.text(n, "proxy_header", defaultProxyHeader, proxyHeader)
	if g.Docs = defaultDocs; n.Get("docs") != nil {
		g.Docs = l.text(n, "docs", "false", yesOrNo)
	}
	g.Traces = l.text(n, "traces", defaultTraces, countOrNone)
	g.Compress = yes(n.Get("compress"))
	g.TLS, g.AdminTLS = l.tls(n, "tls", "client_ca"), l.tls(n, "admin_tls", "client_ca")
}

func (l *loader) backend(e yamldoc.Entry) *Backend {
	n := e.Value
	b := &Backend{Name: e.Key.Text, At: e.Key.Span, ContractAt: e.Key.Span, SignIn: map[string]Secret{}, SignInAt: e.Key.Span, SignInKeys: map[string]diag.Span{}}
	b.Contract, b.ContractAt = named(n.Get("contract"), e.Key.Span)
	b.Bare = n.Kind == yamldoc.Map && n.Get("contract") == nil
	b.URL = l.text(n, "url", "", hostURL)
	if k := n.KeyOf("sign_in"); k != nil {
		b.SignInAt = k.Span
	}
	for _, s := range entries(n.Get("sign_in")) {
		b.SignIn[s.Key.Text] = l.secret(s.Value)
		b.SignInKeys[s.Key.Text] = s.Key.Span
	}
	if b.Bare {
		l.bareSignIn(b, n.Get("sign_in"))
	}
	b.Timeout = l.text(n, "timeout", defaultTimeout, duration)
	b.AtMost = l.text(n, "at_most", defaultAtMost, count)
	b.IdleTimeout = l.text(n, "idle_timeout", defaultIdleTimeout, duration)
	b.MaxAnswer = l.text(n, "max_answer", defaultMaxAnswer, size)
	b.Failures = l.text(n.Get("breaker"), "failures", defaultFailures, count)
	b.Pause = l.text(n.Get("breaker"), "pause", defaultPause, duration)
	b.Maintenance = l.text(n, "maintenance", "", nil)
	b.TLS = l.tls(n, "tls", "ca")
	return b
}

// named gives a name and its place.
func named(n *yamldoc.Node, otherwise diag.Span) (string, diag.Span) {
	if n == nil || n.Kind != yamldoc.Text {
		return "", otherwise
	}
	return n.Text, n.Span
}

var (
	glob   = regexp.MustCompile(`^[A-Za-z0-9_.*-]+$`)
	braces = regexp.MustCompile(`(^|[^$])\$\{`)
)

func (l *loader) caller(e yamldoc.Entry) *Caller {
	n := e.Value
	c := &Caller{Name: e.Key.Text, At: e.Key.Span}
	c.Dialect, c.DialectAt = named(n.Get("dialect"), e.Key.Span)
	c.App = l.text(n, "app", "", nil)
	c.Tokens = l.secrets(n.Get("token"))
	if t := n.Get("token"); len(c.Tokens) > 2 {
		l.list.Errorf(t.FirstLine(), "too-many", "a caller has one token, or two while one replaces the other")
	}
	if p := n.Get("permissions"); p != nil {
		for _, item := range p.Items {
			if item.Kind == yamldoc.Text && !glob.MatchString(item.Text) {
				l.list.Errorf(item.FirstLine(), "permission-form", "this is no permission").Help = `write a name such as ura.consulta, or "ura.*"`
			}
			c.Permissions = append(c.Permissions, Permission{Glob: item.Text, At: item.Span})
		}
	}
	c.Strict = yes(n.Get("strict"))
	if status := n.Get("status"); status != nil {
		c.Truthful = status.Text == "truthful"
	}
	c.Rate = l.text(n, "rate", "", rate)
	return c
}

// yes tells whether n is true.
func yes(n *yamldoc.Node) bool { return n != nil && n.Kind == yamldoc.Bool && n.Text == "true" }

func (l *loader) memory(e yamldoc.Entry) *Memory {
	n := e.Value
	m := &Memory{
		Name: e.Key.Text, At: e.Key.Span, Key: scalarText(n.Get("key")), Count: yes(n.Get("count")),
		For: scalarText(n.Get("for")), Per: scalarText(n.Get("per")), Durable: yes(n.Get("durable")),
		Allow: scalarText(n.Get("if_down")) == "allow", Personal: yes(n.Get("personal")),
	}
	for _, f := range entries(n.Get("value")) {
		m.Value = append(m.Value, Field{Name: f.Key.Text, Type: f.Value.Text, At: f.Key.Span})
	}
	if n.Kind != yamldoc.Map {
		return m
	}
	switch {
	case m.Count && n.Get("value") != nil:
		l.list.Errorf(n.KeyOf("value").Span, "memory-form", "a count has no value")
	case !m.Count && n.Get("value") == nil:
		l.list.Errorf(m.At, "memory-form", "memory %q remembers nothing", m.Name).Help = "give value: { field: type }, or count: true"
	}
	switch {
	case m.Per != "" && m.For != "":
		l.list.Errorf(n.KeyOf("per").Span, "memory-form", "for and per exclude each other")
	case m.Per != "" && !m.Count:
		l.list.Errorf(n.KeyOf("per").Span, "memory-form", "per belongs to counts").Help = "give for: how long an entry is kept"
	case m.Per == "" && m.For == "":
		l.list.Errorf(m.At, "memory-form", "memory %q never forgets", m.Name).Help = "give for: how long an entry is kept, or per: for a count"
	}
	return m
}

// scalarText gives the text of n, "" when there is none.
func scalarText(n *yamldoc.Node) string {
	if n == nil {
		return ""
	}
	return n.Text
}

// constants refuses variables: what mappings are checked with is fixed.
func (l *loader) constants(n *yamldoc.Node) {
	for _, e := range n.Entries {
		at := braces.FindStringIndex(e.Value.Text)
		if e.Value.Kind == yamldoc.Text && at != nil {
			l.list.Errorf(e.Value.SpanOf(at[1]-2, len(e.Value.Text)), "env-form", "constants are fixed: nothing can stand in ${} here").
				Help = "write the value itself"
		}
	}
}

// text reads the setting under key, or its default. A check looks at what the
// setting is without any environment; nil takes everything.
func (l *loader) text(in *yamldoc.Node, key, otherwise string, check func(string) error) Text {
	n := in.Get(key)
	if n == nil || n.Kind == yamldoc.Null || n.Kind == yamldoc.List || n.Kind == yamldoc.Map {
		return literal(otherwise)
	}
	return l.setting(n, check)
}

// texts reads the one setting or the list of them under key.
func (l *loader) texts(in *yamldoc.Node, key string, check func(string) error) (all []Text) {
	n := in.Get(key)
	switch {
	case n == nil || n.Kind == yamldoc.Null || n.Kind == yamldoc.Map:
		return nil
	case n.Kind != yamldoc.List:
		return []Text{l.setting(n, check)}
	}
	for _, item := range n.Items {
		if item.Kind != yamldoc.Null && item.Kind != yamldoc.List && item.Kind != yamldoc.Map {
			all = append(all, l.setting(item, check))
		}
	}
	return all
}

// setting reads a scalar and looks at what it is without any environment.
func (l *loader) setting(n *yamldoc.Node, check func(string) error) Text {
	before := len(*l.list)
	t := readText(n, l.list)
	if len(*l.list) > before || check == nil {
		return t
	}
	// Fixed durations, sizes and numbers were checked against Shape already;
	// they are not told twice.
	if s, err := t.Resolve(nil); err == nil && (s != "" || t.Fixed()) {
		if err := check(s); err != nil && !l.told(n.Span) {
			l.list.Errorf(n.Span, "bad-setting", "%s", err)
		}
	}
	return t
}

// told tells whether something was said about this very place.
func (l *loader) told(at diag.Span) bool {
	for _, d := range *l.list {
		if d.Span == at {
			return true
		}
	}
	return false
}

// secret reads { secret: NAME }.
func (l *loader) secret(n *yamldoc.Node) Secret {
	v := n.Get("secret")
	if v == nil || v.Kind != yamldoc.Text {
		return Secret{}
	}
	if v.Text != "" && !variable.MatchString(v.Text) {
		l.list.Errorf(v.FirstLine(), "secret-name", "a secret is the name of an environment variable").Help = "write { secret: NAME }; the value itself never stands in gateway.yaml"
		return Secret{}
	}
	return Secret{Name: v.Text, Optional: yes(n.Get("optional")), At: n.Span}
}

// secrets reads one or a list of them.
func (l *loader) secrets(n *yamldoc.Node) []Secret {
	switch {
	case n == nil:
		return nil
	case n.Kind == yamldoc.List:
		var all []Secret
		for _, item := range n.Items {
			all = append(all, l.secret(item))
		}
		return all
	default:
		return []Secret{l.secret(n)}
	}
}

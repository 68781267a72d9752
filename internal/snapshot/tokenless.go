package snapshot

import (
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/diag"
)

// withoutToken warns of backends that serving would leave out in this
// environment because none of several secrets is set that would bring a token.
func (l *Loaded) withoutToken(env func(string) (string, bool)) (list diag.List) {
	called := l.called()
	for _, name := range slices.Sorted(maps.Keys(l.Contracts)) {
		b, t := l.Config.Backends[name], l.Contracts[name].SignIn.Token
		if b == nil || t == nil || !called[name] {
			continue
		}
		values := map[string]string{}
		for v, s := range b.SignIn {
			// What is unset and not optional is told by its own name; a file that cannot be read, when it is.
			if value, set, err := s.Resolve(env, os.ReadFile); set || err != nil || !s.Optional {
				values[v] = value + "?"
			}
		}
		if !t.Usable(values) {
			list.Warnf(b.SignInAt, "unset", "%s: serving leaves backend %s out", l.tokenless(name), name)
		}
	}
	return list
}

// tokenless says which secrets of a backend's sign-in would bring it a token.
func (l *Loaded) tokenless(name string) string {
	b := l.Config.Backends[name]
	var names []string
	for _, v := range l.Contracts[name].SignIn.Variables {
		if s := b.SignIn[v]; s.Optional {
			names = append(names, s.Name)
		}
	}
	return "of " + strings.Join(names, ", ") + " nothing is set that would bring a token"
}

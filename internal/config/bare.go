package config

import (
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// The variables of sign_in that a backend without a contract may have.
const (
	BareUser     = "user"     // with BarePassword: HTTP Basic
	BarePassword = "password" // with BareUser: HTTP Basic
	BareBearer   = "bearer"   // alone: Authorization: Bearer
)

// bareSignIn checks the sign_in of a backend whose contract, having none, does
// not say which variables it takes. With a contract, who loads that checks.
func (l *loader) bareSignIn(b *Backend, n *yamldoc.Node) {
	known := []string{BareUser, BarePassword, BareBearer}
	for _, e := range entries(n) {
		if slices.Contains(known, e.Key.Text) {
			continue
		}
		d := l.list.Errorf(e.Key.Span, "sign-in", "backend %s has no contract that would know %q in sign_in", b.Name, e.Key.Text)
		d.Help = "known: " + strings.Join(known, ", ")
		if near := diag.Suggest(e.Key.Text, known); near != "" {
			d.Help = "did you mean " + near + "?"
		}
	}
	for _, pair := range [][2]string{{BareUser, BarePassword}, {BarePassword, BareUser}} {
		have, want := n.KeyOf(pair[0]), n.KeyOf(pair[1])
		if have != nil && want == nil {
			l.list.Errorf(have.Span, "sign-in", "%s stands in sign_in without %s", pair[0], pair[1]).
				Help = "write " + pair[1] + ": { secret: NAME }"
		}
	}
	if k := n.KeyOf(BareBearer); k != nil && (n.Get(BareUser) != nil || n.Get(BarePassword) != nil) {
		l.list.Errorf(k.Span, "sign-in", "bearer excludes user and password: both make the header Authorization")
	}
}

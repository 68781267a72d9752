package snapshot

import (
	"reflect"
	"slices"
	"time"

	"github.com/emenda-gateway/emenda/internal/config"
)

// atStart are the settings that a running process keeps as they were when it
// started: its listeners and its store are made of them, and those stay while
// configurations come and go.
var atStart = []setting{
	plain("gateway.listen", func(r *config.Resolved) *string { return &r.Listen }),
	plain("gateway.admin_listen", func(r *config.Resolved) *string { return &r.AdminListen }),
	plain("gateway.admin_token", func(r *config.Resolved) *config.SecretValue { return &r.AdminToken }),
	onOff("gateway.tls", func(r *config.Resolved) **config.ResolvedTLS { return &r.TLS }),
	onOff("gateway.admin_tls", func(r *config.Resolved) **config.ResolvedTLS { return &r.AdminTLS }),
	plain("gateway.data", func(r *config.Resolved) *string { return &r.Data }),
	settingOf("gateway.seal_key", func(r *config.Resolved) *[]config.SecretValue { return &r.SealKeys }, slices.Equal),
	plain("redis.url", func(r *config.Resolved) *config.SecretValue { return &r.RedisURL }),
	plain("orders.database", func(r *config.Resolved) *config.SecretValue { return &r.OrdersURL }),
	plain("gateway.traces", func(r *config.Resolved) *int { return &r.Traces }),
	plain("limits.body", func(r *config.Resolved) *int { return &r.Limits.Body }),
	plain("limits.header", func(r *config.Resolved) *int { return &r.Limits.Header }),
	plain("limits.read_timeout", func(r *config.Resolved) *time.Duration { return &r.Limits.ReadTimeout }),
	plain("limits.idle_timeout", func(r *config.Resolved) *time.Duration { return &r.Limits.IdleTimeout }),
	plain("limits.connections", func(r *config.Resolved) *int { return &r.Limits.Connections }),
}

// setting is one setting, by its name in gateway.yaml.
type setting struct {
	name string
	same func(a, b *config.Resolved) bool
	copy func(to, from *config.Resolved)
}

func plain[T comparable](name string, at func(*config.Resolved) *T) setting {
	return settingOf(name, at, func(a, b T) bool { return a == b })
}

// onOff is a listener's TLS: its files are live, that it has any is not.
func onOff(name string, at func(*config.Resolved) **config.ResolvedTLS) setting {
	return settingOf(name, at, func(a, b *config.ResolvedTLS) bool { return (a == nil) == (b == nil) })
}

func settingOf[T any](name string, at func(*config.Resolved) *T, same func(a, b T) bool) setting {
	return setting{
		name: name,
		same: func(a, b *config.Resolved) bool { return same(*at(a), *at(b)) },
		copy: func(to, from *config.Resolved) { *at(to) = *at(from) },
	}
}

// asStarted gives settings with those that cannot change as they were at the
// start, and the names of those that say otherwise now.
func asStarted(settings, start *config.Resolved) (now *config.Resolved, needsRestart []string) {
	c := *settings
	for _, s := range atStart {
		if !s.same(settings, start) {
			needsRestart = append(needsRestart, s.name)
			s.copy(&c, start)
		}
	}
	return &c, needsRestart
}

// sameSettings tells whether two settings are the same, secrets included. What
// is unset says nothing that the others do not, but where: and files make
// their lines when first asked.
func sameSettings(a, b *config.Resolved) bool {
	x, y := *a, *b
	x.Missing, y.Missing = nil, nil
	if x.Timezone.String() == y.Timezone.String() {
		y.Timezone = x.Timezone
	}
	return reflect.DeepEqual(x, y)
}

package snapshot

import (
	"github.com/emenda-gateway/emenda/internal/config"
	"github.com/emenda-gateway/emenda/internal/openapi"
)

// OpenAPI writes what is offered as an OpenAPI document: in one dialect ("": in
// all), to one caller (nil: to anybody).
func (l *Loaded) OpenAPI(dialect string, caller *config.Caller) *openapi.Document {
	return openapi.Make(openapi.Options{Set: l.Set, Contracts: l.Contracts, Version: l.Hash, Dialect: dialect, Caller: caller})
}

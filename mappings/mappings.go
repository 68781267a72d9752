// Package mappings holds the shipped mappings: dialects, flows, tables,
// contracts and the routes themselves. It is data; gateway.yaml may name a
// folder on disk that replaces all of it.
package mappings

import "embed"

// Files are the shipped files, without test data.
//
//go:embed app contracts dialects flows mvno ozmap sale tables ura ura-sgp
var Files embed.FS

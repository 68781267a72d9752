package config

import (
	"fmt"
	"log/slog"
	"strings"

	"github.com/emenda-gateway/emenda/internal/diag"
)

// Secret refers to a secret: the environment variable Name, or the file that
// Name_FILE names. The zero Secret refers to none.
type Secret struct {
	Name     string
	Optional bool // without it nothing is left out
	At       diag.Span
}

// ReadFile gives the content of a file, as os.ReadFile does.
type ReadFile func(path string) ([]byte, error)

// Resolve gives the secret's value and whether it is set; empty counts as
// unset, and one line break at the end of a file is no part of it. The error
// is that of a file that cannot be read.
func (s Secret) Resolve(env Environment, readFile ReadFile) (value string, set bool, err error) {
	if s.Name == "" {
		return "", false, nil
	}
	if v, ok := env.get(s.Name); ok {
		return v, true, nil
	}
	path, ok := env.get(s.Name + "_FILE")
	if !ok || readFile == nil {
		return "", false, nil
	}
	data, err := readFile(path)
	if err != nil {
		return "", false, fmt.Errorf("the file that %s_FILE names cannot be read: %w", s.Name, err)
	}
	value = strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	return value, value != "", nil
}

// shown is what stands for a secret value wherever values are printed.
const shown = "[secret]"

// SecretValue is a secret's value. However it is printed, logged or encoded,
// only "[secret]" is shown; Reveal gives it.
type SecretValue struct{ v string }

// NewSecretValue wraps a value.
func NewSecretValue(v string) SecretValue { return SecretValue{v} }

// Reveal gives the value itself; "" when it is unset.
func (s SecretValue) Reveal() string { return s.v }

// IsSet tells whether there is a value.
func (s SecretValue) IsSet() bool { return s.v != "" }

// String gives "[secret]".
func (SecretValue) String() string { return shown }

// GoString gives "[secret]".
func (SecretValue) GoString() string { return shown }

// Format writes "[secret]" for every verb: %x would show the bytes else.
func (SecretValue) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(shown)) }

// MarshalJSON gives "[secret]".
func (SecretValue) MarshalJSON() ([]byte, error) { return []byte(`"` + shown + `"`), nil }

// MarshalText gives "[secret]".
func (SecretValue) MarshalText() ([]byte, error) { return []byte(shown), nil }

// LogValue gives "[secret]".
func (SecretValue) LogValue() slog.Value { return slog.StringValue(shown) }

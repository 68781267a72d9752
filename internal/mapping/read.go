package mapping

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// What the shapes have checked already is read leniently here: a node of the
// wrong kind gives the zero value, and has been told of.

func textOf(n *yamldoc.Node) string {
	if n == nil || n.Kind == yamldoc.List || n.Kind == yamldoc.Map {
		return ""
	}
	return n.Text
}

// textsOf reads a list of scalars, or one scalar.
func textsOf(n *yamldoc.Node) []string {
	if n == nil {
		return nil
	}
	if n.Kind != yamldoc.List {
		if t := textOf(n); t != "" {
			return []string{t}
		}
		return nil
	}
	all := make([]string, 0, len(n.Items))
	for _, item := range n.Items {
		all = append(all, textOf(item))
	}
	return all
}

func boolOf(n *yamldoc.Node) bool { return n != nil && n.Kind == yamldoc.Bool && n.Text == "true" }

func intOf(n *yamldoc.Node) (int, bool) {
	if n == nil || n.Kind != yamldoc.Number {
		return 0, false
	}
	i, err := strconv.Atoi(n.Text)
	return i, err == nil
}

// status reads an HTTP status; what is outside 100 to 599 is an error.
func (l *loader) status(n *yamldoc.Node, without int) int {
	if n == nil {
		return without
	}
	s, ok := intOf(n)
	if !ok {
		return without
	}
	if s < 100 || s > 599 {
		l.list.Errorf(n.Span, "status", "status must be from 100 to 599")
		return without
	}
	return s
}

// mediaTypes are the top-level types there are (RFC 6838, RFC 8081).
var mediaTypes = []string{"application", "audio", "font", "image", "message", "model", "multipart", "text", "video"}

// contentType reads a Content-Type: type/subtype and what follows, in one line.
func (l *loader) contentType(n *yamldoc.Node) string {
	t := textOf(n)
	if t == "" {
		return ""
	}
	top, _, ok := strings.Cut(t, "/")
	switch {
	case !ok || strings.ContainsAny(t, "\r\n") || strings.Contains(t, "${"):
		l.list.Errorf(n.Span, "type", "type must be a constant Content-Type, such as application/json")
		return ""
	case !slices.Contains(mediaTypes, strings.ToLower(top)):
		d := l.list.Errorf(n.SpanOf(0, len(top)), "type", "unknown kind of content %s", quoteShort(top))
		d.Help = suggest(top, mediaTypes)
		return ""
	}
	return t
}

// duration reads a duration and refuses zero, which would switch something off.
func (l *loader) duration(n *yamldoc.Node, what string) time.Duration {
	if n == nil {
		return 0
	}
	d, err := yamldoc.ParseDuration(textOf(n))
	if err == nil && d <= 0 {
		l.list.Errorf(n.Span, "duration", "%s must be longer than nothing", what)
	}
	return max(d, 0)
}

package reference

import (
	"strings"

	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// Without gives the text of the file as it would be without the key.
func (u *Use) Without() string {
	text, owner := u.File.File.Text, u.Owner
	at := 0
	for i := range owner.Entries {
		if &owner.Entries[i] == u.Entry {
			at = i
		}
	}
	if len(owner.Entries) == 1 {
		return text[:owner.Span.Start] + "{}" + text[owner.Span.End:]
	}
	start, end := u.Entry.Key.Span.Start, u.Entry.Value.Span.End
	if text[owner.Span.Start] == '{' {
		rest := strings.TrimLeft(text[end:], " \n")
		if strings.HasPrefix(rest, ",") {
			return text[:start] + rest[1:]
		}
		return strings.TrimSuffix(strings.TrimRight(text[:start], " \n"), ",") + " " + rest
	}
	if at < len(owner.Entries)-1 {
		return text[:start] + text[owner.Entries[at+1].Key.Span.Start:]
	}
	return strings.TrimRight(text[:owner.Entries[at-1].Value.Span.End], "\n") + "\n" + strings.TrimLeft(text[end:], "\n")
}

// Otherwise gives the text of the file with the first scalar of the key's value
// replaced by another; "" when there is none.
func (u *Use) Otherwise() string {
	n := firstScalar(u.Entry.Value)
	if n == nil {
		return ""
	}
	text := u.File.File.Text
	other := "otherwise"
	switch n.Kind {
	case yamldoc.Number:
		other = "499"
	case yamldoc.Bool:
		other = map[string]string{"true": "false", "false": "true"}[n.Text]
	}
	return text[:n.Span.Start] + other + text[n.Span.End:]
}

func firstScalar(n *yamldoc.Node) *yamldoc.Node {
	switch n.Kind {
	case yamldoc.List:
		for _, item := range n.Items {
			if s := firstScalar(item); s != nil {
				return s
			}
		}
	case yamldoc.Map:
		for i := range n.Entries {
			if s := firstScalar(n.Entries[i].Value); s != nil {
				return s
			}
		}
	case yamldoc.Text, yamldoc.Number, yamldoc.Bool:
		return n
	}
	return nil
}

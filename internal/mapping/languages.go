package mapping

import (
	"net/http"
	"slices"
	"strings"

	"golang.org/x/text/language"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// Languages are those a dialect's callers may be answered in.
type Languages struct {
	Names []string // as the dialect spells them, the first is the default
	match func(accept string) int
}

// Choose gives the index of the language that an Accept-Language header asks
// for (RFC 9110, 12.5.4), the first one's where it asks for none of them. Of no
// languages it is 0.
func (l *Languages) Choose(accept string) int {
	if l == nil || accept == "" || len(l.Names) < 2 {
		return 0
	}
	return l.match(accept)
}

// Name gives the name of a language; "" of no languages.
func (l *Languages) Name(index int) string {
	if l == nil || index >= len(l.Names) {
		return ""
	}
	return l.Names[index]
}

// longestAccept bounds what is read of an Accept-Language header.
const longestAccept = 500

// languages compiles a dialect's languages.
func (l *loader) languages(n *yamldoc.Node) *Languages {
	if n == nil || n.Kind != yamldoc.List {
		return nil
	}
	out := &Languages{}
	var tags []language.Tag
	for _, item := range n.Items {
		tag, err := language.Parse(item.Text)
		if err != nil {
			l.list.Errorf(item.Span, "language", "%s is no language", quoteShort(item.Text)).Help = "a language is a tag such as pt, es or pt-BR"
			continue
		}
		if slices.Contains(out.Names, item.Text) {
			l.list.Errorf(item.Span, "double", "%s is named twice", item.Text)
			continue
		}
		tags, out.Names = append(tags, tag), append(out.Names, item.Text)
	}
	matcher := language.NewMatcher(tags)
	out.match = func(accept string) int {
		if len(accept) > longestAccept {
			accept = accept[:strings.LastIndexByte(accept[:longestAccept], ',')+1]
		}
		wanted, _, err := language.ParseAcceptLanguage(accept)
		if err != nil || len(wanted) == 0 {
			return 0
		}
		_, index, confidence := matcher.Match(wanted...)
		if confidence == language.No {
			return 0
		}
		return index
	}
	return out
}

// inEach reads a text that is said in each language of a dialect: as it is
// where the dialect has none, else under each language's name.
func (l *loader) inEach(n *yamldoc.Node, langs *Languages, what string) []*yamldoc.Node {
	if langs == nil {
		if n.Kind == yamldoc.Map {
			l.list.Errorf(n.FirstLine(), "language", "%s is one text: the dialect has no languages", what).Help = "a dialect says languages: [pt, es]"
			return nil
		}
		return []*yamldoc.Node{n}
	}
	all := make([]*yamldoc.Node, len(langs.Names))
	if n.Kind != yamldoc.Map {
		l.untranslated(n.FirstLine(), what, langs.Names, langs)
		return nil
	}
	var lacking []string
	for i, name := range langs.Names {
		if all[i] = n.Get(name); all[i] == nil {
			lacking = append(lacking, name)
		}
	}
	if len(lacking) > 0 {
		l.untranslated(n.FirstLine(), what, lacking, langs)
		return nil
	}
	return all
}

func (l *loader) untranslated(at diag.Span, what string, lacking []string, langs *Languages) {
	l.list.Errorf(at, "language", "%s says nothing in %s", what, strings.Join(lacking, " and ")).
		Help = "the dialect speaks " + strings.Join(langs.Names, ", ") + ": write { " + strings.Join(langs.Names, ": …, ") + ": … }"
}

// strangers tells of texts in languages that the dialect does not have.
func (l *loader) strangers(n *yamldoc.Node, langs *Languages) {
	if n.Kind != yamldoc.Map || langs == nil {
		return
	}
	for i := range n.Entries {
		k := n.Entries[i].Key
		if !slices.Contains(langs.Names, k.Text) {
			l.unknown(k.Span, "language", "language", k.Text, langs.Names)
		}
	}
}

// titles gives the titles of a dialect's kinds of failure, in each language.
func (l *loader) titles(d *Dialect, n *yamldoc.Node) {
	if d.Errors == nil {
		return
	}
	said := map[ErrorKind][]string{}
	if n != nil {
		for i := range n.Entries {
			e := &n.Entries[i]
			kind, ok := kindOf(e.Key.Text)
			if !ok {
				l.unknown(e.Key.Span, "unknown-key", "kind of error", e.Key.Text, kindNames[:])
				continue
			}
			l.strangers(e.Value, d.Languages)
			for _, t := range l.inEach(e.Value, d.Languages, "the title of "+e.Key.Text) {
				said[kind] = append(said[kind], t.Text)
			}
		}
	}
	for kind, r := range d.Errors {
		if r == nil {
			continue
		}
		r.Languages, r.Titles = d.Languages, said[ErrorKind(kind)]
		if len(r.Titles) == 0 {
			r.Titles = []string{http.StatusText(r.Status)}
		}
	}
}

// Title gives the title in a language.
func (r *ErrorReply) Title(lang int) string {
	switch {
	case len(r.Titles) == 0:
		return http.StatusText(r.Status)
	case lang < len(r.Titles):
		return r.Titles[lang]
	}
	return r.Titles[0]
}

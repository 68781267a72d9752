package reference

import (
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// longest is how many lines an excerpt may have; what is longer stands in its
// file only, which the table names.
const longest = 14

// excerpt is some lines of a case file: one object with the key it stands under.
type excerpt struct {
	file       *CaseFile
	from, to   int // lines, 1-based, both shown
	keys       []string
	start, end int
}

// excerpts gives few objects of the cases that show the keys of a shape together.
func (p *page) excerpts(s *yamldoc.Shape) []*excerpt {
	if slices.ContainsFunc(FileKinds(), func(k FileKind) bool { return k.Shape.Name == s.Name }) {
		return nil // whole files stand at the head of the page, or in the folder
	}
	byOwner := map[*yamldoc.Node]*excerpt{}
	var all []*excerpt
	var wanted []string
	for i := range s.Keys {
		k := &s.Keys[i]
		for _, u := range p.cov.Keys[KeyID{s.Name, k.Name}] {
			e := byOwner[u.Owner]
			if e == nil {
				e = u.excerpt()
				byOwner[u.Owner] = e
				if e.to-e.from < longest {
					all = append(all, e)
				}
			}
			if !slices.Contains(e.keys, k.Name) {
				e.keys = append(e.keys, k.Name)
			}
			if !slices.Contains(wanted, k.Name) && e.to-e.from < longest {
				wanted = append(wanted, k.Name)
			}
		}
	}
	var chosen []*excerpt
	for len(wanted) > 0 {
		best, most := (*excerpt)(nil), 0.0
		for _, e := range all {
			if gain := float64(len(e.shows(wanted))) / float64(e.to-e.from+3); gain > most {
				best, most = e, gain
			}
		}
		if best == nil {
			break
		}
		shown := best.shows(wanted)
		wanted = slices.DeleteFunc(wanted, func(k string) bool { return slices.Contains(shown, k) })
		if !slices.ContainsFunc(chosen, func(e *excerpt) bool { return e.file == best.file && e.from <= best.from && e.to >= best.to }) {
			chosen = append(chosen, best)
		}
	}
	return needed(chosen)
}

// needed drops excerpts whose keys the others show.
func needed(chosen []*excerpt) []*excerpt {
	for i := 0; i < len(chosen); i++ {
		left := slices.Clone(chosen[i].keys)
		for k, e := range chosen {
			if k != i {
				left = e.lacks(left)
			}
		}
		if len(left) == 0 {
			chosen = slices.Delete(chosen, i, i+1)
			i--
		}
	}
	return chosen
}

// shows gives the keys of wanted that e shows, lacks the others.
func (e *excerpt) shows(wanted []string) []string {
	return slices.DeleteFunc(slices.Clone(wanted), func(k string) bool { return !slices.Contains(e.keys, k) })
}

func (e *excerpt) lacks(wanted []string) []string {
	return slices.DeleteFunc(slices.Clone(wanted), func(k string) bool { return slices.Contains(e.keys, k) })
}

func (u *Use) excerpt() *excerpt {
	start, end := u.Owner.Span.Start, u.Owner.Span.End
	if u.Name != nil && u.Name.Span.Start < start {
		start = u.Name.Span.Start
	}
	end = start + len(strings.TrimRight(u.File.File.Text[start:end], "\n "))
	e := &excerpt{file: u.File, start: start, end: end}
	e.from, _ = u.File.File.Position(start)
	e.to, _ = u.File.File.Position(max(end-1, start))
	return e
}

// text gives the lines, moved to the left.
func (e *excerpt) text() string {
	lines := strings.Split(e.file.File.Text, "\n")[e.from-1 : e.to]
	indent := len(lines[0])
	for _, l := range lines {
		if t := strings.TrimLeft(l, " "); t != "" {
			indent = min(indent, len(l)-len(t))
		}
	}
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(strings.TrimRight(l[min(indent, len(l)):], " "))
		b.WriteByte('\n')
	}
	return b.String()
}

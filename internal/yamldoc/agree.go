package yamldoc

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The reader of this package exists because no library keeps the place of
// every character inside quoted, folded and block scalars, nor says what an
// author's # or : has cut short. What a file means is nevertheless the
// library's to decide: a document that it reads in another way, or not at all,
// is refused.

// agree holds what was read against the library's reading.
func (p *parser) agree(root *Node) {
	var theirs yaml.Node
	if err := yaml.Unmarshal([]byte(p.src), &theirs); err != nil {
		what := strings.TrimPrefix(err.Error(), "yaml: ")
		p.list.Errorf(p.span(0, 0), ruleAgree, "this is no YAML that everybody reads alike: %s", what)
		return
	}
	if theirs.Kind == 0 { // an empty document
		if root.Kind != Null {
			p.disagree(root)
		}
		return
	}
	if at := differs(root, theirs.Content[0]); at != nil {
		p.disagree(at)
	}
}

// ruleAgree is the rule of what the library reads in another way.
const ruleAgree = "yaml-ambiguous"

func (p *parser) disagree(n *Node) {
	p.list.Errorf(n.FirstLine(), ruleAgree, "YAML readers do not agree on what this is").
		Help = "write it more plainly, texts in double quotes"
}

// kinds are what the library calls our kinds.
var kinds = map[yaml.Kind][]Kind{
	yaml.MappingNode:  {Map},
	yaml.SequenceNode: {List},
	yaml.ScalarNode:   {Null, Bool, Number, Text},
}

// differs finds the first node that the library reads in another way.
func differs(ours *Node, theirs *yaml.Node) *Node {
	if !slices.Contains(kinds[theirs.Kind], ours.Kind) {
		return ours
	}
	switch ours.Kind {
	case List:
		if len(ours.Items) != len(theirs.Content) {
			return ours
		}
		for i, item := range ours.Items {
			if at := differs(item, theirs.Content[i]); at != nil {
				return at
			}
		}
	case Map:
		if 2*len(ours.Entries) != len(theirs.Content) {
			return ours
		}
		for i := range ours.Entries {
			if ours.Entries[i].Key.Text != theirs.Content[2*i].Value {
				return ours.Entries[i].Key
			}
			if at := differs(ours.Entries[i].Value, theirs.Content[2*i+1]); at != nil {
				return at
			}
		}
	case Null:
		if theirs.Value != "" && theirs.Value != "~" && !strings.EqualFold(theirs.Value, "null") {
			return ours
		}
	default:
		if ours.Text != theirs.Value {
			return ours
		}
	}
	return nil
}

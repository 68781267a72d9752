package contract

import "strings"

// Path gives the operation's path as the contract spells it, with its
// {parameters}: "/ws/customers/{id}".
func (o *Operation) Path() string {
	var b strings.Builder
	for _, s := range o.path {
		if s.param >= 0 || s.name != "" {
			b.WriteString("{" + s.name + "}")
			continue
		}
		b.WriteString(s.text)
	}
	return b.String()
}

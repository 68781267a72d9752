package expr

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What is deleted before a value goes anywhere may be secret, at its very
// path and nowhere else; a list of what holds secrets may be gone through,
// each element being looked at where it goes.
func TestSecretsThatStay(t *testing.T) {
	w := newWorld(t)
	secret := func() *Type { return &Type{Kind: TextType, Secret: true} }
	card := object("id", integerType, "pin", secret(), "sub", object("key", secret(), "name", textType))
	w.step(t, "card", card, false, "")
	w.step(t, "cards", &Type{Kind: ListType, Elem: card}, false, "")
	w.step(t, "in_list", object("cards", &Type{Kind: ListType, Elem: card}), false, "")
	w.step(t, "hidden", &Type{Kind: ListType, Elem: object("id", integerType), Secret: true}, false, "")
	for _, c := range []struct {
		source, deleted string
		want            string // the first message; "" for none
	}{
		{"${card}", "pin sub.key", ""},
		{"${card}", "pin sub", ""},
		{"${card}", "", "card holds what is secret (pin) and may not stand in the reply"},
		{"${card}", "pin", "card holds what is secret (sub.key) and may not stand in the reply"},
		{"${card}", "pin key", "card holds what is secret (sub.key) and may not stand in the reply"},
		{"${card}", "pin.x sub.key", "card holds what is secret (pin) and may not stand in the reply"},
		{"${card}", "card.pin sub.key", "card holds what is secret (pin) and may not stand in the reply"},
		{"${card.pin}", "pin", "card.pin is secret and may not stand in the reply"},
		{"{ card: '${card}' }", "pin sub.key", "card holds what is secret (pin) and may not stand in card in the reply"},
		{"{ pin: '${card.pin}' }", "pin", "card.pin is secret and may not stand in pin in the reply"},
		{"${cards}", "#.pin #.sub.key", ""},
		{"${cards}", "pin sub.key", "cards holds what is secret (pin) and may not stand in the reply"},
		{"${cards}", "0.pin 0.sub.key", "cards holds what is secret (pin) and may not stand in the reply"},
		{"${in_list}", "cards.#.pin cards.#.sub", ""},
		{"${in_list}", "cards", ""},
		{"${in_list}", "cards.pin cards.sub", "in_list holds what is secret (cards.pin) and may not stand in the reply"},
		{"{ $each: '${cards}', $as: e, $item: '${e.id}' }", "", ""},
		{"{ $each: '${cards}', $as: e, $item: { name: '${e.sub.name}' } }", "", ""},
		{"{ $each: '${cards}', $as: e, $item: '${e.pin}' }", "", "e.pin is secret and may not stand in [] in the reply"},
		{"{ $each: '${cards}', $as: e, $item: '${e}' }", "", "e holds what is secret (pin) and may not stand in [] in the reply"},
		{"{ $each: '${cards}', $as: e, $item: { a: '${e.sub}' } }", "", "e.sub holds what is secret (key) and may not stand in [].a in the reply"},
		{"{ $each: '${map(cards, .pin)}', $as: e, $item: '${e}' }", "", "map(cards, .pin) is secret and may not stand in $each"},
		{"{ $each: '${filter(cards, .id > 1)}', $as: e, $item: '${e.pin}' }", "", "e.pin is secret and may not stand in [] in the reply"},
		{"{ $each: '${hidden}', $as: e, $item: '${e.id}' }", "", "hidden is secret and may not stand in $each"},
		{"{ $each: '${[card]}', $as: e, $item: '${e.id}' }", "", "[card] is secret and may not stand in $each"},
	} {
		t.Run(c.source+" less "+c.deleted, func(t *testing.T) {
			_, diags := CompileTemplate(yaml(t, "x: "+c.source), w.scope, Target{What: "the reply", Deleted: strings.Fields(c.deleted)})
			if c.want == "" {
				require.Empty(t, diags.Text())
				return
			}
			require.NotEmpty(t, diags)
			require.Equal(t, c.want, diags[0].Message)
		})
	}
}

package expr

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func testTargets() map[string]Target {
	body := object("id", &Field{Type: integerType, Required: true}, "name", &Field{Type: textType, Required: true},
		"on", boolType, "amount", numberType, "kind", &Type{Kind: TextType, Enum: []string{"A", "B"}},
		"sub", object("a", &Field{Type: textType, Required: true}), "nums", &Type{Kind: ListType, Elem: numberType},
		"null", textType.Nullable(), "pw", &Type{Kind: TextType, Secret: true},
		"lines", &Type{Kind: ListType, Elem: object("id", textType)})
	return map[string]Target{
		"":        {},
		"body":    {Type: body, What: "body of erp.contract.data"},
		"sign_in": {Type: body, What: "sign_in of erp", Secrets: true},
		"let":     {Optional: true},
	}
}

func TestTemplateMessages(t *testing.T) {
	tests := []struct{ source, target, want string }{
		{`{ id: 1, name: a }`, "body", ``},
		{`{ idd: 1, name: a }`, "body", `
m.yaml:1:6: body of erp.contract.data has no field "idd"
    1 | x: { idd: 1, name: a }
      |      ^^^
      = did you mean id?
`},
		{`{ }`, "body", `
m.yaml:1:4: body of erp.contract.data needs the fields id, name
    1 | x: { }
      |    ^^^
`},
		{`{ id: '${input.maybe}', name: '${?input.email}' }`, "body", `
m.yaml:1:13: input.maybe may have no value; write ${?…} to drop the key, or supply one with ??
    1 | x: { id: '${input.maybe}', name: '${?input.email}' }
      |             ^^^^^^^^^^^
m.yaml:1:34: name in body of erp.contract.data must be given, and this may have no value
    1 | x: { id: '${input.maybe}', name: '${?input.email}' }
      |                                  ^^^^^^^^^^^^^^^^^
      = supply one with ??
`},
		{`{ id: '${input.on}', name: '${input.on}' }`, "body", `
m.yaml:1:13: id in body of erp.contract.data is a whole number, and input.on is true or false
    1 | x: { id: '${input.on}', name: '${input.on}' }
      |             ^^^^^^^^
m.yaml:1:34: name in body of erp.contract.data is text, and input.on is true or false
    1 | x: { id: '${input.on}', name: '${input.on}' }
      |                                  ^^^^^^^^
`},
		{`{ id: '${input.name}', name: '${input.id}', amount: '12', kind: C, sub: { b: 1 } }`, "body", `
m.yaml:1:68: kind in body of erp.contract.data is one of A, B
    1 | x: { id: '${input.name}', name: '${input.id}', amount: '12', kind: C, sub: { b: 1 } }
      |                                                                    ^
m.yaml:1:76: sub in body of erp.contract.data needs the field a
    1 | x: { id: '${input.name}', name: '${input.id}', amount: '12', kind: C, sub: { b: 1 } }
      |                                                                            ^^^^^^^^
m.yaml:1:78: sub in body of erp.contract.data has no field "b"
    1 | x: { id: '${input.name}', name: '${input.id}', amount: '12', kind: C, sub: { b: 1 } }
      |                                                                              ^
`},
		{`{ id: 1.5, name: 12, amount: abc, on: '${input.any ?? 1}' }`, "body", `
m.yaml:1:10: id in body of erp.contract.data is a whole number
    1 | x: { id: 1.5, name: 12, amount: abc, on: '${input.any ?? 1}' }
      |          ^^^
m.yaml:1:33: amount in body of erp.contract.data is a number, and this is text
    1 | x: { id: 1.5, name: 12, amount: abc, on: '${input.any ?? 1}' }
      |                                 ^^^
`},
		{`{ id: 1, name: a, nums: '${input.lines}', lines: '${input.lines}' }`, "body", `
m.yaml:1:31: nums[] in body of erp.contract.data is a number, and in input.lines it is an object
    1 | x: { id: 1, name: a, nums: '${input.lines}', lines: '${input.lines}' }
      |                               ^^^^^^^^^^^
      = what is copied whole is not converted; build it field by field
m.yaml:1:56: lines[].id in body of erp.contract.data is text, and in input.lines it is a whole number
    1 | x: { id: 1, name: a, nums: '${input.lines}', lines: '${input.lines}' }
      |                                                        ^^^^^^^^^^^
      = what is copied whole is not converted; build it field by field
m.yaml:1:56: lines[] in body of erp.contract.data has no field "value", which input.lines brings
    1 | x: { id: 1, name: a, nums: '${input.lines}', lines: '${input.lines}' }
      |                                                        ^^^^^^^^^^^
      = build it field by field
m.yaml:1:56: lines[] in body of erp.contract.data has no field "type", which input.lines brings
    1 | x: { id: 1, name: a, nums: '${input.lines}', lines: '${input.lines}' }
      |                                                        ^^^^^^^^^^^
      = build it field by field
m.yaml:1:56: lines[] in body of erp.contract.data has no field "end", which input.lines brings
    1 | x: { id: 1, name: a, nums: '${input.lines}', lines: '${input.lines}' }
      |                                                        ^^^^^^^^^^^
      = build it field by field
`},
		{`{ id: 1, name: '${input.email ?? null}', null: '${input.email ?? null}' }`, "body", `
m.yaml:1:20: name in body of erp.contract.data does not take null
    1 | x: { id: 1, name: '${input.email ?? null}', null: '${input.email ?? null}' }
      |                    ^^^^^^^^^^^^^^^^^^^^^^
`},
		{`{ id: 1, name: null }`, "body", `
m.yaml:1:19: name in body of erp.contract.data does not take null
    1 | x: { id: 1, name: null }
      |                   ^^^^
`},
		{`{ id: 1, name: '${input.password}', pw: '${input.password}' }`, "body", `
m.yaml:1:22: input.password is secret and may not stand in name in body of erp.contract.data
    1 | x: { id: 1, name: '${input.password}', pw: '${input.password}' }
      |                      ^^^^^^^^^^^^^^
m.yaml:1:47: input.password is secret and may not stand in pw in body of erp.contract.data
    1 | x: { id: 1, name: '${input.password}', pw: '${input.password}' }
      |                                               ^^^^^^^^^^^^^^
`},
		{`{ id: 1, name: n, pw: '${input.password}' }`, "sign_in", ``},
		{`{ id: 1, name: '${input.password}' }`, "sign_in", `
m.yaml:1:22: input.password is secret and may not stand in name in sign_in of erp
    1 | x: { id: 1, name: '${input.password}' }
      |                      ^^^^^^^^^^^^^^
`},
		{`{ id: 1, name: 'a ${input.password}' }`, "body", `
m.yaml:1:24: input.password is secret and may not stand in name in body of erp.contract.data
    1 | x: { id: 1, name: 'a ${input.password}' }
      |                        ^^^^^^^^^^^^^^
`},
		{`{ id: 1, name: '${upper(input.password)}' }`, "sign_in", `
m.yaml:1:22: upper(input.password) is secret and may not stand in name in sign_in of erp
    1 | x: { id: 1, name: '${upper(input.password)}' }
      |                      ^^^^^^^^^^^^^^^^^^^^^
`},
		{`{ $merge: [ { id: 1 }, { nme: a } ] }`, "body", `
m.yaml:1:14: body of erp.contract.data needs the field name
    1 | x: { $merge: [ { id: 1 }, { nme: a } ] }
      |              ^^^^^^^^^^^^^^^^^^^^^^^^^
m.yaml:1:29: body of erp.contract.data has no field "nme"
    1 | x: { $merge: [ { id: 1 }, { nme: a } ] }
      |                             ^^^
      = did you mean name?
`},
		{`{ $merge: [ { id: 1 }, { name: '${?input.email}' } ] }`, "body", `
m.yaml:1:14: name in body of erp.contract.data must be given, and this may have no value
    1 | x: { $merge: [ { id: 1 }, { name: '${?input.email}' } ] }
      |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      = supply one with ??
`},
		{`[1]`, "body", `
m.yaml:1:4: body of erp.contract.data is an object, and this is a list
    1 | x: [1]
      |    ^^^
`},
		{`text`, "body", `
m.yaml:1:4: body of erp.contract.data is an object, and this is text
    1 | x: text
      |    ^^^^
`},
		{`${input}`, "", `
m.yaml:1:6: input holds what is secret (password) and may not stand in the value
    1 | x: ${input}
      |      ^^^^^
      = name the fields to be sent
`},
		{`${input.email}`, "", `
m.yaml:1:6: input.email may have no value; supply one with ??
    1 | x: ${input.email}
      |      ^^^^^^^^^^^
`},
		{`{ a: '${input.email}' }`, "", `
m.yaml:1:12: input.email may have no value; write ${?…} to drop the key, or supply one with ??
    1 | x: { a: '${input.email}' }
      |            ^^^^^^^^^^^
`},
		{`[ '${input.email}' ]`, "", `
m.yaml:1:9: input.email may have no value; write ${?…} to drop the element, or supply one with ??
    1 | x: [ '${input.email}' ]
      |         ^^^^^^^^^^^
`},
		{`${?input.email}`, "", `
m.yaml:1:4: the value must be given; ${?…} has no key or element to drop here
    1 | x: ${?input.email}
      |    ^^^^^^^^^^^^^^^
      = write ${…} with a value by ??
`},
		{`${?input.email}`, "let", ``},
		{`${input.email}`, "let", ``},
		{`'a ${?input.email}'`, "", `
m.yaml:1:7: ${?…} stands alone, not inside text
    1 | x: 'a ${?input.email}'
      |       ^^^^^^^^^^^^^^^
      = write ${input.email ?? ""}
`},
		{`'a ${input.email}'`, "", `
m.yaml:1:9: input.email may have no value; supply one with ??
    1 | x: 'a ${input.email}'
      |         ^^^^^^^^^^^
`},
		{`'a ${input.nums}'`, "", `
m.yaml:1:9: inside text only text, numbers and true or false may stand, and input.nums is a list of number
    1 | x: 'a ${input.nums}'
      |         ^^^^^^^^^^
`},
		{`{ $each: '${input.nums}', $as: input, $item: 1 }`, "", `
m.yaml:1:35: the name input is already taken by a name of the language
    1 | x: { $each: '${input.nums}', $as: input, $item: 1 }
      |                                   ^^^^^
`},
		{`{ $each: '${input.nums}', $as: a-b, $item: 1 }`, "", `
m.yaml:1:35: the name "a-b" cannot stand in an expression: use letters, digits and _, beginning with a letter
    1 | x: { $each: '${input.nums}', $as: a-b, $item: 1 }
      |                                   ^^^
`},
		{`{ $each: '${input.nums}', $as: trim, $item: 1 }`, "", `
m.yaml:1:35: the name trim is already taken by a function
    1 | x: { $each: '${input.nums}', $as: trim, $item: 1 }
      |                                   ^^^^
`},
		{`{ $each: '${input.id}', $as: l, $item: 1 }`, "", `
m.yaml:1:13: $each takes lists, and this is a whole number
    1 | x: { $each: '${input.id}', $as: l, $item: 1 }
      |             ^^^^^^^^^^^^^
      = list(x) makes a list of one or none
`},
		{`{ $each: '${input.lines}', $as: l, $item: '${l.end}' }`, "", `
m.yaml:1:49: l.end may have no value; write ${?…} to drop the element, or supply one with ??
    1 | x: { $each: '${input.lines}', $as: l, $item: '${l.end}' }
      |                                                 ^^^^^
`},
		{`{ $each: '${input.lines}', $as: l, $if: '${l.end != nil}', $item: '${l.end}' }`, "", ``},
		{`{ $each: '${input.nums}', $item: 1, $iff: 2 }`, "", `
m.yaml:1:6: $each needs $as beside it
    1 | x: { $each: '${input.nums}', $item: 1, $iff: 2 }
      |      ^^^^^
      = $each goes with $as and $item, and may have $if
m.yaml:1:40: "$iff" has no place beside $each
    1 | x: { $each: '${input.nums}', $item: 1, $iff: 2 }
      |                                        ^^^^
      = did you mean $if?
`},
		{`{ $then: 1 }`, "", `
m.yaml:1:6: $then stands beside $each or $if only
    1 | x: { $then: 1 }
      |      ^^^^^
`},
		{`{ $eech: 1 }`, "", `
m.yaml:1:6: unknown key "$eech"
    1 | x: { $eech: 1 }
      |      ^^^^^
      = did you mean $each?
`},
		{`{ a: { $if: input.on, $then: 1 } }`, "", `
m.yaml:1:16: $if takes one ${…} that is true or false
    1 | x: { a: { $if: input.on, $then: 1 } }
      |                ^^^^^^^^
`},
		{`{ $if: '${input.on}', $then: 1 }`, "", `
m.yaml:1:6: the value must be given; $if without $else may give none
    1 | x: { $if: '${input.on}', $then: 1 }
      |      ^^^
      = add $else
`},
		{`{ a: { $if: '${input.email != nil}', $then: '${input.email}', $else: '${input.email}' } }`, "", `
m.yaml:1:76: input.email may have no value; write ${?…} to drop the key, or supply one with ??
    1 | x: { a: { $if: '${input.email != nil}', $then: '${input.email}', $else: '${input.email}' } }
      |                                                                            ^^^^^^^^^^^
`},
		{`{ $concat: ['${input.id}', '${input.nums}'] }`, "", `
m.yaml:1:16: $concat takes lists, and this is a whole number
    1 | x: { $concat: ['${input.id}', '${input.nums}'] }
      |                ^^^^^^^^^^^^^
      = list(x) makes a list of one or none
`},
		{`{ $concat: 1 }`, "", `
m.yaml:1:15: $concat takes a list of lists
    1 | x: { $concat: 1 }
      |               ^
`},
		{`{ $merge: ['${input.id}'] }`, "", `
m.yaml:1:15: $merge takes objects, and this is a whole number
    1 | x: { $merge: ['${input.id}'] }
      |               ^^^^^^^^^^^^^
`},
		{`{ $merge: '${input.id}' }`, "", `
m.yaml:1:14: $merge takes a list of objects
    1 | x: { $merge: '${input.id}' }
      |              ^^^^^^^^^^^^^
`},
		{`'a ${input.id'`, "", `
m.yaml:1:7: ${ is not closed by }
    1 | x: 'a ${input.id'
      |       ^^
`},
		{``, "", `
m.yaml:1:3: there is no value
    1 | x: 
      |   ^
      = write null to send null, "" for empty text
`},
		{`{ '${input.id}': 1 }`, "", `
m.yaml:1:6: keys are literal: ${…} has no place in one
    1 | x: { '${input.id}': 1 }
      |      ^^^^^^^^^^^^^
`},
		{`${}`, "", `
m.yaml:1:6: the expression is empty
    1 | x: ${}
      |      ^
`},
		{`${client.guess}`, "", ``},
		{`{ c: '${client.status}', d: '${extra.name}', e: '${nil}' }`, "", `
m.yaml:1:12: client.status may have no value; write ${?…} to drop the key, or supply one with ??
    1 | x: { c: '${client.status}', d: '${extra.name}', e: '${nil}' }
      |            ^^^^^^^^^^^^^
m.yaml:1:35: step extra may have no body here (it may be skipped); use ?. or name steps.extra.state in when
    1 | x: { c: '${client.status}', d: '${extra.name}', e: '${nil}' }
      |                                   ^^^^^
m.yaml:1:55: nil has no value
    1 | x: { c: '${client.status}', d: '${extra.name}', e: '${nil}' }
      |                                                       ^^^
      = null sends null
`},
	}
	w := newWorld(t)
	targets := testTargets()
	for _, test := range tests {
		t.Run(test.target+" "+test.source, func(t *testing.T) {
			_, diags := CompileTemplate(yaml(t, "x: "+test.source), w.scope, targets[test.target])
			require.Equal(t, test.want, pinned(diags))
		})
	}
}

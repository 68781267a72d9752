package expr

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/diag"
)

// pinned renders diagnostics as the tables below spell them: nothing, or a line break and the text.
func pinned(d diag.List) string {
	if d.Sort(); len(d) == 0 {
		return ""
	}
	return "\n" + d.Text()
}

// conditionTest is a condition and what is said of it.
type conditionTest struct{ source, want string }

func testConditions(t *testing.T, tests []conditionTest) {
	t.Helper()
	w := newWorld(t)
	for _, test := range tests {
		t.Run(test.source, func(t *testing.T) {
			_, diags := CompileCondition(yaml(t, "x: "+test.source), w.scope)
			require.Equal(t, test.want, pinned(diags))
		})
	}
}

func TestConditionMessages(t *testing.T) {
	testConditions(t, []conditionTest{
		{`input.nam == "x"`, `
m.yaml:1:10: input has no field "nam"
    1 | x: input.nam == "x"
      |          ^^^
      = did you mean name?
`},
		{`clint.name == "a"`, `
m.yaml:1:4: unknown name "clint"
    1 | x: clint.name == "a"
      |    ^^^^^
      = did you mean client?
`},
		{`client.nme == "x"`, `
m.yaml:1:11: erp.client.data answers with no field "nme"
    1 | x: client.nme == "x"
      |           ^^^
      = did you mean name?
`},
		{`client.found and client.nme == "x"`, `
m.yaml:1:28: erp.client.data answers with no field "nme"
    1 | x: client.found and client.nme == "x"
      |                            ^^^
      = did you mean name?
`},
		{`input.id == "5"`, `
m.yaml:1:4: a whole number is compared with text
    1 | x: input.id == "5"
      |    ^^^^^^^^^^^^^^^
      = write the number without quotes: 5
`},
		{`input.id + "a" == "b"`, `
m.yaml:1:4: text is added to a whole number
    1 | x: input.id + "a" == "b"
      |    ^^^^^^^^^^^^^^
      = write ${…}${…}, or text(input.id)
`},
		{`input.nums + input.nums == input.nums`, `
m.yaml:1:4: lists are not added
    1 | x: input.nums + input.nums == input.nums
      |    ^^^^^^^^^^^^^^^^^^^^^^^
      = join them with $concat
`},
		{`input.email + "a" == "b"`, `
m.yaml:1:4: input.email may have no value; supply one with ??, or test it first
    1 | x: input.email + "a" == "b"
      |    ^^^^^^^^^^^
`},
		{`input.box.a == 1`, `
m.yaml:1:4: input.box may have no value; write input.box?.a, or test it first
    1 | x: input.box.a == 1
      |    ^^^^^^^^^
`},
		{`input.box?.a == 1`, ``},
		{`input.box != nil and input.box.a == 1`, ``},
		{`nil != input.box and input.box.a == 1`, ``},
		{`not (input.box == nil) and input.box.a == 1`, ``},
		{`input.box == nil or input.box.a == 1`, ``},
		{`'input.box == nil ? false : input.box.a == 1'`, ``},
		{`input.box == nil and input.box.a == 1`, `
m.yaml:1:25: input.box may have no value; write input.box?.a, or test it first
    1 | x: input.box == nil and input.box.a == 1
      |                         ^^^^^^^^^
`},
		{`(input.box?.a ?? 0) == 1 and input.box.a == 1`, `
m.yaml:1:33: input.box may have no value; write input.box?.a, or test it first
    1 | x: (input.box?.a ?? 0) == 1 and input.box.a == 1
      |                                 ^^^^^^^^^
`},
		{`input.box?.a == 5 and input.box.a > 1`, ``},
		{`has(input.box, "a") and input.box.a > 1`, ``},
		{`(input.flag ?? false) and input.flag`, ``},
		{`(input.flag ?? true) or input.flag`, ``},
		{`filled(input.email) != nil and len(input.email) > 1`, ``},
		{`input.maybe in [1, 2] and input.maybe > 1`, ``},
		{`input.flag`, `
m.yaml:1:4: input.flag may have no value; write (input.flag) ?? false, or test it first
    1 | x: input.flag
      |    ^^^^^^^^^^
`},
		{`input.id`, `
m.yaml:1:4: a condition is true or false, and this is a whole number
    1 | x: input.id
      |    ^^^^^^^^
      = write input.id != nil
`},
		{`input.nums`, `
m.yaml:1:4: a condition is true or false, and this is a list of number
    1 | x: input.nums
      |    ^^^^^^^^^^
      = write len(input.nums) > 0
`},
		{`input.any?.x`, `
m.yaml:1:4: input.any?.x may have no value; supply one with ??, or test it first
    1 | x: input.any?.x
      |    ^^^^^^^^^^^^
`},
		{`steps.extra.state == "okk"`, `
m.yaml:1:25: "okk" is never the case; it is one of ok, refused, failed, unknown, skipped
    1 | x: steps.extra.state == "okk"
      |                         ^^^^^
      = did you mean "ok"?
`},
		{`extra.found`, `
m.yaml:1:4: step extra may have no body here (it may be skipped); use ?. or name steps.extra.state in when
    1 | x: extra.found
      |    ^^^^^
`},
		{`extra?.found ?? false`, ``},
		{`steps.extra.state == "ok" and extra.found`, ``},
		{`'"ok" == steps.extra.state and extra.found'`, ``},
		{`steps.extra.state != "ok" or extra.found`, ``},
		{`steps.extra.state in ["ok"] and extra.found`, ``},
		{`steps.extra.state in ["ok","refused"] and extra.found`, `
m.yaml:1:46: step extra may have no body here (it may be skipped); use ?. or name steps.extra.state in when
    1 | x: steps.extra.state in ["ok","refused"] and extra.found
      |                                              ^^^^^
`},
		{`steps.extra.state in ["good"]`, `
m.yaml:1:26: "good" is never the case; it is one of ok, refused, failed, unknown, skipped
    1 | x: steps.extra.state in ["good"]
      |                          ^^^^^^
`},
		{`any(input.lines, any(input.nums, .value > 1))`, `
m.yaml:1:38: the element is a number and has no field "value"
    1 | x: any(input.lines, any(input.nums, .value > 1))
      |                                      ^^^^^
      = .value and # mean the innermost element only; name the outer one with $as
`},
		{`'any(input.lines, any([{"a": 1}], .value > 1))'`, `
m.yaml:1:39: the element has no field "value"
    1 | x: 'any(input.lines, any([{"a": 1}], .value > 1))'
      |                                       ^^^^^
      = .value and # mean the innermost element only; name the outer one with $as
`},
		{`any(input.lines, .valeu > 1)`, `
m.yaml:1:22: the element has no field "valeu"
    1 | x: any(input.lines, .valeu > 1)
      |                      ^^^^^
      = did you mean value?
`},
		{`any(input.lines, .end.x == "a")`, `
m.yaml:1:21: .end may have no value; write .end?.x, or test it first
    1 | x: any(input.lines, .end.x == "a")
      |                     ^^^^
m.yaml:1:26: .end is text and has no field "x"
    1 | x: any(input.lines, .end.x == "a")
      |                          ^
`},
		{`any(input.id, true)`, `
m.yaml:1:8: any needs a list, and input.id is a whole number
    1 | x: any(input.id, true)
      |        ^^^^^^^^
      = list(input.id) makes a list of it
`},
		{`count(input.nums) > 1`, `
m.yaml:1:4: count is called with 1 argument
    1 | x: count(input.nums) > 1
      |    ^^^^^^^^^^^^^^^^^
      = len(list) counts all
`},
		{`first(input.nums, true) == 1`, `
m.yaml:1:4: first is called with 2 arguments
    1 | x: first(input.nums, true) == 1
      |    ^^^^^^^^^^^^^^^^^^^^^^^
      = find(list, condition) gives the first that fits
`},
		{`filter(input.nums) == []`, `
m.yaml:1:21: an argument is missing
    1 | x: filter(input.nums) == []
      |                     ^
`},
		{`tex(input.id) == "1"`, `
m.yaml:1:4: unknown function "tex"
    1 | x: tex(input.id) == "1"
      |    ^^^
      = did you mean text?
`},
		{`trim(input.id) == "1"`, `
m.yaml:1:9: trim needs text, and input.id is a whole number
    1 | x: trim(input.id) == "1"
      |         ^^^^^^^^
      = text(input.id) makes text of the number
`},
		{`trim() == "1"`, `
m.yaml:1:4: trim(text) is called with no argument
    1 | x: trim() == "1"
      |    ^^^^^^
`},
		{`trim(input.email) == "1"`, ``},
		{`has(input.box, input.name)`, `
m.yaml:1:19: has needs a literal text for field
    1 | x: has(input.box, input.name)
      |                   ^^^^^^^^^^
`},
		{`text(null) == "a"`, `
m.yaml:1:9: null is only sent, never given to a function
    1 | x: text(null) == "a"
      |         ^^^^
      = write nil
`},
		{`trim == "a"`, `
m.yaml:1:4: trim is a function; write trim(…)
    1 | x: trim == "a"
      |    ^^^^
`},
		{`input.lines.id == 1`, `
m.yaml:1:16: input.lines is a list and has no field "id"
    1 | x: input.lines.id == 1
      |                ^^
      = name an element: input.lines[0].id, or all: map(input.lines, .id)
`},
		{`input.name.x == 1`, `
m.yaml:1:15: input.name is text and has no field "x"
    1 | x: input.name.x == 1
      |               ^
`},
		{`input.name[0] == "a"`, `
m.yaml:1:4: input.name is text and has no elements
    1 | x: input.name[0] == "a"
      |    ^^^^^^^^^^
`},
		{`'input.nums["a"] == 1'`, `
m.yaml:1:16: input.nums is a list and has no field "a"
    1 | x: 'input.nums["a"] == 1'
      |                ^^^
      = name an element: input.nums[0].a, or all: map(input.nums, .a)
`},
		{`input.nums[1.5] == 1`, `
m.yaml:1:15: an element is named by a whole number
    1 | x: input.nums[1.5] == 1
      |               ^^^
`},
		{`first(input.lines).id == 1`, `
m.yaml:1:4: first(input.lines) may have no value; write first(input.lines)?.id, or test it first
    1 | x: first(input.lines).id == 1
      |    ^^^^^^^^^^^^^^^^^^
`},
		{`input.lines[0].end contains "x"`, `
m.yaml:1:4: input.lines[0] may have no value; write input.lines[0]?.end, or test it first
    1 | x: input.lines[0].end contains "x"
      |    ^^^^^^^^^^^^^^
m.yaml:1:4: input.lines[0].end may have no value; supply one with ??, or test it first
    1 | x: input.lines[0].end contains "x"
      |    ^^^^^^^^^^^^^^^^^^
`},
		{`input.any.x == 1`, `
m.yaml:1:4: input.any may have no value; write input.any?.x, or test it first
    1 | x: input.any.x == 1
      |    ^^^^^^^^^
`},
		{`order.id == 1`, `
m.yaml:1:4: order is there only in durable mappings
    1 | x: order.id == 1
      |    ^^^^^
`},
		{`steps.x.state == "ok"`, `
m.yaml:1:10: steps has no member "x"
    1 | x: steps.x.state == "ok"
      |          ^
`},
		{`steps == 1`, `
m.yaml:1:4: steps has no value of its own
    1 | x: steps == 1
      |    ^^^^^
      = name a member: steps.client
`},
		{`input.on == null`, `
m.yaml:1:16: null is only sent, never compared
    1 | x: input.on == null
      |                ^^^^
      = write == nil
`},
		{`input.id > "a"`, `
m.yaml:1:4: a whole number is compared with text
    1 | x: input.id > "a"
      |    ^^^^^^^^^^^^^^
      = text(input.id) makes text of the number
`},
		{`input.on > true`, `
m.yaml:1:4: > orders numbers or texts, and input.on is true or false
    1 | x: input.on > true
      |    ^^^^^^^^
`},
		{`input.name matches "a**"`, `
m.yaml:1:23: the regular expression cannot be read: invalid nested repetition operator: "**"
    1 | x: input.name matches "a**"
      |                       ^^^^^
`},
		{`input.name matches input.name`, `
m.yaml:1:23: matches takes a literal regular expression
    1 | x: input.name matches input.name
      |                       ^^^^^^^^^^
`},
		{`'input.on ? 1 : 2'`, `
m.yaml:1:5: a condition is true or false, and this is a whole number
    1 | x: 'input.on ? 1 : 2'
      |     ^^^^^^^^^^^^^^^^
`},
		{`'"a" in input.free'`, `
m.yaml:1:12: in looks into lists, and input.free is an object
    1 | x: '"a" in input.free'
      |            ^^^^^^^^^^
      = write has(x, "field")
`},
		{`input.nums contains 1`, `
m.yaml:1:4: contains needs text, and input.nums is a list of number
    1 | x: input.nums contains 1
      |    ^^^^^^^^^^
      = write 1 in input.nums
`},
		{`len(fliter(input.tags, .x == 1)) > 0`, `
m.yaml:1:8: fliter(…) looks at no elements: .field and # mean nothing in it
    1 | x: len(fliter(input.tags, .x == 1)) > 0
      |        ^^^^^^
      = did you mean filter?
`},
		{`len(fliter(input.tags, 1 in list(.x))) > 0`, `
m.yaml:1:8: fliter(…) looks at no elements: .field and # mean nothing in it
    1 | x: len(fliter(input.tags, 1 in list(.x))) > 0
      |        ^^^^^^
      = did you mean filter?
`},
		{`trim(# == 1) == ""`, `
m.yaml:1:4: trim(…) looks at no elements: .field and # mean nothing in it
    1 | x: trim(# == 1) == ""
      |    ^^^^
      = functions that do: all, any, count, filter, find, first, len, map, none, one, sum
`},
		{`now < now`, ``},
		{`now < "x"`, `
m.yaml:1:4: a time is compared with text
    1 | x: now < "x"
      |    ^^^^^^^^^
`},
		{`'"é" == input.nome'`, `
m.yaml:1:18: input has no field "nome"
    1 | x: '"é" == input.nome'
      |                  ^^^^
      = did you mean name?
`},
		{`null`, `
m.yaml:1:4: a condition is an expression that is true or false
    1 | x: null
      |    ^^^^
`},
		{`nil`, `
m.yaml:1:4: nil has no value
    1 | x: nil
      |    ^^^
`},
		{`12`, `
m.yaml:1:4: a condition is an expression that is true or false
    1 | x: 12
      |    ^^
`},
		{`'[1]'`, `
m.yaml:1:5: a condition is true or false, and this is a list of whole number
    1 | x: '[1]'
      |     ^^^
      = write len([1]) > 0
`},
		{`true`, ``},
		{`sum(input.lines, .type) == 1`, `
m.yaml:1:21: sum adds numbers, and each of these is text
    1 | x: sum(input.lines, .type) == 1
      |                     ^^^^^
`},
		{`len(input.id) == 1`, `
m.yaml:1:8: len counts elements, members or characters, and input.id is a whole number
    1 | x: len(input.id) == 1
      |        ^^^^^^^^
      = len(text(input.id)) counts its digits
`},
		{`-input.name == 1`, `
m.yaml:1:5: - needs numbers, and input.name is text
    1 | x: -input.name == 1
      |     ^^^^^^^^^^
      = number(input.name) reads a number from text
`},
		{`input.id + 1`, `
m.yaml:1:4: a condition is true or false, and this is a whole number
    1 | x: input.id + 1
      |    ^^^^^^^^^^^^
`},
	})
}

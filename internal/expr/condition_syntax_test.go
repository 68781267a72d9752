package expr

import "testing"

func TestConditionSyntaxMessages(t *testing.T) {
	testConditions(t, []conditionTest{
		{`not input.id in input.nums`, `
m.yaml:1:4: not input.id in input.nums reads (not input.id) in input.nums
    1 | x: not input.id in input.nums
      |    ^^^^^^^^^^^^^^^^^^^^^^^^^^
      = write not (input.id in input.nums)
`},
		{`not input.on == true`, `
m.yaml:1:4: not input.on == true reads (not input.on) == true
    1 | x: not input.on == true
      |    ^^^^^^^^^^^^^^^^^^^^
      = write not (input.on == true)
`},
		{`(not input.on) == true`, ``},
		{`input.maybe ?? 1 == 1`, `
m.yaml:1:21: ?? needs parentheses beside ==
    1 | x: input.maybe ?? 1 == 1
      |                     ^^
      = write (a ?? b) == c
`},
		{`1 + input.maybe ?? 1 == 1`, `
m.yaml:1:8: ?? needs parentheses beside +
    1 | x: 1 + input.maybe ?? 1 == 1
      |        ^^^^^^^^^^^^^^^^
      = write (input.maybe ?? 1)
`},
		{`input.d.born-on == 1`, `
m.yaml:1:4: input.d.born-on is a subtraction
    1 | x: input.d.born-on == 1
      |    ^^^^^^^^^^^^^^^
      = write input.d["born-on"]
`},
		{`input.d["born-on"] == "a"`, ``},
		{`input.name == "a" // x`, `
m.yaml:1:22: // begins a comment; comments have no place in an expression
    1 | x: input.name == "a" // x
      |                      ^^
      = text with // stands in quotes
`},
		{`count(input.nums, # > 1) > 0`, `
m.yaml:1:9: ( is not closed
    1 | x: count(input.nums, # > 1) > 0
      |         ^
      = YAML takes # behind a blank for a comment: put the whole value in quotes
`},
		{`'len(map(input.nums, {"k": #})) > 0'`, `
m.yaml:1:25: { opens a block here, not an object
    1 | x: 'len(map(input.nums, {"k": #})) > 0'
      |                         ^
      = put the object in parentheses: ({…})
`},
		{`string(input.id) == "1"`, `
m.yaml:1:4: string is not part of this language
    1 | x: string(input.id) == "1"
      |    ^^^^^^
      = write text(x)
`},
		{`input.name()`, `
m.yaml:1:4: input.name cannot be called
    1 | x: input.name()
      |    ^^^^^^^^^^
      = functions stand alone: write f(x), not x.f()
`},
		{`input.name.trim() == "a"`, `
m.yaml:1:4: input.name.trim cannot be called
    1 | x: input.name.trim() == "a"
      |    ^^^^^^^^^^^^^^^
      = functions stand alone: write f(x), not x.f()
`},
		{`0x10 == 1`, `
m.yaml:1:4: 0x10 is no number
    1 | x: 0x10 == 1
      |    ^^^^
      = numbers are written in decimal digits, names begin with a letter
`},
		{`007 == 1`, `
m.yaml:1:4: a number does not begin with 0
    1 | x: 007 == 1
      |    ^^^
      = as text it stands in quotes: "007"
`},
		{`.5 == 1`, `
m.yaml:1:4: a number begins with a digit
    1 | x: .5 == 1
      |    ^^
      = write 0.5
`},
		{`12345678901234567890 == 1`, ``},
		{`1e9999 == 1`, `
m.yaml:1:4: the number is too large to count with
    1 | x: 1e9999 == 1
      |    ^^^^^^
`},
		{`input.id = 1`, `
m.yaml:1:13: = is not part of this language
    1 | x: input.id = 1
      |             ^
      = write == to compare
`},
		{`let a = 1; a`, `
m.yaml:1:4: let is not part of an expression
    1 | x: let a = 1; a
      |    ^^^
      = name values under let:
m.yaml:1:10: = is not part of this language
    1 | x: let a = 1; a
      |          ^
      = write == to compare
m.yaml:1:13: ; has no place in an expression
    1 | x: let a = 1; a
      |             ^
      = name values under let:
`},
		{`'if true { 1 } else { 2 }'`, `
m.yaml:1:5: if is not part of this language
    1 | x: 'if true { 1 } else { 2 }'
      |     ^^
      = write condition ? a : b
m.yaml:1:19: else is not part of this language
    1 | x: 'if true { 1 } else { 2 }'
      |                   ^^^^
      = write condition ? a : b
`},
		{`'input.on ?: true'`, `
m.yaml:1:14: ?: is not part of this language
    1 | x: 'input.on ?: true'
      |              ^^
      = write a ?? b
`},
		{`2 ** 3 == 8`, `
m.yaml:1:6: powers are not part of this language
    1 | x: 2 ** 3 == 8
      |      ^^
      = write x * x
`},
		{`'"b" == b"b"'`, `
m.yaml:1:12: byte texts are not part of this language
    1 | x: '"b" == b"b"'
      |            ^^^^
      = write the text without b
`},
		{`any(input.nums, #index > 1)`, `
m.yaml:1:7: ( is not closed
    1 | x: any(input.nums, #index > 1)
      |       ^
      = YAML takes # behind a blank for a comment: put the whole value in quotes
`},
		{`# > 1`, `
m.yaml:1:3: a condition is an expression that is true or false
    1 | x: # > 1
      |   ^
`},
		{`(input.id`, `
m.yaml:1:4: ( is not closed
    1 | x: (input.id
      |    ^
`},
		{`input.id)`, `
m.yaml:1:12: ) closes nothing
    1 | x: input.id)
      |            ^
`},
		{`'"abc'`, `
m.yaml:1:5: the text beginning here is not ended: " is missing
    1 | x: '"abc'
      |     ^
`},
		{`input.id ==`, `
m.yaml:1:14: the expression ends too early
    1 | x: input.id ==
      |              ^
`},
		{`1..3 == 2`, `
m.yaml:1:5: ranges are not part of this language
    1 | x: 1..3 == 2
      |     ^^
`},
		{`input.name | trim()`, `
m.yaml:1:15: | is not part of this language
    1 | x: input.name | trim()
      |               ^
      = write f(x), not x | f()
`},
		{`input?on == true`, `
m.yaml:1:9: a ? alone means nothing here
    1 | x: input?on == true
      |         ^
      = write ?.on to reach through what may be missing
`},
		{`input.on and ${input.on}`, `
m.yaml:1:17: a condition is an expression already
    1 | x: input.on and ${input.on}
      |                 ^^^^^^^^^^^
      = write the bare expression, without ${}
`},
		{`$env.x == 1`, `
m.yaml:1:4: $env is not part of this language
    1 | x: $env.x == 1
      |    ^^^^
      = settings stand in gateway.yaml under const
`},
		{`now() == 1`, `
m.yaml:1:4: now is not part of this language
    1 | x: now() == 1
      |    ^^^
      = write now, without ()
`},
		{`'input.on @ 1'`, `
m.yaml:1:14: the character "@" has no meaning in an expression
    1 | x: 'input.on @ 1'
      |              ^
`},
		{`'{"a": 1, "a": 2} == nil'`, `
m.yaml:1:14: the key "a" stands twice
    1 | x: '{"a": 1, "a": 2} == nil'
      |              ^^^
`},
	})
}

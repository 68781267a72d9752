package expr

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/emenda-gateway/emenda/internal/jsonx"
)

func dateFunctions() []*Function {
	return []*Function{
		{
			Name: "date",
			Params: []Param{
				{Name: "x", None: NonePasses},
				{Name: "in", Type: textType, Literal: true},
				{Name: "out", Type: textType, Literal: true, Optional: true},
			},
			Help: "The date x, read by the pattern in, written by the pattern out; for now and other times without in: date(now, out). " +
				"Patterns are made of yyyy MM dd HH mm ss SSS and signs, other letters in '…', or are epoch_ms or rfc3339.",
			Example: Example{Expr: `date("31-01-2026", "dd-MM-yyyy", "yyyy-MM-dd")`, Gives: `"2026-01-31"`},
			Check:   checkDate,
			Bind: func(_ *Scope, _ []*Type, literals []string) EvalFunc {
				in, out := dateLiterals(literals)
				from, _ := compilePattern(in) // Check has seen both
				to, _ := compilePattern(out)
				return func(f *Frame, args []jsonx.Value) jsonx.Value {
					m, ok := from.read(f, "date", args[0])
					if !ok {
						return jsonx.Value{}
					}
					return to.write(f, m)
				}
			},
		},
		{
			Name: "minutes_since",
			Params: []Param{
				{Name: "x", None: NonePasses},
				{Name: "in", Type: textType, Literal: true, Optional: true},
			},
			Help:    "The whole minutes gone by from the time x, read by the pattern in, until now; less than 0 when x lies ahead.",
			Example: Example{Expr: `minutes_since("2026-03-05 18:01", "yyyy-MM-dd HH:mm")`, Gives: `15`},
			Check:   checkMinutesSince,
			Bind: func(_ *Scope, _ []*Type, literals []string) EvalFunc {
				in := rfc3339
				if len(literals) > 1 {
					in = literals[1]
				}
				from, _ := compilePattern(in)
				return func(f *Frame, args []jsonx.Value) jsonx.Value {
					m, ok := from.read(f, "minutes_since", args[0])
					if !ok {
						return jsonx.Value{}
					}
					// Floored, so that 14 minutes and 59 seconds are 14, and a second ahead is -1.
					gone := f.Now.Sub(m.in(f.Zone))
					minutes := int64(gone / time.Minute)
					if gone < 0 && gone%time.Minute != 0 {
						minutes--
					}
					return intValue(f, minutes)
				}
			},
		},
		{
			Name:    "month_start",
			Params:  []Param{{Name: "time", Type: timeType, None: NonePasses}},
			Result:  timeType,
			Help:    "The first moment of the month, in the gateway's time zone.",
			Example: Example{Expr: `date(month_start(now), "yyyy-MM-dd HH:mm")`, Gives: `"2026-03-01 00:00"`},
			Eval: func(f *Frame, args []jsonx.Value) jsonx.Value {
				m, ok := timePattern.read(f, "month_start", args[0])
				if !ok {
					return jsonx.Value{}
				}
				c := m.civil(f.Zone)
				return f.TimeValue(time.Date(c.year, time.Month(c.month), 1, 0, 0, 0, 0, f.Zone))
			},
		},
		{
			Name: "add_days",
			Params: []Param{
				{Name: "time", Type: timeType, None: NonePasses},
				{Name: "days", Type: integerType},
			},
			Result:  timeType,
			Help:    "The time so many days later (earlier when negative), at the same hour in the gateway's time zone.",
			Example: Example{Expr: `date(add_days(now, 30), "dd/MM/yyyy")`, Gives: `"04/04/2026"`},
			Eval: func(f *Frame, args []jsonx.Value) jsonx.Value {
				m, ok := timePattern.read(f, "add_days", args[0])
				if !ok {
					return jsonx.Value{}
				}
				days, ok := wholeArg(args[1])
				if !ok || days < -maxDays || days > maxDays {
					return f.Fail("add_days needs between -%d and %d days", maxDays, maxDays)
				}
				return f.TimeValue(m.in(f.Zone).AddDate(0, 0, int(days)))
			},
		},
	}
}

// maxDays bounds add_days to a thousand years, so that what it gives has four digits of year for centuries.
const maxDays = 365_000

// dateLiterals gives the patterns of a call of date, which reads times when it has one pattern.
func dateLiterals(literals []string) (in, out string) {
	if len(literals) == 2 {
		return rfc3339, literals[1]
	}
	return literals[1], literals[2]
}

func checkDate(_ *Scope, args []*Type, literals []string) (*Type, error) {
	kind := kindOf(args[0])
	switch {
	case len(args) == 2 && kind != TimeType:
		return textType, errors.New(`date needs two patterns here, how x is written and how to write it: date(x, "dd-MM-yyyy", "yyyy-MM-dd")`)
	case len(args) == 3 && kind == TimeType:
		return textType, errors.New(`date of a time needs only how to write it: date(now, "yyyy-MM-dd")`)
	}
	in, out := dateLiterals(literals)
	from, inErr := compilePattern(in)
	to, outErr := compilePattern(out)
	result := textType
	if to != nil && to.form == formEpoch {
		result = integerType
	}
	if err := errors.Join(inErr, outErr); err != nil {
		return result, err
	}
	return result, errors.Join(checkRead("date", args[0], in, from), from.misses(in, strconv.Quote(out), to))
}

func checkMinutesSince(_ *Scope, args []*Type, literals []string) (*Type, error) {
	kind := kindOf(args[0])
	switch {
	case len(args) == 1 && kind != TimeType:
		return integerType, errors.New(`minutes_since needs how x is written: minutes_since(x, "epoch_ms")`)
	case len(args) == 1:
		return integerType, nil
	case kind == TimeType:
		return integerType, errors.New("minutes_since of a time needs no pattern")
	}
	from, err := compilePattern(literals[1])
	if err != nil {
		return integerType, err
	}
	moment := &pattern{form: formEpoch}
	return integerType, errors.Join(checkRead("minutes_since", args[0], literals[1], from), from.misses(literals[1], "minutes_since", moment))
}

// checkRead tells whether a value of type t can be read by pattern p, written in.
func checkRead(function string, t *Type, in string, p *pattern) error {
	switch kindOf(t) {
	case AnyType, TextType, TimeType, NoneType:
	case NumberType:
		if p.form != formEpoch {
			return fmt.Errorf("%s reads a text by %q, but this is %s", function, in, t)
		}
	default:
		return fmt.Errorf("%s reads text or a time, not %s", function, t)
	}
	if p.shortYear {
		return fmt.Errorf("%q has a year of two digits, which is ambiguous when read", in)
	}
	return nil
}

// intValue gives a whole number as a value in the frame's arena.
func intValue(f *Frame, n int64) jsonx.Value {
	m := f.Arena.Mark()
	f.Arena.SetBuf(appendInt(f.Arena.Buf(), n))
	return jsonx.NumberValue(f.Arena.Text(m))
}

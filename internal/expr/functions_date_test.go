package expr

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestDates(t *testing.T) {
	for _, c := range []struct{ call, want string }{
		{`date | "31-01-2026" | "dd-MM-yyyy" | "yyyy-MM-dd"`, `"2026-01-31"`},
		{`date | "31012026" | "ddMMyyyy" | "dd/MM/yyyy HH:mm"`, `"31/01/2026 00:00"`},
		{`date | "31/01/2026 23:59" | "dd/MM/yyyy HH:mm" | "yyyyMMddHHmmss"`, `"20260131235900"`},
		{`date | "29-02-2024" | "dd-MM-yyyy" | "dd/MM/yy"`, `"29/02/24"`},
		{`date | "10/2026" | "MM/yyyy" | "yyyy-MM"`, `"2026-10"`},
		{`date | "2026-01-31T10:20:30.045" | "yyyy-MM-ddTHH:mm:ss.SSS" | "dd 'de' MM 'às' HH'h'mm"`, `"31 de 01 às 10h20"`},
		{`date | now | "yyyyMMddHHmmss"`, `"20260305181601"`},
		{`date | now | "epoch_ms"`, `1772745361000`},
		{`date | now | "rfc3339"`, `"2026-03-05T18:16:01-03:00"`},
		{`date | 1772745361000 | "epoch_ms" | "yyyy-MM-dd HH:mm:ss"`, `"2026-03-05 18:16:01"`},
		{`date | "1772745361000" | "epoch_ms" | "yyyy-MM-dd HH:mm:ss"`, `"2026-03-05 18:16:01"`},
		{`date | "2026-03-05T21:16:01Z" | "rfc3339" | "HH:mm"`, `"18:16"`},
		{`date | "2026-03-06T02:46:01.25+05:30" | "rfc3339" | "HH:mm:ss.SSS"`, `"18:16:01.250"`},
		{`date | "05-03-2026 18:16:01" | "dd-MM-yyyy HH:mm:ss" | "epoch_ms"`, `1772745361000`},
		{`date | "05-03-2026" | "dd-MM-yyyy" | "rfc3339"`, `"2026-03-05T00:00:00-03:00"`},
		// This midnight never was: summer time began. The day must stay.
		{`date | "04-11-2018" | "dd-MM-yyyy" | "yyyy-MM-dd"`, `"2018-11-04"`},
		{`date | "29-02-2023" | "dd-MM-yyyy" | "yyyy-MM-dd"`, `failed: date cannot read the text by "dd-MM-yyyy"`},
		{`date | "1-2-2023" | "dd-MM-yyyy" | "yyyy-MM-dd"`, `failed: date cannot read the text by "dd-MM-yyyy"`},
		{`date | "31-01-2026 " | "dd-MM-yyyy" | "yyyy-MM-dd"`, `failed: date cannot read the text by "dd-MM-yyyy"`},
		{`date | "" | "dd-MM-yyyy" | "yyyy-MM-dd"`, `failed: date cannot read the text by "dd-MM-yyyy"`},
		{`date | "00-01-2026" | "dd-MM-yyyy" | "yyyy-MM-dd"`, `failed: date cannot read the text by "dd-MM-yyyy"`},
		{`date | "24:00" | "HH:mm" | "HH:mm"`, `failed: date cannot read the text by "HH:mm"`},
		{`date | "2026-03-05T21:16:01" | "rfc3339" | "HH:mm"`, `failed: date cannot read the text by "rfc3339"`},
		{`date | "2026-03-05T21:16:01+99:00" | "rfc3339" | "HH:mm"`, `failed: date cannot read the text by "rfc3339"`},
		{`date | "2026-03-05T21:16:01.Z" | "rfc3339" | "HH:mm"`, `failed: date cannot read the text by "rfc3339"`},
		{`date | "2026-03-05T21:16:01--3:00" | "rfc3339" | "HH:mm"`, `failed: date cannot read the text by "rfc3339"`},
		{`date | "12.5" | "epoch_ms" | "HH:mm"`, `failed: date cannot read the text by "epoch_ms"`},
		{`date | 9e18 | "epoch_ms" | "HH:mm"`, `failed: date cannot read the text by "epoch_ms"`},
		{`date |  | "dd-MM-yyyy" | "yyyy-MM-dd"`, `absent`},

		{`date | "31-01-2026" | "yyyy-MM-dd"`, `date needs two patterns here, how x is written and how to write it: date(x, "dd-MM-yyyy", "yyyy-MM-dd")`},
		{`date | now | "yyyy" | "yyyy"`, `date of a time needs only how to write it: date(now, "yyyy-MM-dd")`},
		{`date | now | "YYYY-MM-dd"`, `the date pattern "YYYY-MM-dd" has an unknown letter Y`},
		{`date | now | "epoch_sm"`, `the date pattern "epoch_sm" has an unknown letter e; did you mean epoch_ms?`},
		{`date | now | "HH:mm:ssZ"`, `the date pattern "HH:mm:ssZ" has an unknown letter Z; times with a zone are rfc3339`},
		{`date | now | "ddd"`, `the date pattern "ddd" has d too often`},
		{`date | now | "dd/dd"`, `the date pattern "dd/dd" has d too often`},
		{`date | now | "yyyy yy"`, `the date pattern "yyyy yy" has the year twice`},
		{`date | now | "yyyy 'de"`, `the date pattern "yyyy 'de" has a ' without its end or without letters`},
		{`date | now | "-"`, `the date pattern "-" holds no part of a date`},
		{`date | now | ""`, `a date pattern may not be empty`},
		{`date | "01/26" | "MM/yy" | "MM"`, `"MM/yy" has a year of two digits, which is ambiguous when read`},
		{`date | "01/2026" | "MM/yyyy" | "dd/MM/yyyy"`, `"dd/MM/yyyy" needs the day, which "MM/yyyy" does not give`},
		{`date | "10:00" | "HH:mm" | "epoch_ms"`, `"epoch_ms" needs the year, which "HH:mm" does not give`},
		{`date | 5 | "dd" | "dd"`, `date reads a text by "dd", but this is number`},
		{`date | true | "dd" | "dd"`, `date reads text or a time, not true or false`},

		{`minutes_since | 1772745361000 | "epoch_ms"`, `0`},
		{`minutes_since | 1772745302000 | "epoch_ms"`, `0`},
		{`minutes_since | 1772745301000 | "epoch_ms"`, `1`},
		{`minutes_since | 1772745362000 | "epoch_ms"`, `-1`},
		{`minutes_since | "05/03/2026 18:01" | "dd/MM/yyyy HH:mm"`, `15`},
		{`minutes_since | now`, `0`},
		{`minutes_since | now | "dd"`, `minutes_since of a time needs no pattern`},
		{`minutes_since | "x"`, `minutes_since needs how x is written: minutes_since(x, "epoch_ms")`},
		{`minutes_since | "10:00" | "HH:mm"`, `minutes_since needs the year, which "HH:mm" does not give`},
		{`month_start | now`, `"2026-03-01T00:00:00-03:00"`},
		{`add_days | now | 30`, `"2026-04-04T18:16:01-03:00"`},
		{`add_days | now | -5`, `"2026-02-28T18:16:01-03:00"`},
		{`add_days | now | 1e9`, `failed: add_days needs between -365000 and 365000 days`},
	} {
		t.Run(c.call, func(t *testing.T) {
			s := newExampleScope(t)
			require.Equal(t, c.want, outcome(t, s, c.call))
		})
	}
}

// A date that was read and written back by the same pattern is the same text.
func TestDatesRoundTrip(t *testing.T) {
	s := newExampleScope(t)
	rapid.Check(t, func(rt *rapid.T) {
		first, last := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).Unix(), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC).Unix()
		day := time.Unix(rapid.Int64Range(first, last).Draw(rt, "second"), 0).UTC()
		f := saoPauloFrame(rt, s.Layout)
		defer f.Release()
		for _, layout := range [][2]string{
			{"dd-MM-yyyy", "02-01-2006"}, {"ddMMyyyy", "02012006"}, {"yyyyMMddHHmmss", "20060102150405"}, {"dd/MM/yyyy HH:mm", "02/01/2006 15:04"},
		} {
			text := fmt.Sprintf("%q", day.Format(layout[1]))
			v, err := callIn(f, s, "date", text, fmt.Sprintf("%q", layout[0]), fmt.Sprintf("%q", layout[0]))
			require.NoError(rt, err)
			require.Equal(rt, text, string(v.AppendJSON(nil)))
		}
	})
}

package expr

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/jsonx"
)

// The patterns that are names.
const (
	epochMs = "epoch_ms" // milliseconds since 1970, as a number or digits
	rfc3339 = "rfc3339"  // 2026-03-05T18:16:01.5-03:00
)

type patternForm uint8

const (
	formFields patternForm = iota
	formEpoch
	formRFC3339
)

type dateField uint8

const (
	fieldLiteral dateField = iota
	fieldYear
	fieldShortYear
	fieldMonth
	fieldDay
	fieldHour
	fieldMinute
	fieldSecond
	fieldMillis
)

// dateFields are what a pattern may hold.
var dateFields = []struct {
	text  string
	field dateField
	width int
}{
	{"yyyy", fieldYear, 4}, {"yy", fieldShortYear, 2}, {"MM", fieldMonth, 2}, {"dd", fieldDay, 2},
	{"HH", fieldHour, 2}, {"mm", fieldMinute, 2}, {"SSS", fieldMillis, 3}, {"ss", fieldSecond, 2},
}

type patternPart struct {
	field   dateField
	width   int
	literal string
}

// pattern is a compiled date pattern.
type pattern struct {
	text      string
	form      patternForm
	parts     []patternPart
	has       uint16 // bits of the fields it holds
	shortYear bool
}

// timePattern reads what times are at run time.
var timePattern = &pattern{text: rfc3339, form: formRFC3339}

// compilePattern reads a pattern; its error is for the author.
func compilePattern(text string) (*pattern, error) {
	p := &pattern{text: text}
	switch text {
	case epochMs:
		p.form = formEpoch
		return p, nil
	case rfc3339:
		p.form = formRFC3339
		return p, nil
	case "":
		return nil, errors.New("a date pattern may not be empty")
	}
scan:
	for rest := text; rest != ""; {
		for _, known := range dateFields {
			if !strings.HasPrefix(rest, known.text) {
				continue
			}
			rest = rest[len(known.text):]
			if p.holds(known.field) || rest != "" && rest[0] == known.text[0] {
				return nil, fmt.Errorf("the date pattern %q has %c too often", text, known.text[0])
			}
			p.has |= 1 << known.field
			p.shortYear = p.shortYear || known.field == fieldShortYear
			p.parts = append(p.parts, patternPart{field: known.field, width: known.width})
			continue scan
		}
		switch c := rest[0]; {
		case c == '\'':
			end := strings.IndexByte(rest[1:], '\'')
			if end <= 0 {
				return nil, fmt.Errorf("the date pattern %q has a ' without its end or without letters", text)
			}
			p.literal(rest[1 : 1+end])
			rest = rest[end+2:]
		case c == 'T':
			p.literal(rest[:1])
			rest = rest[1:]
		case 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z':
			message := fmt.Sprintf("the date pattern %q has an unknown letter %c", text, c)
			if near := diag.Suggest(text, []string{epochMs, rfc3339}); near != "" {
				message += "; did you mean " + near + "?"
			} else if c == 'Z' {
				message += "; times with a zone are " + rfc3339
			}
			return nil, errors.New(message)
		default:
			p.literal(rest[:1])
			rest = rest[1:]
		}
	}
	if p.has == 0 {
		return nil, fmt.Errorf("the date pattern %q holds no part of a date", text)
	}
	if p.holds(fieldYear) && p.holds(fieldShortYear) {
		return nil, fmt.Errorf("the date pattern %q has the year twice", text)
	}
	return p, nil
}

// literal adds text that stands for itself.
func (p *pattern) literal(text string) {
	if n := len(p.parts); n > 0 && p.parts[n-1].field == fieldLiteral {
		p.parts[n-1].literal += text
		return
	}
	p.parts = append(p.parts, patternPart{literal: text})
}

func (p *pattern) holds(f dateField) bool { return p.has&(1<<f) != 0 }

// misses tells which part of the date is asked for by to, as asker names it, and not given by p.
// Hours and smaller are 0 when not given.
func (p *pattern) misses(in, asker string, to *pattern) error {
	if p.form != formFields {
		return nil
	}
	for _, part := range []struct {
		field dateField
		name  string
	}{{fieldYear, "year"}, {fieldMonth, "month"}, {fieldDay, "day"}} {
		asked := to.form != formFields || to.holds(part.field) || part.field == fieldYear && to.shortYear
		if asked && !p.holds(part.field) {
			return fmt.Errorf("%s needs the %s, which %q does not give", asker, part.name, in)
		}
	}
	return nil
}

// civil is a date and time of day as written, without a zone.
type civil struct{ year, month, day, hour, minute, second, nano int }

// moment is what a pattern has read: fields as written, or an instant. Fields
// stay fields from pattern to pattern: through a zone, a midnight that its
// summer time left out would become the day before.
type moment struct {
	fields  civil
	instant time.Time
	exact   bool // instant holds
}

// in gives the instant, fields being in zone.
func (m moment) in(zone *time.Location) time.Time {
	if m.exact {
		return m.instant.In(zone)
	}
	c := m.fields
	return time.Date(c.year, time.Month(c.month), c.day, c.hour, c.minute, c.second, c.nano, zone)
}

// civil gives the fields, an instant being seen in zone.
func (m moment) civil(zone *time.Location) civil {
	if !m.exact {
		return m.fields
	}
	t := m.instant.In(zone)
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	return civil{year, int(month), day, hour, minute, second, t.Nanosecond()}
}

// read reads v, or fails the frame without telling what v holds.
func (p *pattern) read(f *Frame, function string, v jsonx.Value) (moment, bool) {
	var m moment
	ok := false
	switch {
	case p.form == formEpoch && (v.Kind() == jsonx.Number || v.Kind() == jsonx.String):
		m, ok = readEpoch(v.Text())
	case v.Kind() != jsonx.String:
		f.Fail("%s reads text by %q and was given %s", function, p.text, kindWords(v))
		return m, false
	case p.form == formRFC3339:
		m, ok = readRFC3339(v.Text())
	default:
		m.fields, ok = p.readFields(v.Text())
	}
	if !ok {
		f.Fail("%s cannot read the text by %q", function, p.text)
	}
	return m, ok
}

func (p *pattern) readFields(text string) (civil, bool) {
	c := civil{year: 2000, month: 1, day: 1} // a leap year: 29/02 without a year is a date
	for i := range p.parts {
		part := &p.parts[i]
		if part.field == fieldLiteral {
			rest, ok := strings.CutPrefix(text, part.literal)
			if !ok {
				return c, false
			}
			text = rest
			continue
		}
		n, ok := digitsOf(text, part.width)
		if !ok {
			return c, false
		}
		text = text[part.width:]
		switch part.field {
		case fieldYear:
			c.year = n
		case fieldMonth:
			c.month = n
		case fieldDay:
			c.day = n
		case fieldHour:
			c.hour = n
		case fieldMinute:
			c.minute = n
		case fieldSecond:
			c.second = n
		case fieldMillis:
			c.nano = n * int(time.Millisecond)
		}
	}
	return c, text == "" && c.valid()
}

// digitsOf reads the first width characters of text as digits.
func digitsOf(text string, width int) (int, bool) {
	if len(text) < width {
		return 0, false
	}
	n := 0
	for i := range width {
		if !isDigit(text[i]) {
			return 0, false
		}
		n = n*10 + int(text[i]-'0')
	}
	return n, true
}

func (c civil) valid() bool {
	return c.year >= 1 && c.month >= 1 && c.month <= 12 && c.day >= 1 &&
		c.day <= time.Date(c.year, time.Month(c.month)+1, 0, 0, 0, 0, 0, time.UTC).Day() &&
		c.hour <= 23 && c.minute <= 59 && c.second <= 59
}

func readEpoch(text string) (moment, bool) {
	d, ok := jsonx.ParseDecimal(text)
	if !ok {
		return moment{}, false
	}
	ms, ok := d.Int64()
	if !ok {
		return moment{}, false
	}
	t := time.UnixMilli(ms).UTC()
	return moment{instant: t, exact: true}, t.Year() >= 1 && t.Year() <= 9999
}

// readRFC3339 reads a date, T, a time with or without fraction, and Z or an
// offset. time.Parse would make a Location for each offset it does not know.
func readRFC3339(text string) (moment, bool) {
	const date = len("2006-01-02T15:04:05")
	if len(text) < date+1 {
		return moment{}, false
	}
	c, ok := wirePattern.readFields(text[:date])
	if !ok {
		return moment{}, false
	}
	text = text[date:]
	if text[0] == '.' {
		text = text[1:]
		scale := int(time.Second)
		n := 0
		for ; n < len(text) && isDigit(text[n]); n++ {
			scale /= 10
			c.nano += int(text[n]-'0') * scale
		}
		if n == 0 {
			return moment{}, false
		}
		text = text[n:]
	}
	offset := 0
	if text != "Z" {
		if len(text) != len("-03:00") || text[0] != '-' && text[0] != '+' || text[3] != ':' {
			return moment{}, false
		}
		hours, hoursOK := digitsOf(text[1:], 2)
		minutes, minutesOK := digitsOf(text[4:], 2)
		if !hoursOK || !minutesOK || hours > 23 || minutes > 59 {
			return moment{}, false
		}
		offset = hours*3600 + minutes*60
		if text[0] == '-' {
			offset = -offset
		}
	}
	t := time.Date(c.year, time.Month(c.month), c.day, c.hour, c.minute, c.second, c.nano, time.UTC)
	return moment{instant: t.Add(-time.Duration(offset) * time.Second), exact: true}, true
}

// wirePattern is the part of RFC 3339 before fraction and zone.
var wirePattern = func() *pattern {
	p, err := compilePattern("yyyy-MM-ddTHH:mm:ss")
	if err != nil {
		panic(err)
	}
	return p
}()

// write writes m by the pattern, in the frame's zone.
func (p *pattern) write(f *Frame, m moment) jsonx.Value {
	switch p.form {
	case formEpoch:
		return intValue(f, m.in(f.Zone).UnixMilli())
	case formRFC3339:
		return f.TimeValue(m.in(f.Zone))
	}
	c := m.civil(f.Zone)
	if c.year < 0 || c.year > 9999 {
		return f.Fail("the year does not fit the date pattern %q", p.text)
	}
	mark := f.Arena.Mark()
	f.Arena.SetBuf(p.appendFields(f.Arena.Buf(), c))
	return jsonx.TextValue(f.Arena.Text(mark))
}

func (p *pattern) appendFields(b []byte, c civil) []byte {
	for i := range p.parts {
		part := &p.parts[i]
		n := 0
		switch part.field {
		case fieldLiteral:
			b = append(b, part.literal...)
			continue
		case fieldYear:
			n = c.year
		case fieldShortYear:
			n = c.year % 100
		case fieldMonth:
			n = c.month
		case fieldDay:
			n = c.day
		case fieldHour:
			n = c.hour
		case fieldMinute:
			n = c.minute
		case fieldSecond:
			n = c.second
		case fieldMillis:
			n = c.nano / int(time.Millisecond)
		}
		b = appendPadded(b, n, part.width)
	}
	return b
}

// appendPadded appends n with zeros before it to so many digits.
func appendPadded(b []byte, n, width int) []byte {
	for limit := 10; width > 1; width-- {
		if n < limit {
			b = append(b, '0')
		}
		limit *= 10
	}
	return strconv.AppendInt(b, int64(n), 10)
}

func appendInt(b []byte, n int64) []byte { return strconv.AppendInt(b, n, 10) }

// Package period reads cron lines and gives their times in a time zone. What
// runs at these times is not its matter.
package period

import (
	"errors"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// Period is when something is due.
type Period struct {
	times cron.Schedule
	zone  *time.Location
}

// form is what a cron line looks like.
const form = "expected a cron line: minute hour day month weekday, as */30 * * * *"

// Parse reads a cron line (minute hour day month weekday, or @hourly and the
// like) whose times are those of a zone. Of what is wrong the line is not quoted.
func Parse(line string, zone *time.Location) (*Period, error) {
	if strings.HasPrefix(line, "@every") || strings.Contains(line, "TZ=") {
		return nil, errors.New(form)
	}
	times, err := cron.ParseStandard(line)
	if err != nil {
		return nil, errors.New(form)
	}
	p := &Period{times: times, zone: zone}
	if p.Next(time.Now()).IsZero() {
		return nil, errors.New("this never comes")
	}
	return p, nil
}

// Next gives the first time after at; zero: there is none in years.
func (p *Period) Next(at time.Time) time.Time { return p.times.Next(at.In(p.zone)) }

// Zone finds a time zone by its name; the machine's own is none.
func Zone(name string) (*time.Location, error) {
	at, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return nil, errors.New("no such time zone; expected a name as America/Sao_Paulo")
	}
	return at, nil
}

package snapshot

import (
	"errors"
	"fmt"
	"time"

	"github.com/emenda-gateway/emenda/internal/config"
	"github.com/emenda-gateway/emenda/internal/diag"
)

// Begin reads what to serve first: the files on disk, or the last good ones
// when those do not check. The list is what was said of the files on disk. The
// error tells why nothing can serve; the Reloader is nil then. Tests are not
// run: what was on disk when the gateway was started is somebody's decision,
// and a start must not wait. Only files that a reload has refused for their
// tests are not served.
func Begin(configFile string, env config.Environment) (*Reloader, diag.List, error) {
	r := newReloader(configFile, env)
	now := r.watcher.look()
	a := r.read(&now)
	good, why := readLastGood(lastGoodFolder(configFile, env), configFile)
	if a.settings != nil && (good == nil || good.Refused != a.loaded.Hash) {
		r.begin(a.loaded, a.settings, &Report{Result: Started, Problems: a.problems})
		return r, a.problems, nil
	}
	if good == nil {
		return nil, a.problems, why
	}
	loaded, settings, err := good.open(configFile, env)
	switch {
	case err == nil:
		if a.settings != nil {
			a.problems.Errorf(diag.Span{}, "test", "these files were refused before, for tests that failed").
				Help = "\"emenda test\" shows them"
			r.watcher.saw(look{}) // they are tried again at once
		}
		r.good = good
		r.begin(loaded, settings, &Report{Result: Refused, Problems: a.problems, LastGood: good.Time})
		return r, a.problems, nil
	case a.settings != nil: // better than nothing
		r.begin(a.loaded, a.settings, &Report{Result: Started, Problems: a.problems})
		return r, a.problems, nil
	}
	return nil, a.problems, err
}

// begin takes what serves first.
func (r *Reloader) begin(l *Loaded, settings *config.Resolved, report *Report) {
	r.loaded, r.settings, r.started = l, settings, settings
	report.Trigger, report.At, report.Configuration = "start", time.Now(), l.Hash
	r.report.Store(report)
}

// open checks what was kept, in this environment.
func (g *lastGood) open(configFile string, env config.Environment) (*Loaded, *config.Resolved, error) {
	l, list := g.load(configFile)
	var settings *config.Resolved
	if l != nil {
		var found diag.List
		settings, found = l.Resolve(env)
		list.Add(found)
	}
	if settings != nil {
		return l, settings, nil
	}
	return nil, nil, fmt.Errorf("the last good configuration, of %s, does not check here either: %w", g.Time.Format(time.RFC3339), firstError(list))
}

// firstError gives the first error of a list, in one line with its place.
func firstError(list diag.List) error {
	for i := range list {
		if list[i].Severity != diag.Error {
			continue
		}
		if at := list[i].Span.String(); at != "" {
			return fmt.Errorf("%s: %s", at, list[i].Message)
		}
		return errors.New(list[i].Message)
	}
	return errors.New("?")
}

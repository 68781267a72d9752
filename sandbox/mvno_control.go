package sandbox

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// mvnoControl is what /_sandbox/mvno takes; what is left out stays as it is.
type mvnoControl struct {
	RotateEvery *int    `json:"rotate_every"`
	Grace       *string `json:"grace"`
	Life        *string `json:"life"`
	LoginRenews *bool   `json:"login_renews"`
	PortStep    *string `json:"portability_step"`
}

// MVNOState is what /_sandbox/mvno shows.
type MVNOState struct {
	RotateEvery int    `json:"rotate_every"`
	Grace       string `json:"grace"`
	Life        string `json:"life"`
	LoginRenews bool   `json:"login_renews"`
	PortStep    string `json:"portability_step"`
	// Tokens is how many tokens there have been, the first one included.
	Tokens int `json:"tokens"`
	// Answers counts those to calls whose token held, Refused the others and
	// the sign-ins with wrong credentials.
	Answers int          `json:"answers"`
	Refused int          `json:"refused"`
	Changes []MVNOChange `json:"changes"`
}

// MVNOChange says how often a changing request came whole, and how often it
// was done.
type MVNOChange struct {
	Method string `json:"metodo"`
	// Of is the request's numero_contrato; without one its Numero_SimCard, or
	// DDD and number.
	Of       string `json:"of"`
	Received int    `json:"received"`
	Done     int    `json:"done"`
}

// MVNO gives the state of the stand-in MVNO platform.
func (s *Sandbox) MVNO() MVNOState {
	t := s.mvno.tokens
	t.mu.Lock()
	o := t.settings
	out := MVNOState{
		RotateEvery: o.RotateEvery, Grace: o.Grace.String(), Life: o.Life.String(), LoginRenews: o.LoginRenews, PortStep: o.PortStep.String(),
		Tokens: t.issued, Answers: t.answers, Refused: t.refused, Changes: []MVNOChange{},
	}
	t.mu.Unlock()
	s.mvno.mu.Lock()
	defer s.mvno.mu.Unlock()
	for key, n := range s.mvno.counts {
		out.Changes = append(out.Changes, MVNOChange{key.method, key.of, n.received, n.done})
	}
	slices.SortFunc(out.Changes, func(a, b MVNOChange) int { return cmp.Or(cmp.Compare(a.Method, b.Method), cmp.Compare(a.Of, b.Of)) })
	return out
}

// MVNODone gives how often a changing method was done for a contract, and how
// often it was asked for; see MVNOChange.
func (s *Sandbox) MVNODone(method, of string) (done, received int) {
	s.mvno.mu.Lock()
	defer s.mvno.mu.Unlock()
	n := s.mvno.counts[mvnoKey{method, of}]
	return n.done, n.received
}

// RotateMVNO sets how the platform's tokens change from now on; see MVNOOptions.
func (s *Sandbox) RotateMVNO(every int, grace time.Duration) {
	if every < 0 || grace < 0 {
		panic(fmt.Sprintf("sandbox: rotation %d and grace %s may not be negative", every, grace))
	}
	s.mvno.tokens.change(func(o *MVNOOptions) { o.RotateEvery, o.Grace = every, grace })
}

// changeMVNO takes settings, all of them or none.
func (s *Sandbox) changeMVNO(body io.Reader) error {
	var in mvnoControl
	dec := json.NewDecoder(io.LimitReader(body, 1<<20))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil {
		return fmt.Errorf("not the settings of the MVNO platform: %w", err)
	}
	var wrong []error
	read := func(name string, text *string) time.Duration {
		if text == nil {
			return 0
		}
		d, err := time.ParseDuration(*text)
		if err != nil || d < 0 {
			wrong = append(wrong, fmt.Errorf("%s %q is not a duration such as 250ms", name, *text))
		}
		return d
	}
	grace, life, step := read("grace", in.Grace), read("life", in.Life), read("portability_step", in.PortStep)
	if in.PortStep != nil && step == 0 {
		wrong = append(wrong, errors.New("portability_step may not be 0"))
	}
	if in.RotateEvery != nil && *in.RotateEvery < 0 {
		wrong = append(wrong, fmt.Errorf("rotate_every %d is negative", *in.RotateEvery))
	}
	if len(wrong) > 0 {
		return errors.Join(wrong...)
	}
	s.mvno.tokens.change(func(o *MVNOOptions) {
		set(&o.RotateEvery, in.RotateEvery)
		set(&o.LoginRenews, in.LoginRenews)
		if in.Grace != nil {
			o.Grace = grace
		}
		if in.Life != nil {
			o.Life = life
		}
		if in.PortStep != nil {
			o.PortStep = step
		}
	})
	return nil
}

func set[T any](at, v *T) {
	if v != nil {
		*at = *v
	}
}

// controlMVNO answers /_sandbox/mvno and what is below it.
func (s *Sandbox) controlMVNO(w http.ResponseWriter, r *http.Request) {
	switch r.Method + " " + strings.TrimPrefix(r.URL.Path, controlPrefix) {
	case "POST mvno":
		if err := s.changeMVNO(r.Body); err != nil {
			a := value(map[string]string{"error": err.Error()})
			a.status = http.StatusBadRequest
			a.write(w)
			return
		}
		value(s.MVNO()).write(w)
	case "GET mvno":
		value(s.MVNO()).write(w)
	case "GET mvno/data":
		s.mvno.listed().write(w)
	default:
		text(http.StatusNotFound, `{"error": "unknown control call; there are GET and POST mvno, GET mvno/data"}`).write(w)
	}
}

// listed is everything the platform holds.
func (m *mvno) listed() answer {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.sims {
		m.job(s)
	}
	states := map[int64]string{}
	for _, c := range m.contracts {
		if c.Port != nil {
			states[c.ID] = c.Port.state(c.Number, m.now())
		}
	}
	return value(object{"simcards", m.sims, "contratos", m.contracts, "numeros", m.free, "portabilidades", states})
}

// mvnoMasked are the platform's credentials and what says who a customer is.
var mvnoMasked = regexp.MustCompile(`(?i)"(token|usuario|senha|` + strings.Join(mvnoOwner, "|") + `)"(\s*:\s*)("(?:[^"\\]|\\.)*"?|[^\s",}\]]+)`)

// maskedMVNO is a body without them.
func maskedMVNO(body []byte) string {
	return string(mvnoMasked.ReplaceAll(body, []byte(`"$1"$2"***"`)))
}

package diag

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

// JSON renders the list as a JSON array of {severity, rule, file, line,
// column, end_line, end_column, message, help}. Without a place, file is "" and
// the numbers are 0.
func (l List) JSON() []byte {
	type item struct {
		Severity  string `json:"severity"`
		Rule      string `json:"rule"`
		File      string `json:"file"`
		Line      int    `json:"line"`
		Column    int    `json:"column"`
		EndLine   int    `json:"end_line"`
		EndColumn int    `json:"end_column"`
		Message   string `json:"message"`
		Help      string `json:"help"`
	}
	items := make([]item, 0, len(l))
	for _, d := range l {
		it := item{Severity: d.Severity.String(), Rule: d.Rule, Message: d.Message, Help: d.Help}
		if f := d.Span.File; f != nil {
			it.File = f.Name
			it.Line, it.Column = f.Position(d.Span.Start)
			it.EndLine, it.EndColumn = f.Position(max(d.Span.End, d.Span.Start))
		}
		items = append(items, it)
	}
	return encode(items)
}

// The parts of SARIF 2.1.0 that are written.
type (
	sarifText struct {
		Text string `json:"text"`
	}
	sarifRule struct {
		ID string `json:"id"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn"`
		EndLine     int `json:"endLine"`
		EndColumn   int `json:"endColumn"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations,omitempty"`
	}
	sarifDriver struct {
		Name  string      `json:"name"`
		Rules []sarifRule `json:"rules"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
)

// SARIF renders the list as a SARIF 2.1.0 log.
func (l List) SARIF() []byte {
	run := sarifRun{ColumnKind: "unicodeCodePoints", Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: "emenda", Rules: []sarifRule{}}
	index := map[string]int{}
	for _, d := range l {
		if _, ok := index[d.Rule]; !ok {
			index[d.Rule] = len(index)
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{ID: d.Rule})
		}
		text := d.Message
		if d.Help != "" {
			text += " (" + d.Help + ")"
		}
		r := sarifResult{
			RuleID: d.Rule, RuleIndex: index[d.Rule], Level: d.Severity.String(),
			Message: sarifText{Text: text},
		}
		if f := d.Span.File; f != nil {
			var loc sarifLocation
			loc.Physical.Artifact.URI = uri(f.Name)
			g := &loc.Physical.Region
			g.StartLine, g.StartColumn = f.Position(d.Span.Start)
			g.EndLine, g.EndColumn = f.Position(max(d.Span.End, d.Span.Start))
			r.Locations = []sarifLocation{loc}
		}
		run.Results = append(run.Results, r)
	}
	return encode(sarifLog{
		Schema:  "https://json.schemastore.org/sarif-2.1.0.json",
		Version: "2.1.0",
		Runs:    []sarifRun{run},
	})
}

// uri gives a file name as the relative reference SARIF asks for.
func uri(name string) string {
	parts := slices.Collect(strings.SplitSeq(name, "/"))
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return strings.Join(parts, "/")
}

func encode(v any) []byte {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		panic(err) // only texts and numbers are encoded: cannot happen
	}
	return []byte(b.String())
}

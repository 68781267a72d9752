package main

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/jsonx"
)

// TestFaults: the contract itself faults all that is generated to be wrong,
// where it is wrong, and what it is generated from is fine.
func TestFaults(t *testing.T) {
	ops, err := erpOperations()
	require.NoError(t, err)
	kinds := map[string]int{}
	for _, op := range ops {
		base, ok := goodRequest(op)
		require.True(t, ok, op.ID)
		require.Empty(t, accept(op, wrongs{path: base.path, query: base.query, body: base.body}), op.ID)
		f := faultsOf(op, base)
		require.Equal(t, requiredFields(op.BodySchema), f.taken, op.ID)
		for _, w := range f.all {
			kinds[w.kind]++
			if len(w.pointers) == 0 || w.kind == wrongFile {
				continue
			}
			told := accept(op, w)
			for _, p := range w.pointers {
				require.Contains(t, told, p, "%s: %s %s?%s %s", op.ID, w.kind, w.path, w.query, w.body)
			}
		}
		if w, ok := f.together(); ok {
			kinds["together"]++
			require.Subset(t, accept(op, w), w.pointers, op.ID)
		}
	}
	for _, kind := range []string{
		lacksField, nullField, lacksParam, wrongKind, listedParam, wrongEnum, wrongPattern, wrongBounds,
		wrongLength, wrongElements, wrongFile, unmet, lacksBody, unknownKind, notPath, duplicated, brokenJSON, "together",
	} {
		require.Positive(t, kinds[kind], kind)
	}
	require.Equal(t, 16, kinds[unmet])
	require.Greater(t, kinds[wrongKind], 2000)
}

// accept holds a spelled request against its operation, and gives the pointers of what is wrong.
func accept(op *contract.Operation, w wrongs) (pointers []string) {
	query, err := url.ParseQuery(w.query)
	if err != nil {
		return nil
	}
	segments, template := strings.Split(w.path, "/"), strings.Split(op.Path, "/")
	params := make([]jsonx.Value, len(op.Params))
	for i, p := range op.Params {
		switch given := query[p.Name]; {
		case p.In == contract.InPath:
			if at := slices.Index(template, "{"+p.Name+"}"); at < len(segments) {
				text, _ := url.PathUnescape(segments[at])
				params[i] = jsonx.TextValue(text)
			}
		case len(given) == 1:
			params[i] = jsonx.TextValue(given[0])
		case len(given) > 1:
			params[i] = jsonx.RawValue(string(written(given)))
		}
	}
	var body jsonx.Value
	if text := strings.TrimSpace(string(w.body)); text != "" {
		body = jsonx.RawValue(text)
	}
	for _, fault := range op.Accept(params, body) {
		pointers = append(pointers, fault.Pointer())
	}
	return pointers
}

package main

import (
	"encoding/json"
	"strings"

	"github.com/emenda-gateway/emenda/internal/contract"
)

// showERPCut lets every operation meet an ERP that reads the request and cuts.
func showERPCut(o options, r *report) error {
	ops, err := erpOperations()
	if err != nil {
		return err
	}
	w, err := startERP(o)
	if err != nil {
		return err
	}
	defer w.close()
	good := reply{status: 200, typ: "application/json", body: `{"resposta": "SUCESSO"}`}
	half := good
	half.cut = 9
	html := reply{status: 200, typ: "text/html", body: "<html><body>Manuten\u00e7\u00e3o</body></html>"}
	down := reply{status: 500, typ: "text/html", body: "<html><body>Erro</body></html>"}
	ways := []struct {
		name   string
		says   reply
		most   int // requests of a reading operation: one on a connection that had been kept may be made once more
		answer int
	}{
		{"it closes without a word", reply{cut: -1}, 2, 502},
		{"it closes in the middle of its answer", half, 1, 502},
		{"it answers a page", html, 1, 502},
		{"it answers a page and 500", down, 1, 502},
	}
	for _, way := range ways {
		for _, changes := range []bool{true, false} {
			word := "reading"
			if changes {
				word = "changing"
			}
			r.begin("%s: %s operations", way.name, word)
			n, calls := 0, 0
			for _, op := range ops {
				if byGateway(op) || op.Changes != changes || answersPages(op, way.says) {
					continue
				}
				d, ok := goodRequest(op)
				if !r.check(ok, "%s: no request", op.ID) {
					continue
				}
				n++
				calls += cutOne(w, r, d, good, way.says, way.most, way.answer)
			}
			r.notef("%d operations, sent %d times", n, calls)
		}
	}
	return nil
}

// answersPages tells whether an answer is one that an operation may give.
func answersPages(op *contract.Operation, says reply) bool {
	return op.AnswerKind == contract.NoAnswer && says.status == 204
}

// cutOne makes a good call, so that a connection is kept, and then one that fails.
func cutOne(w *erpWorld, r *report, d documented, good, says reply, most, status int) int {
	q := request{method: d.op.Method, path: d.path, query: d.query, body: d.body, header: w.headers(d.op)}
	if d.body != nil {
		q.header = append(q.header, asJSON)
	}
	w.erp.answering(good)
	_, err := w.do(q)
	warm := w.erp.take()
	if !r.check(err == nil && len(warm) == 1, "%s: the call before: %v, arrived %d", d.op.ID, err, len(warm)) {
		return 0
	}
	w.erp.answering(says)
	a, err := w.do(q)
	seen := w.erp.take()
	if d.op.Changes {
		most = 1
	}
	r.check(len(seen) >= 1 && len(seen) <= most, "%s: sent %d times", d.op.ID, len(seen))
	for _, raw := range seen {
		r.check(raw == warm[0] || sameBut(raw, warm[0], "X-Request-Id"), "%s: it was sent in other words", d.op.ID)
	}
	if !r.check(err == nil, "%s: %v", d.op.ID, err) {
		return len(seen)
	}
	if inDoubt(d.op) {
		r.check(theNo(a), "%s: the client hears %s", d.op.ID, told(a))
		return len(seen)
	}
	var said map[string]string
	r.check(a.status == status && a.header.Get("Content-Type") == "application/json" && json.Unmarshal(a.body, &said) == nil && said["error"] != "",
		"%s: the client hears %s", d.op.ID, told(a))
	return len(seen)
}

// sameBut tells whether two raw requests differ in one header field alone.
func sameBut(a, b, name string) bool {
	strip := func(raw string) string {
		for _, v := range fieldsOf(raw, name) {
			raw = strings.Replace(raw, v, "", 1)
		}
		return raw
	}
	return strip(a) == strip(b)
}

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/emenda-gateway/emenda/internal/contract"
)

// showERPWalk sends every documented request of the ERP's contract through the
// gateway to a recording stub of the ERP, which answers as documented.
func showERPWalk(o options, r *report) error {
	ops, err := erpOperations()
	if err != nil {
		return err
	}
	w, err := startERP(o)
	if err != nil {
		return err
	}
	defer w.close()
	walk := erpWalk{w, r}

	r.begin("every documented request as documented")
	var excepted []string
	passed, own, sent := map[string]bool{}, 0, 0
	for _, op := range ops {
		for _, ex := range op.Exchanges {
			d := requestOf(op, ex)
			switch {
			case byGateway(op):
				own++
				walk.own(d)
				continue
			case ex.Exception != "":
				excepted = append(excepted, fmt.Sprintf("%s (%s): %s", op.ID, ex.Name, ex.Exception))
				walk.excepted(d)
				continue
			}
			passed[op.ID] = true
			sent++
			walk.through(d, "its answer", answerFor(op, ex), "")
		}
	}
	r.notef("%d operations, %d examples passed on", len(passed), sent)

	r.begin("the same as clients write it: laid out, more fields, more parameters, a body in chunks, fields of theirs")
	sent = 0
	for _, op := range ops {
		for _, ex := range op.Exchanges {
			if byGateway(op) || ex.Exception != "" {
				continue
			}
			sent++
			walk.through(looser(requestOf(op, ex)), "its answer", answerFor(op, ex),
				"Cookie: JSESSIONID=of-the-caller\r\nX-Forwarded-For: 10.1.2.3\r\nProxy-Authorization: Basic b2Y6Y2FsbGVy\r\nApp: "+erpApp+"\r\nToken: "+w.ticket)
		}
	}
	r.notef("%d examples", sent)

	r.begin("every documented answer that is no good one")
	sent = 0
	for _, op := range ops {
		d, ok := goodRequest(op)
		if byGateway(op) || !ok {
			continue
		}
		for _, name := range sortedNames(op.Examples) {
			if ex := op.Examples[name]; ex.Failure || ex.Status >= 300 {
				sent++
				walk.through(d, "failure "+name, reply{status: ex.Status, typ: ex.Type, body: ex.Answer}, "")
			}
		}
	}
	r.notef("%d failures", sent)

	r.begin("HEAD of what GET reads")
	sent = 0
	for _, op := range ops {
		if d, ok := goodRequest(op); ok && op.Method == "GET" && !byGateway(op) {
			sent++
			walk.head(d)
		}
	}
	r.notef("%d operations", sent)

	r.begin("tokens")
	r.check(w.erp.tokens == 1, "the ERP granted %d tokens", w.erp.tokens)

	r.begin("what the ERP says of the gateway's own password is nothing for the caller")
	for _, op := range ops {
		if d, ok := goodRequest(op); ok && !byGateway(op) {
			walk.blamed(d)
		}
	}

	r.begin("the ERP's sign-in")
	r.check(w.erp.wrong == 0, "the ERP was asked for %d tokens by somebody it does not know", w.erp.wrong)

	r.begin("in sum")
	r.check(len(passed)+len(onlyExcepted(ops))+2 == len(ops), "%d operations passed on, %d excepted whole, 2 answered by the gateway, of %d", len(passed), len(onlyExcepted(ops)), len(ops))
	r.notef("%d operations of the contract: %d passed on, %d documented by an excepted example alone, 2 answered by the gateway itself (%d examples)",
		len(ops), len(passed), len(onlyExcepted(ops)), own)
	r.printf("exceptions: %d documented requests do not fit what the document requires, and are refused", len(excepted))
	for _, e := range excepted {
		r.printf("  %s", strings.Join(strings.Fields(e), " "))
	}
	return nil
}

// onlyExcepted gives the operations none of whose documented requests fits.
func onlyExcepted(ops []*contract.Operation) (all []string) {
	for _, op := range ops {
		if !slices.ContainsFunc(op.Exchanges, func(e *contract.Exchange) bool { return e.Exception == "" }) {
			all = append(all, op.ID)
		}
	}
	return all
}

func sortedNames(m map[string]*contract.Example) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// answerFor is the documented answer; where none is, one of its kind.
func answerFor(op *contract.Operation, ex *contract.Exchange) reply {
	if ex.Answer != nil {
		a := reply{status: ex.Answer.Status, typ: ex.Answer.Type, body: ex.Answer.Answer}
		if op.AnswerKind == contract.FileAnswer {
			a.body = "%PDF-1.4\n\x00\xff\xfe\r\n\r\n%%EOF\n"
			a.header = "Content-Disposition: attachment; filename=\"" + "boleto 1.pdf" + "\"\r\n"
		}
		return a
	}
	switch op.AnswerKind {
	case contract.NoAnswer:
		return reply{status: 204}
	case contract.TextAnswer:
		return reply{status: 200, typ: "text/plain;charset=UTF-8", body: "SUCESSO\n"}
	}
	return reply{status: 200, typ: "application/json;charset=UTF-8", body: `{ "resposta" : "SUCESSO", "ç": 1.50 }` + "\n"}
}

// goodRequest is a documented request that fits, or the only one with what it lacks.
func goodRequest(op *contract.Operation) (documented, bool) {
	for _, ex := range op.Exchanges {
		if ex.Exception == "" {
			return requestOf(op, ex), true
		}
	}
	d := requestOf(op, op.Exchanges[0])
	tree, err := parse(d.body)
	if err != nil {
		return d, false
	}
	d.body = written(mended(op.BodySchema, tree))
	return d, true
}

// looser is a request with what the ERP overlooks.
func looser(d documented) documented {
	if d.body != nil {
		var b bytes.Buffer
		if json.Indent(&b, d.body, " ", "\t") == nil {
			text := b.String()
			if strings.HasPrefix(text, "{") && text != "{}" {
				text = "{ \"deMais\u00e7\" :\t[1.500, null],\r\n" + text[1:]
			}
			d.body = []byte("\r\n " + text + "\n")
		}
	}
	if !inDoubt(d.op) { // a mapping sends what it knows
		more := "deMais=a%20b+c%C3%A7&vazio=&sozinho"
		if d.query != "" {
			d.query += "&"
		}
		d.query += more
	}
	return d
}

type erpWalk struct {
	*erpWorld
	r *report
}

// through sends one request and holds what arrives at the ERP and what comes back against what must.
func (k erpWalk) through(d documented, what string, says reply, more string) {
	k.erp.answering(says)
	q := request{method: d.op.Method, path: d.path, query: d.query, body: d.body, header: k.headers(d.op)}
	if d.body != nil {
		q.header = append(q.header, asJSON)
	}
	if more != "" {
		q.chunked = d.body != nil
		q.header = append(q.header, strings.Split(more, "\r\n")...)
	}
	a, err := k.do(q)
	name := d.op.ID + " " + d.ex.Name + ", " + what
	seen := k.erp.take()
	if !k.r.check(err == nil, "%s: %v", name, err) || !k.r.check(len(seen) == 1, "%s: %d requests arrived (status %d: %.200s)", name, len(seen), a.status, a.body) {
		return
	}
	raw := seen[0]
	line, _, _ := strings.Cut(raw, "\r\n")
	k.r.check(line == d.op.Method+" "+d.target()+" HTTP/1.1", "%s: the request line is %q", name, line)
	k.r.check(bodyOf(raw) == string(d.body), "%s: the body is %q", name, bodyOf(raw))
	k.r.check(slices.Equal(fieldsOf(raw, "Authorization"), []string{ownBasic}), "%s: Authorization is not the gateway's own", name)
	var token []string
	if d.op.Token {
		token = []string{sessionToken}
	}
	k.r.check(slices.Equal(fieldsOf(raw, "Token"), token), "%s: Token is not the gateway's own", name)
	k.r.check(d.body == nil || field1(raw, "Content-Type") == "application/json", "%s: Content-Type %q", name, fieldsOf(raw, "Content-Type"))
	for _, secret := range []string{k.ticket, erpAppPassword, basic(erpApp, erpAppPassword)[len("Authorization: Basic "):], "JSESSIONID", "10.1.2.3", "b2Y6Y2FsbGVy"} {
		k.r.check(!strings.Contains(raw, secret), "%s: what is the caller's reached the ERP", name)
	}
	k.r.check(a.status == says.status, "%s: status %d, documented %d: %.200s", name, a.status, says.status, a.body)
	k.r.check(string(a.body) == says.body, "%s: the answer is %.200q", name, a.body)
	if says.typ != "" {
		k.r.check(a.header.Get("Content-Type") == says.typ, "%s: Content-Type %q, documented %q", name, a.header.Get("Content-Type"), says.typ)
	}
	if says.header != "" {
		k.r.check("Content-Disposition: "+a.header.Get("Content-Disposition")+"\r\n" == says.header, "%s: Content-Disposition %q", name, a.header.Get("Content-Disposition"))
	}
}

// excepted sends a documented request that lacks what is required: it is refused.
func (k erpWalk) excepted(d documented) {
	a, err := k.do(request{method: d.op.Method, path: d.path, query: d.query, body: d.body, header: k.headers(d.op, asJSON)})
	if k.r.check(err == nil, "%s: %v", d.op.ID, err) {
		k.r.check(a.status == 400, "%s: excepted, status %d", d.op.ID, a.status)
		k.r.check(len(k.erp.take()) == 0, "%s: excepted, and sent", d.op.ID)
	}
}

// own asks for what the gateway answers itself.
func (k erpWalk) own(d documented) {
	a, err := k.do(request{method: d.op.Method, path: d.path, query: d.query, body: d.body, header: k.headers(d.op)})
	if !k.r.check(err == nil, "%s: %v", d.op.ID, err) {
		return
	}
	var said map[string]string
	k.r.check(a.status == 200 && json.Unmarshal(a.body, &said) == nil && len(said) == 1, "%s: status %d: %.100s", d.op.ID, a.status, a.body)
	for _, token := range said {
		k.r.check(strings.Count(token, ".") == 2 && token != sessionToken, "%s: not a token of the gateway's own", d.op.ID)
	}
	k.r.check(len(k.erp.take()) == 0, "%s: it was passed on", d.op.ID)
}

// head asks for the head of an answer alone.
func (k erpWalk) head(d documented) {
	says := answerFor(d.op, d.ex)
	k.erp.answering(says)
	a, err := k.do(request{method: "HEAD", path: d.path, query: d.query, header: k.headers(d.op)})
	seen := k.erp.take()
	if !k.r.check(err == nil, "HEAD %s: %v", d.op.ID, err) {
		return
	}
	k.r.check(len(seen) == 1 && strings.HasPrefix(seen[0], "GET "+d.target()+" HTTP/1.1\r\n"), "HEAD %s: arrived %q", d.op.ID, seen)
	k.r.check(a.status == says.status && len(a.body) == 0 && a.header.Get("Content-Length") == fmt.Sprint(len(says.body)) && a.header.Get("Content-Type") == says.typ,
		"HEAD %s: status %d, %d bytes, %v", d.op.ID, a.status, len(a.body), a.header)
}

// blamed lets the ERP refuse the gateway's credentials: its callers, who have
// done nothing wrong, must not hear 401, upon which they fetch another token.
func (k erpWalk) blamed(d documented) {
	k.erp.answering(reply{status: 401, typ: "application/json", body: `{"status":"UNAUTHORIZED"}`})
	q := request{method: d.op.Method, path: d.path, query: d.query, body: d.body, header: k.headers(d.op)}
	if d.body != nil {
		q.header = append(q.header, asJSON)
	}
	a, err := k.do(q)
	seen := k.erp.take()
	if inDoubt(d.op) && err == nil {
		k.r.check(theNo(a), "%s: %s", d.op.ID, told(a))
		return
	}
	k.r.check(err == nil && a.status == 502 && a.header.Get("Content-Type") == "application/json", "%s: %v %s", d.op.ID, err, told(a))
	k.r.check(len(seen) >= 1 && (d.op.Token || len(seen) == 1), "%s: sent %d times", d.op.ID, len(seen))
}

package sandbox

import (
	"encoding/json"
	"strings"
)

// subject tells whose call it is: the document of the customer or prospect that
// the request names, "" where it names nobody. It reads the body.
func (s *Sandbox) subject(op *operation, r *request) string {
	if op == nil {
		return ""
	}
	fields := map[string]any{}
	if body, err := r.load(); err == nil {
		dec := json.NewDecoder(strings.NewReader(string(body)))
		dec.UseNumber()
		var v any
		if dec.Decode(&v) == nil {
			if list, ok := v.([]any); ok && len(list) > 0 {
				v = list[0] // of a list of one customer's
			}
			if m, ok := v.(map[string]any); ok {
				fields = m
			}
		}
	}
	named := func(name string) string {
		if v, ok := r.words[name]; ok {
			return v
		}
		if v := r.http.URL.Query().Get(name); v != "" {
			return v
		}
		return mvnoFields(fields).text(name)
	}
	number := func(name string) int64 {
		n, _ := digits(named(name))
		return n
	}
	switch {
	case strings.HasPrefix(op.id, "ozmap."):
		return s.subjectOfOzmap(op, r, fields)
	case strings.HasPrefix(op.id, "mvno."):
		return s.subjectOfLine(mvnoFields(fields))
	case op.id == "partner.callback":
		return s.subjectOfCallback(mvnoFields(fields))
	}
	for _, name := range []string{"cpf", "cnpj", "documento", "cpfcnpj"} {
		if v := bare(named(name)); v != "" {
			return v
		}
	}
	if who := foreignDocument(named("observacaoProspecto")); who != "" {
		return who
	}
	if strings.HasPrefix(op.id, "comercial.prospectos.") {
		if n := max(number("idProspecto"), number("id")); n != 0 {
			p, _ := find(s.data, &s.data.prospects, func(p prospect) bool { return p.ID == n })
			return p.who()
		}
	}
	if n := number("idCliente"); n != 0 {
		c, _ := s.data.customer(n)
		return c.who()
	}
	if n := number("idContrato"); n != 0 {
		return s.ownerOf(n)
	}
	if t, ok := find(s.data, &s.data.tickets, func(t ticket) bool { return t.ID == number("id") }); ok {
		return s.ownerOf(t.Contract)
	}
	return ""
}

// who is the document by which a customer is told from others.
func (c customer) who() string {
	if c.document == "" {
		return c.foreign
	}
	return c.document
}

// ownerOf is the document of a contract's customer.
func (s *Sandbox) ownerOf(contract int64) string {
	k, _ := s.data.contract(contract)
	c, _ := s.data.customer(k.customer)
	return c.who()
}

// subjectOfOzmap goes by the code of the client that a request names, or is given.
func (s *Sandbox) subjectOfOzmap(op *operation, r *request, fields map[string]any) string {
	code := r.words["code"]
	if client, ok := fields["client"].(map[string]any); ok {
		code = mvnoFields(client).text("code")
	}
	if id := r.words["id"]; id != "" {
		s.ozmap.mu.Lock()
		if strings.HasPrefix(op.id, "ozmap.properties.") {
			id = s.ozmap.stores[ozProperties].find(id).text("client")
		}
		code = s.ozmap.stores[ozClients].find(id).text("code")
		s.ozmap.mu.Unlock()
	}
	n, _ := digits(code)
	return s.ownerOf(n)
}

// subjectOfLine goes by the customer of a request, or of the line that it names.
func (s *Sandbox) subjectOfLine(f mvnoFields) string {
	if who := bare(f.text("Cpf_Cnpj")); who != "" {
		return who
	}
	s.mvno.mu.Lock()
	defer s.mvno.mu.Unlock()
	id, _ := digits(f.text("numero_contrato"))
	c := s.mvno.byID(id)
	if c == nil {
		c = s.mvno.holder(mvnoLine{f.text("Linha_Contrato_DDD"), f.text("Linha_Contrato_NRO")})
	}
	if c == nil {
		return ""
	}
	return bare(c.Owner.text("Cpf_Cnpj"))
}

// subjectOfCallback goes by what a callback says was made.
func (s *Sandbox) subjectOfCallback(f mvnoFields) string {
	made, _ := f["identifiers"].(map[string]any)
	n, _ := digits(mvnoFields(made).text("cliente"))
	c, _ := s.data.customer(n)
	return c.who()
}

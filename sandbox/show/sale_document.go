package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// saleWrong is one thing that an answer says is wrong.
type saleWrong struct {
	Pointer string `json:"pointer"`
	Code    string `json:"code"`
	Detail  string `json:"detail"`
}

// saleProblem is a refusal (RFC 9457).
type saleProblem struct {
	Type, Title, Detail, Instance string
	Status                        int
	Errors                        []saleWrong
}

// showSaleDocument sends the document's own example: as it is, with its comma
// mended, and repaired.
func showSaleDocument(o options, r *report) error {
	w, box, err := sandboxed(o)
	if err != nil {
		return err
	}
	defer w.close()
	if err := saleSyntax(o, r, w, box); err != nil {
		return err
	}
	if err := saleMended(o, r, w, box); err != nil {
		return err
	}
	return saleRepaired(o, r, w, box)
}

func saleFile(o options, name string) ([]byte, error) {
	return os.ReadFile(filepath.Join(o.root, "mappings", "sale", "testdata", name))
}

// refusedSale sends what must be refused and reads why; nothing may have been called.
func refusedSale(r *report, w *standalone, box, language string, body []byte) (*saleProblem, *saleAnswer) {
	a, err := saleAsk(context.Background(), http.MethodPost, "http://"+w.address+"/v1/vendas", partnerKey, body, "Accept-Language: "+language)
	if !r.check(err == nil, "%v", err) {
		return nil, nil
	}
	p := &saleProblem{}
	if err := a.read(p); !r.check(err == nil, "%v", err) {
		return nil, nil
	}
	r.check(a.header.Get("Content-Type") == "application/problem+json" && p.Status == a.status && p.Instance == "/v1/vendas", "%s, %s", a, a.header.Get("Content-Type"))
	counts := map[string]int{}
	err = boxGet(box, "counts", &counts)
	r.check(err == nil && len(counts) == 0, "a refused sale called %v %v", counts, err)
	return p, a
}

// saleSyntax sends the example with its comma.
func saleSyntax(o options, r *report, w *standalone, box string) error {
	body, err := saleFile(o, "documento.txt")
	if err != nil {
		return err
	}
	line, column := strayComma(body)
	r.begin("unrepaired: the comma at line %d, column %d", line, column)
	for _, language := range []string{"pt", "es"} {
		p, a := refusedSale(r, w, box, language, body)
		if p == nil {
			continue
		}
		r.check(a.status == http.StatusBadRequest && len(p.Errors) == 0, "%s", a)
		numbers := regexp.MustCompile(`\d+`).FindAllString(p.Detail, -1)
		r.check(reflect.DeepEqual(numbers, []string{strconv.Itoa(line), strconv.Itoa(column)}), "told %q", p.Detail)
		r.printf("      %d %s", a.status, p.Detail)
	}
	return nil
}

// strayComma gives the place, from 1, of the first comma with nothing but blanks
// between it and a closing bracket.
func strayComma(body []byte) (line, column int) {
	at := regexp.MustCompile(`,\s*[}\]]`).FindIndex(body)
	if at == nil {
		return 0, 0
	}
	before := body[:at[0]]
	return bytes.Count(before, []byte("\n")) + 1, len(before) - bytes.LastIndexByte(before, '\n')
}

// saleMended sends the example with its comma mended: one answer with exactly
// what the golden files list.
func saleMended(o options, r *report, w *standalone, box string) error {
	body, err := saleFile(o, "documento_virgula.json")
	if err != nil {
		return err
	}
	var pointers []string
	for _, language := range []string{"pt", "es"} {
		var golden []saleWrong
		text, err := saleFile(o, filepath.Join("erros", "documento_virgula."+language+".json"))
		if err == nil {
			err = json.Unmarshal(text, &golden)
		}
		if err != nil {
			return err
		}
		r.begin("the comma mended, in %s: %d pointers", language, len(golden))
		p, a := refusedSale(r, w, box, language, body)
		if p == nil {
			continue
		}
		r.check(a.status == http.StatusUnprocessableEntity, "%s", a)
		r.check(reflect.DeepEqual(p.Errors, golden), "want %v\ngot %v", golden, p.Errors)
		r.check(!quotes(a.body, body), "a value that was sent is told back")
		pointers = pointers[:0]
		for _, e := range p.Errors {
			pointers = append(pointers, e.Code+" "+e.Pointer)
		}
	}
	for _, p := range pointers {
		r.printf("      422 %s", p)
	}
	return nil
}

// quotes tells whether an answer holds a text of six letters or more that stands
// as a value in what was sent.
func quotes(answer, sent []byte) bool {
	var doc any
	if json.Unmarshal(sent, &doc) != nil {
		return false
	}
	return slices.ContainsFunc(textsOf(doc), func(text string) bool { return len(text) >= 6 && bytes.Contains(answer, []byte(text)) })
}

// textsOf gives every text of a document.
func textsOf(v any) (all []string) {
	switch v := v.(type) {
	case string:
		all = append(all, v)
	case []any:
		for _, e := range v {
			all = append(all, textsOf(e)...)
		}
	case map[string]any:
		for _, e := range v {
			all = append(all, textsOf(e)...)
		}
	}
	return all
}

// saleRepaired sends the repaired example: understood, and sold.
func saleRepaired(o options, r *report, w *standalone, box string) error {
	body, err := saleFile(o, wholeSale)
	if err != nil {
		return err
	}
	understood, err := saleFile(o, "documento_reparado_entendido.json")
	if err != nil {
		return err
	}
	r.begin("repaired: how it is understood")
	a, err := saleAsk(context.Background(), http.MethodPost, "http://"+w.address+"/v1/vendas/validar", partnerKey, body)
	if !r.check(err == nil && a.status == http.StatusOK, "%v %v", a, err) {
		return nil
	}
	var said struct {
		Valid    bool
		Warnings []saleWrong
		Sale     map[string]any
	}
	var want map[string]any
	if err := json.Unmarshal(understood, &want); err != nil {
		return err
	}
	if err := a.read(&said); !r.check(err == nil, "%v", err) {
		return nil
	}
	r.check(said.Valid && len(said.Warnings) == 0, "%s", a)
	r.check(reflect.DeepEqual(said.Sale, want), "understood as %s", a.body)
	lines, _ := said.Sale["mobile_lines"].([]any)
	r.check(len(lines) == 2, "%d mobile lines", len(lines))
	var told []string
	for _, l := range lines {
		line := inside(l)
		told = append(told, fmt.Sprintf("%v %v", line["type"], line["msisdn"]))
	}
	r.notef("mobile_lines, an array inside broadband and an object beside it, are one list of %d: %s", len(lines), strings.Join(told, ", "))
	counts := map[string]int{}
	err = boxGet(box, "counts", &counts)
	r.check(err == nil && len(counts) == 0, "validar called %v %v", counts, err)

	r.begin("repaired: it becomes a sale")
	id, err := w.sell(body, "document-1")
	if !r.check(err == nil, "%v", err) {
		return nil
	}
	if _, err := w.until(id, saleSoon, func(s *saleState) bool { return s.waits() }); !r.check(err == nil, "%v", err) {
		return nil
	}
	if err := w.install(id); !r.check(err == nil, "%v", err) {
		return nil
	}
	s, err := w.until(id, saleSoon, is("done"))
	r.check(err == nil, "%v (last %+v)", err, s)
	l, err := ledger(box)
	if r.check(err == nil && len(l.Sales) == 1, "%v, %d people", err, len(l.Sales)) {
		got := counted(&l.Sales[0])
		r.check(got.String() == whole[wholeSale].String(), "want %s, got %s", whole[wholeSale], got)
		r.notef("%s", got)
	}
	return nil
}

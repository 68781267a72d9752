package main

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/emenda-gateway/emenda/sandbox"
)

// killedSale is one sale of the fourth demonstration: how it is sold, what goes
// wrong on the way, and what must be of it in the end.
type killedSale struct {
	*sold
	key    string // "": it is known by itself
	fails  string // the step that fails for good; "": none
	faults []sandbox.Fault
	state  string // how it must end
	want   made   // what must stand then
	person bool   // whether anything is made at all
}

// failure is one way in which a sale fails for good.
type failure struct {
	name, kind, state string
	operation         string // whose calls are refused, of this customer
	body              string // the refusal; "": the stand-in's own
	change            func(doc map[string]any)
	want              made
	nobody            bool // it fails before anything is made
}

// failures are the steps that fail for good, and what is left then: what the
// mapping says cannot be taken back, and the service calls that tell people of it.
var failures = []failure{
	{name: "the box is full", kind: wholeSale, state: "undone", nobody: true, change: func(doc map[string]any) {
		inside(doc, "products", "broadband", "installation_info", "address")["postal_code"] = "08001"
	}},
	{name: "credit", kind: wholeSale, state: "undone", operation: "comercial.prospectos.credito_interno.consultar",
		body: `{"resposta":{"possuiDivida":true,"faturas":[]}}`, want: made{prospects: 1}},
	{name: "no contract", kind: lineSale, state: "stuck", operation: "comercial.contratos.cadastrar.demais", want: made{prospects: 1, clients: 1, addresses: 1}},
	{name: "no reservation", kind: wholeSale, state: "undone", operation: "ozmap.properties.create",
		want: made{1, 1, 2, 1, 3, 0, 0, map[int64]int{callPortFixed: 1, callCancel: 3}}},
	{name: "no mobile line", kind: wholeSale, state: "undone", operation: "mvno.cadastrar_contrato",
		want: made{1, 1, 2, 1, 4, 0, 0, map[int64]int{callPortFixed: 1, callCancel: 4}}},
	{name: "no SIM card", kind: wholeSale, state: "undone", operation: "mvno.ativar_simcard",
		want: made{1, 1, 2, 1, 5, 0, 0, map[int64]int{callPortFixed: 1, callCancel: 5}}},
}

// passing are the operations that fail for a while, by the kind of sale that calls them.
var passing = map[string][]string{
	lineSale: {
		"comercial.prospectos.cadastrar", "comercial.prospectos.enderecos.cadastrar", "comercial.prospectos.credito_interno.consultar",
		"comercial.prospectos.converter.cliente", "comercial.clientes.enderecos", "comercial.contratos.cadastrar.demais",
		"comercial.cliente.dados.por_id", "mvno.cadastrar_contrato", "mvno.ativar_simcard", "mvno.consultar_status_simcard", "partner.callback",
	},
	fibreSale: {
		"comercial.prospectos.cadastrar", "comercial.prospectos.converter.cliente", "comercial.contratos.cadastrar.internet",
		"comercial.prospectos.viabilidade_tecnica.consultar", "ozmap.properties.create", "ozmap.ftth_clients.update", "partner.callback",
	},
	wholeSale: {
		"comercial.prospectos.cadastrar", "comercial.prospectos.enderecos.cadastrar", "comercial.prospectos.converter.cliente",
		"comercial.clientes.enderecos.cadastrar", "comercial.clientes.dados_debito.cadastrar", "comercial.contratos.cadastrar.pacote",
		"comercial.contratos.cadastrar.demais", "comercial.atendimentos.cadastrar", "area.cliente.atendimentos", "ozmap.properties.create", "ozmap.ftth_clients.update",
		"mvno.cadastrar_contrato", "mvno.ativar_simcard", "mvno.consultar_status_portabilidade", "partner.callback",
	},
}

// hiccups are how a call goes wrong in passing.
var hiccups = []sandbox.Fault{
	{Kind: sandbox.KindCutAfterRead}, {Kind: sandbox.KindCutBeforeRead}, {Kind: sandbox.KindStatus500}, {Kind: sandbox.KindTruncate},
	{Kind: sandbox.KindLatency, Delay: 700_000_000}, {Kind: sandbox.KindCutAfterRead, Delay: 300_000_000},
}

// planSales makes so many sales, numbered from first: one of ten fails for good, two
// of ten meet faults that pass, one of fifteen is sent without a key.
func planSales(all *sellers, chance *rand.Rand, first, many int) ([]*killedSale, error) {
	var out []*killedSale
	for i := range many {
		k := &killedSale{state: "done", person: true}
		kind := []string{wholeSale, wholeSale, lineSale, fibreSale}[i%4]
		var change func(map[string]any)
		var f *failure
		if i%10 == 0 {
			f = &failures[i/10%len(failures)]
			kind, change = f.kind, f.change
		}
		var err error
		if k.sold, err = all.of(kind, first+i, change); err != nil {
			return nil, err
		}
		if i%15 != 1 {
			k.key = fmt.Sprintf("sale %d", first+i)
		}
		switch {
		case f != nil:
			k.fails, k.state, k.want, k.person = f.name, f.state, f.want, !f.nobody
			if f.operation != "" {
				k.faults = []sandbox.Fault{{Operation: f.operation, Of: k.document(), Kind: sandbox.KindBusiness, Body: f.body, Times: -1}}
			}
		default:
			k.want = whole[kind]
		}
		if i%10 == 3 || i%10 == 7 {
			for range 1 + chance.IntN(3) {
				one := hiccups[chance.IntN(len(hiccups))]
				one.Operation = passing[kind][chance.IntN(len(passing[kind]))]
				one.Of, one.Times = k.document(), 1+chance.IntN(2)
				k.faults = append(k.faults, one)
			}
		}
		out = append(out, k)
	}
	return out, nil
}

func (k *killedSale) String() string {
	text := fmt.Sprintf("sale %d of %s", k.n, k.kind)
	if k.fails != "" {
		text += ", " + k.fails
	}
	var met []string
	for _, f := range k.faults {
		if f.Times > 0 {
			met = append(met, fmt.Sprintf("%s %s %d times", f.Operation, f.Kind, f.Times))
		}
	}
	if met != nil {
		text += ", " + strings.Join(met, ", ")
	}
	return text
}

package sandbox

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"
)

// mvnoOwner are the fields of a customer, those without which there is none first.
var mvnoOwner = []string{
	"Cpf_Cnpj", "Nome", "Rg", "DataNasc", "Cep", "TpLogradouro", "Logradouro", "Numero", "Complemen", "Bairro", "Cidade", "Uf",
	"DDDTelefone", "Telefone", "DDDCelular", "Celular", "NomeMae", "NomePai", "Email",
}

// owner takes a customer out of a request, the values as they came.
func (f mvnoFields) owner() (mvnoFields, mvnoSaid) {
	for _, name := range mvnoOwner[:2] {
		if f.text(name) == "" {
			return nil, missing(name)
		}
	}
	out := mvnoFields{}
	for _, name := range mvnoOwner {
		if v, ok := f[name]; ok {
			out[name] = v
		}
	}
	return out, mvnoSaid{}
}

// product reads a product that there is.
func (f mvnoFields) product() (int64, mvnoSaid) {
	text := f.text("Produto")
	if text == "" {
		return 0, missing("Produto")
	}
	id, ok := digits(text)
	if !ok || mvnoProducts[id] == "" {
		return 0, no(codeProduct, "PRODUTO %s NAO ENCONTRADO", text)
	}
	return id, mvnoSaid{}
}

// register is cadastrar_contrato.
func (m *mvno) register(f mvnoFields) mvnoSaid {
	owner, refused := f.owner()
	if owner == nil {
		return refused
	}
	product, refused := f.product()
	if product == 0 {
		return refused
	}
	line := mvnoLine{f.text("Linha_Contrato_DDD"), f.text("Linha_Contrato_NRO")}
	switch {
	case line.DDD == "":
		return missing("Linha_Contrato_DDD")
	case line.Number == "":
		return missing("Linha_Contrato_NRO")
	}
	c := &mvnoContract{ID: m.last + 1, Status: mvnoWaiting, Product: product, Owner: owner, mvnoLine: line}
	var checked object
	switch kind := f.text("Portabilidade"); kind {
	case "", "0":
		if m.holder(line) != nil {
			return onPlatform(line)
		}
		i := slices.Index(m.free, line)
		switch {
		case i >= 0:
			m.free = slices.Delete(m.free, i, i+1)
		case !line.abroad():
			return no(codeNumber, "NUMERO %s NAO ESTA DISPONIVEL", line)
		}
	case "1":
		if refused, checked = m.cadup(f, line); refused.code != 0 {
			refused.data = checked
			return refused
		}
		c.Port = &mvnoPort{Donor: f.text("Operadora_Doadora"), asked: m.now(), step: m.tokens.step()}
	default:
		return invalid("Portabilidade", kind)
	}
	m.last++
	m.contracts = append(m.contracts, c)
	m.made.add("line", line.String())
	return yes(append(object{"numero_contrato", c.ID, "Linha_Contrato_DDD", line.DDD, "Linha_Contrato_NRO", line.Number}, checked...)...)
}

func onPlatform(line mvnoLine) mvnoSaid {
	return no(codeOnPlatform, "NUMERO %s JA EXISTE NA BASE DA PLATAFORMA", line)
}

// changeOwner is alterar_cliente_contrato.
func (m *mvno) changeOwner(f mvnoFields) mvnoSaid {
	c, refused := m.living(f)
	if c == nil {
		return refused
	}
	owner, refused := f.owner()
	if owner == nil {
		return refused
	}
	c.Owner = owner
	return yes("numero_contrato", c.ID)
}

// changeProduct is trocar_produto.
func (m *mvno) changeProduct(f mvnoFields) mvnoSaid {
	c, refused := m.living(f)
	if c == nil {
		return refused
	}
	product, refused := f.product()
	if product == 0 {
		return refused
	}
	c.Product = product
	return yes("numero_contrato", c.ID, "Produto", product)
}

// freeNumbers is listar_numeros_disponiveis, of one DDD or of all.
func (m *mvno) freeNumbers(f mvnoFields) mvnoSaid {
	ddd := f.text("Linha_Contrato_DDD")
	out := []mvnoLine{}
	for _, line := range m.free {
		if ddd == "" || line.DDD == ddd {
			out = append(out, line)
		}
	}
	for i := 0; ddd == abroadDDD && len(out) < 40; i++ {
		if line := (mvnoLine{ddd, fmt.Sprintf("7%08d", i+1)}); m.holder(line) == nil {
			out = append(out, line)
		}
	}
	return yes("numeros", out)
}

// buyData is comprar_dados.
func (m *mvno) buyData(f mvnoFields) mvnoSaid {
	c, s, refused := m.card(f)
	if s == nil {
		return refused
	}
	text := f.text("Qtde_GB")
	if text == "" {
		return missing("Qtde_GB")
	}
	gb, err := strconv.ParseInt(text, 10, 32)
	switch {
	case err != nil || gb < 1:
		return no(codeGB, "QUANTIDADE DE GB INVALIDA: %s", text)
	case s.Status != simActive:
		return notActive(s)
	}
	c.Bought = append(c.Bought, gb)
	total := int64(0)
	for _, one := range c.Bought {
		total += one
	}
	return yes("numero_contrato", c.ID, "Numero_SimCard", s.ICCID, "Qtde_GB", gb, "Total_GB", total)
}

// mvnoDays is the longest statement.
const mvnoDays = 92

// statement is consultar_extrato: a day's consumption is invented from the
// contract and the day, and is the same each time.
func (m *mvno) statement(f mvnoFields) mvnoSaid {
	c, refused := m.contract(f)
	if c == nil {
		return refused
	}
	var days [2]time.Time
	for i, name := range []string{"data_inicial", "data_final"} {
		text := f.text(name)
		if text == "" {
			return missing(name)
		}
		layout := time.DateOnly
		if strings.Contains(text, "/") {
			layout = "02/01/2006"
		}
		day, err := time.Parse(layout, text)
		if err != nil {
			return invalid(name, text)
		}
		days[i] = day
	}
	if days[1].Before(days[0]) || days[1].Sub(days[0]) > mvnoDays*24*time.Hour {
		return no(codePeriod, "PERIODO INVALIDO: NO MAXIMO %d DIAS", mvnoDays)
	}
	type item struct {
		Day     string `json:"Data"`
		ICCID   string `json:"Numero_SimCard"`
		Seconds int    `json:"Consumo_Segundos"`
		SMS     int    `json:"Consumo_Sms"`
		MB      int    `json:"Consumo_Dados"`
	}
	out := []item{}
	s := m.of(c.ID)
	for day := days[0]; s != nil && !day.After(days[1]); day = day.AddDate(0, 0, 1) {
		if day.Before(mvnoBegan) || day.After(m.now()) {
			continue
		}
		h := fnv.New32a()
		_, _ = h.Write([]byte(strconv.FormatInt(c.ID, 10) + day.Format(time.DateOnly))) // it cannot fail
		n := int(h.Sum32() >> 8)
		out = append(out, item{day.Format(time.DateOnly), s.ICCID, n % 1800, n % 7, n % 2048})
	}
	return yes("numero_contrato", c.ID, "extrato", out)
}

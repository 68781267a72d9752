package sandbox

import (
	"slices"
	"strings"
	"time"
)

// The states of a portability, with their numbers.
const (
	portAsked    = "SOLICITADA"
	portUnderWay = "EM ANDAMENTO"
	portDone     = "CONCLUIDA"
	portFailed   = "FALHA"
	portCanceled = "CANCELADA"
)

var portNumbers = map[string]int{portAsked: 1, portUnderWay: 2, portDone: 3, portFailed: 4, portCanceled: 5}

// mvnoPort is a number on its way here.
type mvnoPort struct {
	Donor    string `json:"Operadora_Doadora"`
	Resent   int    `json:"Reenvios"`
	Canceled bool   `json:"Cancelada"`
	// asked is when it was asked for, the last time, and step how long each
	// state takes since.
	asked time.Time
	step  time.Duration
}

// state is what has become of a number's portability: the end of the number
// says how it goes.
func (p *mvnoPort) state(number string, now time.Time) string {
	steps := now.Sub(p.asked) / p.step
	switch {
	case p.Canceled:
		return portCanceled
	case steps < 1 || strings.HasSuffix(number, "0100"):
		return portAsked
	case steps < 2 || strings.HasSuffix(number, "0200"):
		return portUnderWay
	case strings.HasSuffix(number, "0501"), strings.HasSuffix(number, "0500") && p.Resent == 0:
		return portFailed
	}
	return portDone
}

// cadup checks a number that is to come here; what it found goes into the answer.
func (m *mvno) cadup(f mvnoFields, line mvnoLine) (mvnoSaid, object) {
	known, ported := "S", "N"
	var refused mvnoSaid
	holder := m.holder(line)
	switch {
	case f.text("Operadora_Doadora") == "":
		return missing("Operadora_Doadora"), nil
	case len(line.Number) < 8 || strings.HasSuffix(line.Number, "0404"):
		known = "N"
		refused = no(codeNoCADUP, "NUMERO %s NAO EXISTE NO CADUP", line)
	case holder != nil, slices.Contains(m.free, line):
		if holder != nil && holder.Port != nil {
			ported = "S"
		}
		refused = onPlatform(line)
	}
	return refused, object{"s_base_cadup", known, "s_base_portabilidade", ported}
}

// ported finds a contract whose number was asked for, and its state.
func (m *mvno) ported(f mvnoFields) (*mvnoContract, string, mvnoSaid) {
	c, refused := m.contract(f)
	switch {
	case c == nil:
		return nil, "", refused
	case c.Port == nil:
		return nil, "", no(codeNoPort, "CONTRATO %d SEM PORTABILIDADE", c.ID)
	}
	return c, c.Port.state(c.Number, m.now()), mvnoSaid{}
}

func (c *mvnoContract) portShown(state string) object {
	why := ""
	if state == portFailed {
		why = "TITULARIDADE DIVERGENTE NA OPERADORA DOADORA"
	}
	return object{
		"numero_contrato", c.ID, "Linha_Contrato_DDD", c.DDD, "Linha_Contrato_NRO", c.Number, "Operadora_Doadora", c.Port.Donor,
		"Status", portNumbers[state], "Descricao", state, "Motivo", why, "Data_Solicitacao", c.Port.asked.Format(time.DateTime),
	}
}

// portStatus is consultar_status_portabilidade.
func (m *mvno) portStatus(f mvnoFields) mvnoSaid {
	c, state, refused := m.ported(f)
	if c == nil {
		return refused
	}
	return yes(c.portShown(state)...)
}

// failed finds a contract whose portability failed: only then may it be touched.
func (m *mvno) failed(f mvnoFields) (*mvnoContract, mvnoSaid) {
	c, state, refused := m.ported(f)
	switch {
	case c == nil:
		return nil, refused
	case state != portFailed:
		return nil, no(codePortState, "PORTABILIDADE DO CONTRATO %d NAO ESTA COM FALHA (%s)", c.ID, state)
	}
	return c, mvnoSaid{}
}

// portAgain is reenviar_portabilidade.
func (m *mvno) portAgain(f mvnoFields) mvnoSaid {
	c, refused := m.failed(f)
	if c == nil {
		return refused
	}
	c.Port.asked, c.Port.step = m.now(), m.tokens.step()
	c.Port.Resent++
	return yes(c.portShown(portAsked)...)
}

// portCancel is cancelar_portabilidade.
func (m *mvno) portCancel(f mvnoFields) mvnoSaid {
	c, refused := m.failed(f)
	if c == nil {
		return refused
	}
	c.Port.Canceled = true
	return yes(c.portShown(portCanceled)...)
}

package sandbox

// contract finds the contract that a request names.
func (m *mvno) contract(f mvnoFields) (*mvnoContract, mvnoSaid) {
	number := f.text("numero_contrato")
	if number == "" {
		return nil, missing("numero_contrato")
	}
	id, ok := digits(number)
	if !ok {
		return nil, invalid("numero_contrato", number)
	}
	if c := m.byID(id); c != nil {
		return c, mvnoSaid{}
	}
	return nil, no(codeContract, "CONTRATO %d NAO ENCONTRADO", id)
}

// living finds a contract that is not cancelled.
func (m *mvno) living(f mvnoFields) (*mvnoContract, mvnoSaid) {
	c, refused := m.contract(f)
	if c != nil && c.Status == mvnoCanceled {
		return nil, no(codeEnded, "CONTRATO %d CANCELADO", c.ID)
	}
	return c, refused
}

// card finds a contract and its SIM, which the request may name or leave empty.
func (m *mvno) card(f mvnoFields) (*mvnoContract, *mvnoSIM, mvnoSaid) {
	c, refused := m.contract(f)
	if c == nil {
		return nil, nil, refused
	}
	own, number := m.of(c.ID), f.text("Numero_SimCard")
	switch {
	case number != "" && m.byICCID(number) == nil:
		return nil, nil, noCard(number)
	case own == nil:
		return nil, nil, no(codeNoSIM, "CONTRATO %d SEM SIMCARD", c.ID)
	case number != "" && own.ICCID != number:
		return nil, nil, no(codeOtherSIM, "SIMCARD %s NAO PERTENCE AO CONTRATO %d", number, c.ID)
	}
	return c, own, mvnoSaid{}
}

func missing(field string) mvnoSaid {
	return no(codeMissing, "CAMPO OBRIGATORIO NAO INFORMADO: %s", field)
}

func invalid(field, value string) mvnoSaid {
	return no(codeInvalid, "VALOR INVALIDO PARA O CAMPO %s: %s", field, value)
}

func noCard(number string) mvnoSaid { return no(codeSIM, "SIMCARD %s NAO ENCONTRADO", number) }

// shown is a SIM in an answer.
func (m *mvno) shown(s *mvnoSIM) object {
	out := object{"Numero_SimCard", s.ICCID, "Status", s.Status, "Situacao", s.Use}
	if c := m.byID(s.Contract); c != nil {
		out = append(out, "numero_contrato", c.ID, "Linha_Contrato_DDD", c.DDD, "Linha_Contrato_NRO", c.Number)
	}
	if s.Motive != "" {
		out = append(out, "MotivoBloqueio", s.Motive)
	}
	return out
}

// simStatus is consultar_status_simcard, by the SIM, by its contract or by the
// contract's line; of a line it tells the contract without a SIM, too.
func (m *mvno) simStatus(f mvnoFields) mvnoSaid {
	if f.text("numero_contrato") != "" {
		_, s, refused := m.card(f)
		if s == nil {
			return refused
		}
		return yes(m.shown(s)...)
	}
	number := f.text("Numero_SimCard")
	if line := (mvnoLine{f.text("Linha_Contrato_DDD"), f.text("Linha_Contrato_NRO")}); number == "" && line.Number != "" {
		return m.lineStatus(line)
	}
	if number == "" {
		return missing("Numero_SimCard")
	}
	s := m.byICCID(number)
	if s == nil {
		return noCard(number)
	}
	return yes(m.shown(s)...)
}

func (m *mvno) lineStatus(line mvnoLine) mvnoSaid {
	c := m.holder(line)
	if c == nil {
		return no(codeContract, "LINHA %s NAO ENCONTRADA", line)
	}
	if s := m.of(c.ID); s != nil {
		return yes(m.shown(s)...)
	}
	return yes("Status", c.Status, "numero_contrato", c.ID, "Linha_Contrato_DDD", c.DDD, "Linha_Contrato_NRO", c.Number)
}

// block is bloquear_simcard.
func (m *mvno) block(f mvnoFields) mvnoSaid { return m.blockTo(f, simBlocked) }

// blockPartly is bloquear_simcard_parcial.
func (m *mvno) blockPartly(f mvnoFields) mvnoSaid { return m.blockTo(f, simPartly) }

func (m *mvno) blockTo(f mvnoFields, status string) mvnoSaid {
	_, s, refused := m.card(f)
	motive := f.text("MotivoBloqueio")
	switch {
	case s == nil:
		return refused
	case motive == "":
		return missing("MotivoBloqueio")
	case mvnoMotives[motive] == "":
		return no(codeMotive, "MOTIVO DE BLOQUEIO INVALIDO: %s", motive)
	case s.Status != simActive && (s.Status != simPartly || status != simBlocked): // the ERP suspends in part, then whole
		return notActive(s)
	case s.Use != simInUse:
		return no(codeNotInUse, "SIMCARD %s NAO ESTA EM USO (%s)", s.ICCID, s.Use)
	}
	s.Status, s.Motive = status, motive
	return yes(m.shown(s)...)
}

func notActive(s *mvnoSIM) mvnoSaid {
	return no(codeNotActive, "SIMCARD %s NAO ESTA ATIVO (%s)", s.ICCID, s.Status)
}

// unblock is desbloquear_simcard.
func (m *mvno) unblock(f mvnoFields) mvnoSaid {
	_, s, refused := m.card(f)
	switch {
	case s == nil:
		return refused
	case s.Status != simBlocked && s.Status != simPartly:
		return no(codeNotBlocked, "SIMCARD %s NAO ESTA BLOQUEADO (%s)", s.ICCID, s.Status)
	}
	s.Status, s.Motive = simActive, ""
	return yes(m.shown(s)...)
}

// activate is ativar_simcard: a contract gets a SIM that is available.
func (m *mvno) activate(f mvnoFields) mvnoSaid {
	c, refused := m.living(f)
	if c == nil {
		return refused
	}
	if own := m.of(c.ID); own != nil {
		return no(codeHasSIM, "CONTRATO %d JA POSSUI O SIMCARD %s", c.ID, own.ICCID)
	}
	s, refused := m.available(f, "Numero_SimCard")
	if s == nil {
		return refused
	}
	s.Status, s.Use, s.Contract, c.Status = simActive, simInUse, c.ID, mvnoActive
	return yes(m.shown(s)...)
}

// available finds a SIM that a contract may get.
func (m *mvno) available(f mvnoFields, field string) (*mvnoSIM, mvnoSaid) {
	number := f.text(field)
	if number == "" {
		return nil, missing(field)
	}
	s := m.byICCID(number)
	switch {
	case s == nil:
		return nil, noCard(number)
	case s.Status != simFree:
		return nil, no(codeNotFree, "SIMCARD %s NAO DISPONIVEL (%s)", number, s.Status)
	}
	return s, mvnoSaid{}
}

// swap is trocar_simcard: the new SIM gets what the old one had.
func (m *mvno) swap(f mvnoFields) mvnoSaid {
	_, old, refused := m.card(f)
	switch {
	case old == nil:
		return refused
	case old.Status == simCanceled:
		return no(codeCanceled, "SIMCARD %s CANCELADO", old.ICCID)
	}
	s, refused := m.available(f, "Numero_SimCard_Novo")
	if s == nil {
		return refused
	}
	s.Status, s.Use, s.Contract, s.Motive = old.Status, old.Use, old.Contract, old.Motive
	old.Status, old.Use, old.Contract, old.Motive = simInactive, simIdle, 0, ""
	return yes(m.shown(s)...)
}

// release is disponibilizar_simcard. It is only noted here; see byICCID.
func (m *mvno) release(f mvnoFields) mvnoSaid {
	number := f.text("Numero_SimCard")
	if number == "" {
		return missing("Numero_SimCard")
	}
	s := m.byICCID(number)
	switch {
	case s == nil:
		return noCard(number)
	case s.Status != simInactive:
		return no(codeNotInactive, "SIMCARD %s NAO ESTA INATIVO (%s)", number, s.Status)
	case s.ordered.IsZero():
		s.ordered = m.now()
	}
	return mvnoSaid{words: "SOLICITACAO ACEITA, SERA PROCESSADA NA ROTINA MENSAL", data: m.shown(s)}
}

// cancel is cancelar_simcard. A contract that never had a SIM is cancelled too,
// and its number is free again.
func (m *mvno) cancel(f mvnoFields) mvnoSaid {
	c, s, refused := m.card(f)
	if s == nil {
		if refused.code != codeNoSIM {
			return refused
		}
		if c, refused = m.living(f); c == nil {
			return refused
		}
		c.Status, c.Released = mvnoCanceled, true
		if c.Port == nil {
			m.free = append(m.free, c.mvnoLine)
		}
		return yes("numero_contrato", c.ID)
	}
	if s.Status == simCanceled {
		return no(codeCanceled, "SIMCARD %s JA CANCELADO", s.ICCID)
	}
	s.Status, s.Motive, c.Status = simCanceled, "", mvnoCanceled
	return yes(m.shown(s)...)
}

// revive is reativar_simcard.
func (m *mvno) revive(f mvnoFields) mvnoSaid {
	c, s, refused := m.card(f)
	switch {
	case s == nil:
		return refused
	case s.Status != simCanceled:
		return no(codeNotCanceled, "SIMCARD %s NAO ESTA CANCELADO (%s)", s.ICCID, s.Status)
	}
	s.Status, s.Use, c.Status = simActive, simInUse, mvnoActive
	return yes(m.shown(s)...)
}

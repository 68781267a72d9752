package sandbox

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

// What a SIM is, and what is done with it.
const (
	simInactive  = "INATIVO"
	simFree      = "DISPONIVEL"
	simActive    = "ATIVO"
	simBlocked   = "BLOQUEADO"
	simPartly    = "BLOQUEADO PARCIAL"
	simCanceled  = "CANCELADO"
	simInUse     = "EM USO"
	simIdle      = "LIVRE"
	simReserved  = "RESERVADO"
	mvnoActive   = "ATIVO"
	mvnoWaiting  = "AGUARDANDO ATIVACAO"
	mvnoCanceled = "CANCELADO"
)

// mvnoSIM is one SIM card.
type mvnoSIM struct {
	ICCID    string `json:"Numero_SimCard"`
	Status   string `json:"Status"`
	Use      string `json:"Situacao"`
	Contract int64  `json:"numero_contrato,omitempty"`
	Motive   string `json:"MotivoBloqueio,omitempty"`
	// ordered is when it was asked to be made available.
	ordered time.Time
}

// mvnoLine is a telephone number.
type mvnoLine struct {
	DDD    string `json:"Linha_Contrato_DDD"`
	Number string `json:"Linha_Contrato_NRO"`
}

func (l mvnoLine) String() string { return "(" + l.DDD + ") " + l.Number }

// abroadDDD stands where a number of another country has its prefix.
const abroadDDD = "34"

// abroad tells whether a line is one of those that are all free until somebody has them.
func (l mvnoLine) abroad() bool {
	return l.DDD == abroadDDD && len(l.Number) == 9 && (l.Number[0] == '6' || l.Number[0] == '7') && strings.Trim(l.Number, "0123456789") == ""
}

// mvnoContract is a contract of the platform.
type mvnoContract struct {
	ID      int64  `json:"numero_contrato"`
	Status  string `json:"Status"`
	Product int64  `json:"Produto"`
	// Owner is the customer's fields as they came.
	Owner mvnoFields `json:"Cliente"`
	mvnoLine
	// Released says that the number is somebody else's to take.
	Released bool      `json:"Linha_Liberada,omitempty"`
	Bought   []int64   `json:"Pacotes_GB,omitempty"`
	Port     *mvnoPort `json:"Portabilidade,omitempty"`
}

// mvno is what the stand-in platform knows.
type mvno struct {
	now    func() time.Time
	tokens *mvnoTokens
	made   *made

	mu        sync.Mutex
	sims      []*mvnoSIM
	contracts []*mvnoContract
	free      []mvnoLine
	last      int64
	// counts are how often changing requests came and were done.
	counts map[mvnoKey]mvnoTally
}

type mvnoKey struct{ method, of string }

type mvnoTally struct{ received, done int }

func newMVNO(o MVNOOptions, now func() time.Time) *mvno {
	m := &mvno{now: now, tokens: newMVNOTokens(o, now)}
	m.reset()
	return m
}

// mvnoProducts are the products there are.
var mvnoProducts = map[int64]string{635: "MOVEL 10 GB", 636: "MOVEL 20 GB", 640: "MOVEL 40 GB"}

// mvnoMotives are the motives of blocks.
var mvnoMotives = map[string]string{"1": "INADIMPLENCIA", "2": "PERDA OU ROUBO", "3": "SOLICITACAO DO CLIENTE", "4": "SUSPEITA DE FRAUDE"}

// iccid is an invented SIM card's number of 19 or 20 digits, the last of which checks.
func iccid(digits, n int) string {
	number := fmt.Sprintf("895526%0*d", digits-7, n)
	return number + luhn(number)
}

// luhn is the digit that checks a number before it.
func luhn(number string) string {
	sum := 0
	for i := range len(number) {
		d := int(number[len(number)-1-i] - '0')
		if i%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return strconv.Itoa((10 - sum%10) % 10)
}

// mvnoBegan is when the demonstration contracts began.
var mvnoBegan = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// firstLine is the number before the first that is given to a contract.
const firstLine = 2200000

// reset brings back what there is at the start; see doc.go.
func (m *mvno) reset() {
	m.tokens.reset()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sims, m.contracts, m.free, m.last = nil, nil, nil, firstLine
	m.counts = map[mvnoKey]mvnoTally{}
	sims := 100
	add := func(id int64, number, status, use string, port *mvnoPort) {
		c := &mvnoContract{ID: id, Status: mvnoActive, Product: 635, mvnoLine: mvnoLine{"31", number}, Port: port,
			Owner: mvnoFields{"Cpf_Cnpj": "52998224725", "Nome": "CLIENTE TESTE DA SILVA", "Email": "cliente@example.com"}}
		m.contracts = append(m.contracts, c)
		switch status {
		case "":
			c.Status = mvnoWaiting
			return
		case simCanceled:
			c.Status = mvnoCanceled
		}
		sim := &mvnoSIM{ICCID: iccid(20, sims), Status: status, Use: use, Contract: id}
		if id == 2112697 {
			sim.ICCID = "89552600000020350219"
		}
		if status == simBlocked || status == simPartly {
			sim.Motive = "1"
		}
		sims++
		m.sims = append(m.sims, sim)
	}
	add(2124690, "999991001", simActive, simInUse, nil)
	add(2112697, "999991002", simActive, simInUse, nil)
	add(2140001, "999991003", simBlocked, simInUse, nil)
	add(2140002, "999991004", simPartly, simInUse, nil)
	add(2140003, "999991005", simCanceled, simInUse, nil)
	add(2140004, "999991006", simActive, simReserved, nil)
	add(2140005, "999991007", "", "", nil)
	for i, number := range []string{"988880100", "988880200", "988880300", "988880500", "988880501", "988880600"} {
		port := &mvnoPort{Donor: "OPERADORA EXEMPLO", asked: mvnoBegan, step: defaultPortStep}
		port.Canceled = number == "988880600"
		add(2130001+int64(i), number, simActive, simInUse, port)
	}
	for i := range 40 {
		m.sims = append(m.sims, &mvnoSIM{ICCID: iccid(20, 500+i), Status: simFree, Use: simIdle})
	}
	m.sims = append(m.sims,
		&mvnoSIM{ICCID: iccid(19, 600), Status: simFree, Use: simIdle},
		&mvnoSIM{ICCID: iccid(19, 601), Status: simInactive, Use: simIdle},
		&mvnoSIM{ICCID: iccid(20, 602), Status: simInactive, Use: simIdle})
	for _, ddd := range []string{"31", "11", "21"} {
		for i := range 40 {
			m.free = append(m.free, mvnoLine{ddd, fmt.Sprintf("99999%04d", i+1)})
		}
	}
}

// byICCID finds a SIM. The monthly job shows here: what was asked for in one
// month is available in the next.
func (m *mvno) byICCID(number string) *mvnoSIM {
	for _, s := range m.sims {
		if s.ICCID == number {
			m.job(s)
			return s
		}
	}
	// Cards of the other country are all there, and nobody's until they are used.
	if n := len(number); (n == 19 || n == 20) && strings.HasPrefix(number, "8934") && strings.Trim(number, "0123456789") == "" &&
		luhn(number[:n-1]) == number[n-1:] {
		s := &mvnoSIM{ICCID: number, Status: simFree, Use: simIdle}
		m.sims = append(m.sims, s)
		return s
	}
	return nil
}

func (m *mvno) job(s *mvnoSIM) {
	if s.Status != simInactive || s.ordered.IsZero() {
		return
	}
	at := s.ordered
	if !m.now().Before(time.Date(at.Year(), at.Month()+1, 1, 0, 0, 0, 0, at.Location())) {
		s.Status, s.ordered = simFree, time.Time{}
	}
}

// of finds the SIM of a contract.
func (m *mvno) of(contract int64) *mvnoSIM {
	for _, s := range m.sims {
		if s.Contract == contract {
			return s
		}
	}
	return nil
}

func (m *mvno) byID(id int64) *mvnoContract {
	for _, c := range m.contracts {
		if c.ID == id {
			return c
		}
	}
	return nil
}

// holder finds the contract that has a number.
func (m *mvno) holder(line mvnoLine) *mvnoContract {
	for _, c := range m.contracts {
		if c.mvnoLine == line && !c.Released {
			return c
		}
	}
	return nil
}

// tally counts a changing request.
func (m *mvno) tally(method mvnoMethod, f mvnoFields, received, done int) {
	key := mvnoKey{method.name, f.text("numero_contrato")}
	for _, name := range []string{"Numero_SimCard", "Linha_Contrato_NRO"} {
		if key.of == "" {
			if key.of = f.text(name); name == "Linha_Contrato_NRO" {
				key.of = f.text("Linha_Contrato_DDD") + key.of
			}
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.counts[key]
	m.counts[key] = mvnoTally{t.received + received, t.done + done}
}

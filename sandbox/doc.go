// Package sandbox is a stateful stand-in of the provider's ERP, of an SGP
// installation with the same customers, of an MVNO platform, of an OZmap, and of
// a sales partner who is called back, for newcomers, tests and partners' rehearsals: one real HTTP listener on this machine that
// answers as the ERP's document says, misbehaves only when told to, and holds
// invented people only.
//
// Promise: what the ERP's document shows is answered field by field and in the
// document's order; what the document leaves open is decided here once, listed
// under "Where the document is silent", and never varies from run to run.
// Nothing outside this machine can reach it: a listen address that is not
// loopback is refused.
//
//	s, err := sandbox.Start(sandbox.Options{})
//	defer s.Close(ctx)
//	// HTTP Basic sandbox:sandbox on s.URL()
//
// # Operations
//
//	auth.token.gerar                                      GET  /ws/auth/token/gerar
//	auth.token.renovar                                    PUT  /ws/auth/token/renovar                                      Token
//	comercial.cliente.dados                               POST /ws/comercial/cliente/dados
//	comercial.contrato.dados                              POST /ws/comercial/contrato/dados
//	comercial.contrato.habilitar_confianca                PUT  /ws/comercial/contrato/habilitar_confianca
//	area.cliente.informacoes                              GET  /ws/area/cliente/{idCliente}                                Token
//	financeiro.faturas.cliente.abertas                    GET  /ws/financeiro/faturas/cliente/{idCliente}
//	financeiro.faturas.abertas.enviar                     POST /ws/financeiro/faturas/abertas/{idCliente}/enviar
//	integracao.omnichannel.fatura.linha_digitavel.enviar  POST /ws/integracao/omnichannel/fatura/linha_digitavel/enviar    Token
//	area.cliente.equipamentos.ultima_conexao              GET  /ws/area/cliente/{idCliente}/equipamentos/ultima_conexao    Token
//	area.cliente.atendimentos                             GET  /ws/area/cliente/{idCliente}/atendimentos                   Token
//	telefonia.ligacoes.cadastrar                          POST /ws/telefonia/ligacoes/cadastrar
//	comercial.atendimentos.cadastrar                      POST /ws/comercial/atendimentos/cadastrar
//
// From a prospect to a contract, and the customers that there are:
//
//	terceiros.enderecos.cep                               GET  /ws/terceiros/enderecos/cep/{cep}                                            Token
//	comercial.viabilidade_tecnica.consultar               POST /ws/comercial/viabilidade_tecnica/consultar                                  Token
//	comercial.prospectos.cadastrar                        POST /ws/comercial/prospectos/cadastrar                                           Token
//	comercial.prospectos.enderecos.cadastrar              POST /ws/comercial/prospectos/enderecos/cadastrar                                 Token
//	comercial.prospectos.viabilidade_tecnica.consultar    POST /ws/comercial/prospectos/viabilidade_tecnica/consultar                       Token
//	comercial.prospectos.por_id                           GET  /ws/comercial/prospectos/{id}                                                Token
//	comercial.prospectos.buscar.vendedor                  GET  /ws/comercial/prospectos/buscar/vendedor/{idVendedor}                        Token
//	comercial.prospectos.atualizar                        PUT  /ws/comercial/prospectos/atualizar                                           Token
//	comercial.prospectos.aprovar.reprovar                 PUT  /ws/comercial/prospectos/aprovar/reprovar                                    Token
//	comercial.prospectos.converter.cliente                POST /ws/comercial/prospectos/converter/cliente                                   Token
//	comercial.clientes.enderecos                          GET  /ws/comercial/clientes/{idCliente}/enderecos                                 Token
//	comercial.clientes.enderecos.cadastrar                POST /ws/comercial/clientes/enderecos/cadastrar                                   Token
//	comercial.prospectos.credito_interno.consultar        POST /ws/comercial/prospectos/credito_interno/consultar                      Token
//	comercial.prospectos.spc.consultar                    POST /ws/comercial/prospectos/spc/consultar                                  Token
//	comercial.prospectos.clear_sale.consultar             POST /ws/comercial/prospectos/clear_sale/consultar                           Token
//	comercial.clientes.buscar.vendedor                    GET  /ws/comercial/clientes/buscar/vendedor/{idVendedor}                     Token
//	comercial.clientes.dados_debito                       GET  /ws/comercial/clientes/{idCliente}/dados_debito                         Token
//	comercial.clientes.dados_debito.cadastrar             POST /ws/comercial/clientes/dados_debito/cadastrar                           Token
//	telefonia.prefixos.cidade.portabilidade               GET  /ws/telefonia/prefixos/cidade/{idCidade}/portabilidade/{isPortabilidade} Token
//	telefonia.numeros.livres.prefixo                      GET  /ws/telefonia/numeros/livres/prefixo/{idPrefixo}                        Token
//	comercial.contratos.cadastrar.pacote                  POST /ws/comercial/contratos/cadastrar                                       Token
//	comercial.contratos.cadastrar.internet                POST /ws/comercial/contratos/cadastrar                                            Token
//	comercial.contratos.cadastrar.telefonia               POST /ws/comercial/contratos/cadastrar                                            Token
//	comercial.contratos.cadastrar.tv                      POST /ws/comercial/contratos/cadastrar                                            Token
//	comercial.contratos.cadastrar.demais                  POST /ws/comercial/contratos/cadastrar                                            Token
//	comercial.cliente.dados.por_id                        GET  /ws/comercial/cliente/{idCliente}/dados
//	comercial.contrato.dados.somente_contrato             POST /ws/comercial/contrato/dados
//	comercial.clientes.logar                              POST /ws/comercial/clientes/logar
//	financeiro.faturas.todas                              GET  /ws/financeiro/faturas/{cpfcnpj}/todas
//	financeiro.faturas.cliente.documento                  GET  /ws/financeiro/faturas/cliente/documento/{cpfcnpj}
//	financeiro.fatura.aberta.linha_digitavel              GET  /ws/financeiro/fatura/aberta/{IdFatura}/linha_digitavel
//	financeiro.fatura.linha_digitavel                     POST /ws/financeiro/fatura/{idFatura}/linha_digitavel
//	financeiro.fatura.imprimir                            GET  /ws/financeiro/fatura/{idFatura}/imprimir
//	financeiro.negociar                                   PUT  /ws/financeiro/negociar
//	comercial.atendimento.fechar                          PUT  /ws/comercial/atendimento/fechar
//	area.cliente.contrato                                 GET  /ws/area/cliente/contrato/{idContrato}                                       Token
//	financeiro.faturas.pagar                              PUT  /ws/financeiro/faturas/pagar                                                 Token
//	integracao.omnichannel.atendimentos.cliente           GET  /ws/integracao/omnichannel/atendimentos/cliente/{idCliente}                  Token
//	comercial.atendimentos.detalhe                        GET  /ws/comercial/atendimentos/{id}                                              Token
//	comercial.atendimentos.log.cadastrar                  POST /ws/comercial/atendimentos/log/cadastrar                                     Token
//	comercial.clientes.integracao.authentication          GET  /ws/comercial/clientes/integracao/authentication                             Token
//	comercial.clientes.integracao.authorization           GET  /ws/comercial/clientes/integracao/authorization                              Token
//	integracao.bittrainers.authentication                 GET  /ws/integracao/bittrainers/authentication                                    Token
//	integracao.bittrainers.authorization                  GET  /ws/integracao/bittrainers/authorization                                     Token
//
//	sgp.consultacliente                                   POST /ws/ura/consultacliente                                     app and token
//	sgp.liberacaopromessa                                 POST /ws/ura/liberacaopromessa                                   app and token
//	sgp.enviafatura                                       POST /ws/ura/enviafatura                                         app and token
//	sgp.verificaacesso                                    POST /ws/ura/verificaacesso                                      app and token
//	sgp.notificacaosistema                                POST /ws/ura/notificacaosistema                                  app and token
//	sgp.chamado                                           POST /ws/ura/chamado                                             app and token
//
//	mvno.<metodo>                                         POST /mvno                                                       token in the JSON
//	ozmap.users.login                                     POST   /api/v2/users/login?type=API                              login and password, or apiKey
//	ozmap.projects.list, .get                             GET    /api/v2/projects, /api/v2/projects/{id}                   Authorization
//	ozmap.box_types.list, .get                            GET    /api/v2/box-types, …/{id}                                 Authorization
//	ozmap.boxes.list, .get                                GET    /api/v2/boxes, …/{id}                                     Authorization
//	ozmap.properties.list, .get                           GET    /api/v2/properties, …/{id}                                Authorization
//	ozmap.properties.by_client                            GET    /api/v2/properties/client/{code}                          Authorization
//	ozmap.properties.create                               POST   /api/v2/properties                                        Authorization
//	ozmap.properties.update                               PATCH  /api/v2/properties/{id}                                   Authorization
//	ozmap.properties.delete                               DELETE /api/v2/properties/{id}                                   Authorization
//	ozmap.ftth_clients.list, .get                         GET    /api/v2/ftth-clients, …/{id}                              Authorization
//	ozmap.ftth_clients.update                             PATCH  /api/v2/ftth-clients/{id}                                 Authorization
//	ozmap.ftth_clients.delete                             DELETE /api/v2/ftth-clients/{id}                                 Authorization
//	geocoder.search                                       GET    /geocoder/search?q
//	ozmap.ftth_viability.radius                           GET    /api/v2/ftth-viability/radius?lat&lng&radius              Authorization
//
// These hold together, and a reset takes back what they did. Every other
// operation of the contract in mappings/contracts/erp answers its documented
// example, the one of the same request where there are several, the first one
// else; a file is a small PDF, and of an answer that is not documented
// {"data": [], "status": "OK"} is given. So do those above when a documented
// request names somebody that the sandbox does not have.
//
// HTTP Basic is asked of every one of the ERP's, the Token header of those
// marked so; SGP's have [SGPApp] and [SGPToken] in their form or JSON, the MVNO
// platform's a token that begins as [MVNOToken].
//
// # What to try
//
// Documents (comercial.cliente.dados):
//
//	12312312312     the document's own example: contracts 1283299 and 1283303, invoice 90
//	12345678900     the document's other example person: no invoices
//	11144477735     three open invoices of one contract, the document's example
//	52998224725     two contracts, an invoice over both, one paid
//	39053344705     suspended, invoices overdue with fine and interest
//	24681357928     waiting for installation, payment, enlargement
//	97531864282     a customer without any contract
//	11222333000181  a company: inactive, in negotiation, cancelled
//	12ABC34501DE35  a company with letters in its CNPJ; one status the table does not know
//	98765432100     nobody: {"ClienteEncontrato": false}
//
// Contracts (comercial.contrato.dados) by status:
//
//	1283299  HABILITADO                   1283303  HABILITADO EM CONFIANCA
//	1300011  SUSPENSO                     1300012  SUSPENSO PARCIALMENTE
//	1300021  AGUARDANDO INSTALACAO        1300022  AGUARDANDO PAGAMENTO
//	1300023  AGUARDANDO AMPLIACAO         1300031  INATIVO TEMPORARIAMENTE
//	1300032  EM NEGOCIACAO                1300033  CANCELADO, paid invoices only
//	1300042  a status outside the table   1283321  the document's example, client 81593
//	1300021  no invoice at all, so nothing in the answer names its client
//
// Contracts that do not exist, in the three ways it may show:
//
//	999999   200 {"error": "Contrato não encontrado"}, as any unknown number
//	404404   404 {"erro": "Contrato não encontrado"}
//	200200   200, an object without IDContrato
//
// Promises of payment (comercial.contrato.habilitar_confianca): any contract
// gets one, which makes it HABILITADO EM CONFIANCA for three days; one that is
// so already, a CANCELADO one and one that does not exist are answered
// {"resposta": "FALHA"}. /_sandbox/data counts the promises of each contract.
//
// Invoices sent by e-mail or SMS are listed by /_sandbox/data. Customer
// 24681357928 has no e-mail address, 12ABC34501DE35 no mobile telephone: "FALHA",
// {"error": …}; as is an invoice that is paid, somebody else's or not there.
//
// Sessions (area.cliente.equipamentos.ultima_conexao), per customer:
//
//	52998224725     online, an internet contract and a telephone
//	12345678900     offline, the session has ended
//	11144477735     offline, last on a concentrator (192.0.2.8) that mappings show as maintained
//	12312312312     online, several internet contracts, so no telling which
//	39053344705     the same, not updated for an hour; a service call with a visit
//	24681357928     never connected
//
// Incoming calls (telefonia.ligacoes.cadastrar) and service calls
// (comercial.atendimentos.cadastrar) are listed by /_sandbox/data; a service
// call that was opened is also seen by area.cliente.atendimentos.
//
// # SGP
//
// The six forms of SGP's "WebService URA" answer from the same customers, as
// its specification says and as installations are known to answer: the lookup
// with some fifty fields, passwords among them (none is real), blanks about a
// status, an action with what else belongs to it. Wrong credentials are 403.
//
//	1300001  online                  1282441  its concentrator is maintained (8)
//	311622   offline: status 0 beside the misspelt staus 2
//	1300041  its region is maintained (9)
//	1300002  a telephone: neither (3)
//
// Motives of chamado are 40 to 43. What an installation says to too many
// requests, with the status of wrong credentials, is the fault
// {"kind": "business", "status": 403, "body": {"detail": "Pedido foi limitado."}}.
//
// # MVNO platform
//
// The platform is one URL, POST /mvno, with its own JSON: metodo, token and the
// method's fields, of which a number may come as a number or as text. It answers
// 200 to whatever is JSON:
//
//	{"retorno": {"codigo": 0, "mensagem": "OPERACAO REALIZADA COM SUCESSO"}, …, "token": "…", "tempo_vida": "3600"}
//	{"retorno": "ACESSO NAO AUTORIZADO"}      the token does not hold, and nothing was done
//
// The methods, with the fields they need ([optional]) and what is in the answer
// beside retorno. C is numero_contrato; S is Numero_SimCard, which may be empty
// where C is given: the contract's own. codigo is text in those marked ", a number
// in the others, each always the same.
//
//	autenticar                       usuario, senha → token [tempo_vida]
//	cadastrar_contrato               Cpf_Cnpj, Nome, Produto, Linha_Contrato_DDD, Linha_Contrato_NRO [the customer's other
//	                                 fields; Portabilidade 0 or 1, and with 1 Operadora_Doadora] → C and the line, with
//	                                 Portabilidade 1 also s_base_cadup, s_base_portabilidade ("S", "N"), in refusals too
//	listar_numeros_disponiveis     " [Linha_Contrato_DDD] → numeros: [{Linha_Contrato_DDD, Linha_Contrato_NRO}]
//	ativar_simcard                   C, Numero_SimCard → the SIM
//	consultar_status_simcard       " C or S, or Linha_Contrato_DDD and Linha_Contrato_NRO → the SIM: Numero_SimCard, Status, Situacao; C and the line where it has them,
//	                                 MotivoBloqueio where it is blocked
//	bloquear_simcard                 C [S], MotivoBloqueio 1 to 4 → the SIM
//	bloquear_simcard_parcial         C [S], MotivoBloqueio 1 to 4 → the SIM
//	desbloquear_simcard              C [S] → the SIM
//	trocar_simcard                 " C [S], Numero_SimCard_Novo → the new SIM
//	disponibilizar_simcard           Numero_SimCard → the SIM, as it still is
//	cancelar_simcard                 C [S] → the SIM
//	reativar_simcard                 C [S] → the SIM
//	comprar_dados                  " C [S], Qtde_GB → C, S, Qtde_GB, Total_GB
//	trocar_produto                   C, Produto 635, 636 or 640 → C, Produto
//	alterar_cliente_contrato         C, Cpf_Cnpj, Nome [the customer's other fields] → C
//	consultar_extrato              " C, data_inicial, data_final (2026-01-31 or 31/01/2026, at most 92 days) → C, extrato:
//	                                 [{Data, Numero_SimCard, Consumo_Segundos, Consumo_Sms, Consumo_Dados (MB)}]
//	consultar_status_portabilidade " C → C, the line, Operadora_Doadora, Status (1 to 5), Descricao (the state), Motivo,
//	                                 Data_Solicitacao
//	reenviar_portabilidade         " C → the same
//	cancelar_portabilidade         " C → the same
//
// Refusals by codigo:
//
//	1   a field is missing                  16  reativar: the SIM is not cancelled
//	2   a value cannot be read              17  disponibilizar: the SIM is not INATIVO
//	3   no such method                      18  ativar, trocar: the new SIM is not DISPONIVEL
//	10  no such contract                    19  the SIM is cancelled
//	11  no such SIM                         20  portability: the number is not in CADUP
//	12  the SIM is another contract's       21  the number is already on the platform
//	13  the SIM is not ATIVO                22  the number is not one of the free ones
//	14  bloquear: the SIM is not EM USO     23  ativar: the contract has a SIM
//	15  desbloquear: it is not blocked      24  the contract has no SIM
//	25  the contract is cancelled           30  no such motive
//	31  no such product                     32  Qtde_GB is not a whole number from 1
//	33  the period is turned or too long    40  the contract brought no number here
//	41  the portability is not in FALHA
//
// What there is, all of CLIENTE TESTE; GET /_sandbox/mvno/data lists it:
//
//	2124690  SIM 89552600000000001006, ATIVO, EM USO       2140001  BLOQUEADO
//	2112697  SIM 89552600000020350219, ATIVO, EM USO       2140002  BLOQUEADO PARCIAL
//	2140004  ATIVO, RESERVADO: not in use, no block        2140003  CANCELADO
//	2140005  AGUARDANDO ATIVACAO, no SIM yet
//	2130001  portability SOLICITADA, and stays             2130002  EM ANDAMENTO, and stays
//	2130003  CONCLUIDA                                     2130004  FALHA; sent again it succeeds
//	2130005  FALHA, each time                              2130006  CANCELADA
//
//	89552600000000005015 to …5395, 8955260000000006009     DISPONIVEL
//	8955260000000006017, 89552600000000006021              INATIVO
//	999990001 to 999990040, of the DDDs 31, 11 and 21      free numbers
//
// Numbers that are brought here (Portabilidade 1), by their end:
//
//	0404  not in CADUP, as is one shorter than eight digits
//	0100  stays SOLICITADA          0500  FALHA; sent again it succeeds
//	0200  stays EM ANDAMENTO        0501  FALHA, each time
//	else  SOLICITADA, EM ANDAMENTO after 30 seconds, CONCLUIDA after 60, by [Options].Now
//
// Each so many answers one carries a new token where [MVNOOptions] or the control
// call says so; it holds from then on, the old ones for the grace. Calls whose
// token held count, autenticar and what a fault answers in the method's place do
// not. autenticar tells the token that holds, a new one where none does. A token
// whose answer is cut on the way is lost, as in life: sign in again. The faults
// of the others go for mvno.<metodo> as well; expired_token ends the call's token,
// and business with the body {"retorno": "…"} ([BodyMVNOText]) is a refusal of the
// wrong shape.
//
//	GET  /_sandbox/mvno       settings, how many tokens, answers and refused calls there were, and how often each
//	                          changing request came and was done, by metodo and contract (else SIM, or DDD and number)
//	POST /_sandbox/mvno       {"rotate_every": 3, "grace": "2s"}; also "life", "login_renews", "portability_step"
//	GET  /_sandbox/mvno/data  SIMs, contracts, free numbers, portabilities
//
// # OZmap
//
// The API v2 below /api/v2, which OZmap's own client for Node can work with. A
// key stands in Authorization as it is: [OzmapToken], or [OzlocToken] of a user
// who may only look at boxes and viability, or one that the login gave to an
// account ([OzmapLogin], [OzmapPassword]) or to one of these keys; anything else
// is 401. Lists are {total, count, start, limit, rows, hasNextPage, nextUrl};
// filter and sort come in the body of the GET or, as JSON, in the query, beside
// page, start, limit, select[] and populate[]. The operators are = != like near
// all exists < <= > >= in notin within; conditions in a list inside are OR.
//
// The network lies around -20.66, -43.76:
//
//	CTO-01  60 m    16 ports, 9 of them free
//	CTO-03  90 m    8 ports, full: refused
//	CTO-04  120 m   only planned: refused
//	CTO-02  150 m   8 ports, one free
//	CTO-05  4 km    16 ports, 15 of them free
//
// Clients by code: 1300001 implanted, 1300021 reserved only, 777 twice, 123|123.
// A property takes a port when auto_connect says so, and is refused (422) where
// none is free unless force does. connector: null disconnects its drop, box: null
// takes it away. With a property its client and its drop go; without its client
// it stays, with its port. A client may have a code that another one has. The
// fault expired_token ends the login's key of the call; of any other key it
// refuses this one call.
//
// The geocoder, which speaks as Nominatim does, knows every number of the Rua
// Exemplo (near the network) and of the Rua Distante (far from it).
//
// # A sale
//
// A convergent sale can be made whole: viability, prospect, credit, customer,
// addresses, debit, landline number, contracts, reservation, lines, and the
// partner's callback. What there is to try:
//
//	postal code   28028, 46870   a street, and a box with room (20 000 ports)
//	              28001          a box with room, and no network for the ERP: REPROVADO
//	              08001          a box that is full: no viability in OZmap
//	              any other      nowhere for the geocoder, unknown to the ERP
//	document      9991…          internal credit: a debt      9992…  SPC: refused
//	              9993…          Clear Sale: 12.5 points; everybody else has 90.99
//	              39053344705    a customer's, whose invoices are overdue: a debt
//	landline      city 9001      prefix 91 555, 9000 numbers, the first 1000 free ones are listed
//	              city 9002      (46870) a prefix without any free number
//	              city 100       prefix 31 3939
//	mobile line   34 6… or 7…    nine digits: free until a contract has it, and may be brought here
//	              …0404          brought here: not in CADUP; …0100, …0200, …0500, …0501 as below MVNO platform
//	SIM card      8934…          19 or 20 digits that check: there, and nobody's until it is used
//
// The ERP has the postal codes of the other country behind three zeros
// (00028028). A prospect of that country needs no CPF: its document is what
// observacaoProspecto tells after NIF, NIE, CIF or PASAPORTE. Whether somebody
// is a customer already is then nothing the ERP asks.
//
// A contract whose landline number has gone meanwhile is refused, a package
// whole. A number that the sandbox does not list is good, as a plan is.
//
//	GET /_sandbox/ledger   what stands in ERP, OZmap and MVNO platform by the customer's document, and under
//	                       twice what was made more than once since the reset, though it was undone since;
//	                       ?document= narrows. [Sandbox.Ledger]
//	GET /_sandbox/partner  the callbacks that came: signed, again, body. [Sandbox.Callbacks]
//
// The same prospect is one of the same document and note, the same address one
// of the same owner, place, number, complement, kind and landmark, the same
// contract one of the same customer, plan and note on the invoice, the same service call one of the
// same contract and text, the same line one of the same number, the same
// reservation one of the same code.
//
// # Partner
//
// POST /partner/callbacks ([PartnerPath]) is a sales partner's. A callback needs
// X-Emenda-Timestamp, seconds since 1970 and not five minutes off, and
// X-Emenda-Signature: sha256= and in hexadecimal digits the HMAC-SHA-256, with
// [PartnerKey], of the timestamp, a full stop and the body. It is answered 204,
// or 401. Faults are those of partner.callback.
//
// # Faults
//
// [Sandbox.Fault] adds one; [Kind] says what each does. The same over HTTP on
// the same listener, without credentials:
//
//	POST   /_sandbox/faults  {"operation": "comercial.cliente.dados", "kind": "latency", "delay": "2s", "times": 3}
//	                         one object or a list; also "status" and, for business, "body" (any JSON);
//	                         "of": only calls about the customer or prospect with this document, found by
//	                         what the request names (prospect, customer, contract, code, line; not viability
//	                         and postal codes); it needs an operation;
//	                         times: how many calls (0 counts as 1, -1 until removed)
//	GET    /_sandbox/faults  the faults still waiting
//	DELETE /_sandbox/faults  removes them all
//	GET    /_sandbox/calls   what arrived, oldest first; ?operation= narrows; credentials are masked
//	GET    /_sandbox/counts  how many calls of each operation were read whole
//	GET    /_sandbox/data    the demonstration customers
//	GET    /_sandbox/prospects   those that were registered
//	GET    /_sandbox/ozmap       everything that OZmap holds, with the free ports of each box
//	GET    /_sandbox/operations  everything that is answered, and what has a state
//	…      /_sandbox/mvno    the MVNO platform's tokens and changes, see above
//	POST   /_sandbox/reset   calls, counts, faults and data as at the start
//
// # Where the document is silent
//
// Wrong credentials and a missing, unknown or expired Token are 401 with
// {"error": …}. An unknown path, a wrong method, a body that is no JSON or has
// the wrong kind of value are the HTML page of an old servlet container (404,
// 405, 415, 400), a missing required field or an unreadable date its 500 page.
// A contract number may come as a number or as text; a document is compared
// without regard to case but its punctuation is not taken away. Repeated
// slashes in a path count as one. comercial.cliente.dados lists unpaid invoices
// only, comercial.contrato.dados paid ones too; each of the two dates narrows
// on its own. An unknown client has no open invoices (an empty list) and no
// card: {"error": "Cliente não encontrado"}. A promise of payment is refused
// without a reason, and not by the contract's status but where it cannot be
// given twice or comes too late: the document's own example is of a contract
// that it shows as HABILITADO elsewhere. A company's CNPJ stands under cpf,
// its dataNascimento is null.// A word is answered with its quotes, as JSON. The SMS of an invoice, of which
// the document shows no answer, is answered as its siblings are: {"data": …,
// "status": "OK"}. Of several invoices for one e-mail all are sent or none.
// Service calls, of which the document shows no list and no refusal, are listed
// as its OmniChannel operation lists them, and refused with {"error": …} for an
// unknown contract or an empty description. Any type and any department is good.
// A renewed token does not end the old one, which lives until its own time,
// unless [Options].RenewRevokes says so.
//
// A prospect needs a document (see A sale), and an address before it can be looked at for
// viability or become a customer; what the network reaches is the city 100
// (CEP 36404199), not Belo Horizonte (CEP 30130010), and CEP 36400000 has more
// than one street. A prospect that was refused, has become a customer, or has a
// customer's document is not converted. Any plan is good; a contract needs an
// address of its customer's, and its first invoice is open at once. An invoice
// paid whole enables a contract that was suspended and owes nothing more.
// Subscribers sign in with the document as user and as password, Gateway NEO
// and Bit Trainers are told yes of customers with an enabled contract.
// The fault cut_before_read of comercial.contratos.cadastrar and of the MVNO
// platform, whose operations only the body tells apart, comes after the body was read.
//
// Of the MVNO platform nothing public says more than the names of eight methods
// with four requests, the eighteen actions and their rules. Codes, words, the other
// spellings, autenticar, the products and the motives (1 INADIMPLENCIA, 2 PERDA OU
// ROUBO, 3 SOLICITACAO DO CLIENTE, 4 SUSPEITA DE FRAUDE) are decided here. A SIM that
// is blocked in part is not ATIVO, so it is unblocked before it is blocked whole.
// disponibilizar_simcard changes nothing at once; what was asked for in one month
// is DISPONIVEL from the first day of the next. A swapped SIM becomes INATIVO. A
// contract that never had a SIM is cancelled by cancelar_simcard all the same, and
// its number is free again; a SIM that is cancelled keeps its contract and number
// for reativar_simcard. ativar_simcard does not wait for a portability. What a
// customer's fields say is kept as it comes, a placeholder too. Repeats are done
// again wherever the state allows: data is bought twice.
//
// The document contradicts itself about client 81593, and so does the sandbox,
// on purpose: comercial.cliente.dados does not list its contracts 1283321 and
// 1283322, two different invoices are numbered 90, and the one shown there is
// cut short after ValorJuros.
package sandbox

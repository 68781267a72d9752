-- The lookup by nginx and Lua, the same answer as the others give.
local cjson = require "cjson.safe"

local statuses = {
  ["HABILITADO"] = { 1, "Ativo", 1 },
  ["HABILITADO EM CONFIANCA"] = { 1, "Ativo", 2 },
  ["SUSPENSO"] = { 4, "Suspenso", 1 },
  ["SUSPENSO PARCIALMENTE"] = { 4, "Suspenso", 2 },
}

local function trim(s) return (s:gsub("^%s+", ""):gsub("%s+$", "")) end

local function answer(status, body)
  ngx.status = status
  ngx.header["Content-Length"] = #body
  ngx.print(body)
end

-- An amount without zeros at its end.
local function amount(cents)
  local s = string.format("%d.%02d", math.floor(cents / 100), cents % 100)
  return (s:gsub("0+$", ""):gsub("%.$", ""))
end

ngx.req.read_body()
local form = ngx.req.get_post_args()
if form.token ~= "@TOKEN@" or form.app ~= "@APP@" then
  return answer(403, '{"detail":"Credenciais de autenticação incorretas."}')
end
local document = (form.cpfcnpj or ""):gsub("%D", "")
local said = ngx.location.capture("/erp", { method = ngx.HTTP_POST, body = '{"cpfcnpj":"' .. document .. '"}' })
local erp = said.status == 200 and cjson.decode(said.body)
if not erp then
  return answer(503, '{"detail":"Serviço indisponível"}')
end
if not erp.ClienteEncontrato then
  return answer(200, '{"msg":"Cliente não localizado","contratos":[]}')
end

local name = cjson.encode(trim(erp.NomeCliente or ""))
local out, n = { '{"msg":"Contrato(s) Localizado(s)","contratos":[' }, 1
for i, c in ipairs(erp.Contratos or {}) do
  local status = trim(c.StatusContrato or "")
  local known = statuses[status:upper()] or { 3, status, 1 }
  local cents = 0
  for _, f in ipairs(erp.Faturas or {}) do
    for _, id in ipairs(f.idsContratos or {}) do
      if id == c.IDContrato and f.Valor then
        cents = cents + math.floor(f.Valor * 100 + 0.5)
        break
      end
    end
  end
  out[n + 1] = (i > 1 and ',' or '') .. '{"razaoSocial":' .. name
    .. ',"contratoStatusDisplay":' .. cjson.encode(known[2])
    .. ',"promessasPagamentoMes":0,"contratoValorAberto":' .. amount(cents)
    .. ',"cpfCnpj":"' .. document
    .. '","contratoStatus":' .. known[1]
    .. ',"contratoId":' .. string.format("%d", c.IDContrato)
    .. ',"contratoStatusModo":' .. known[3] .. '}'
  n = n + 1
end
out[n + 1] = "]}"
answer(200, table.concat(out))

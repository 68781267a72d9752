package main

import (
	"os"
	"path/filepath"
)

// tillWorld is a small world of its own: a till that books payments at a bank
// and asks for balances.
var tillWorld = map[string]string{
	"gateway.yaml": `emenda: 1
gateway:
  listen: 127.0.0.1:0
  admin_listen: 127.0.0.1:0
  data: ${env:EMENDA_DATA}
  mappings: .
backends:
  bank: { contract: bank, url: "${env:BANK_URL}", timeout: 3s, idle_timeout: 10s }
callers:
  till: { dialect: till, token: { secret: TILL_TOKEN }, permissions: ["till.*"] }
`,
	"dialects/till.yaml": `emenda: 1
dialect: till
summary: A till
prefixes: [/till]
methods: [GET, PUT]
slash: never
read: [json, query]
sign_in:
  - header: { token: X-Token }
errors:
  not_signed_in: { status: 401, json: { error: sign in } }
  bad_input: { status: 400, json: { error: "${error.message}" } }
  refused:   { status: 422, json: { error: refused } }
  failed:    { status: 502, json: { error: "${error.class ?? null}" } }
  timeout:   failed
messages:
  required: "{field} is missing"
  type: "{field} is wrong"
`,
	"contracts/bank.yaml": `openapi: 3.1.0
x-emenda: 1
info: { title: Bank, version: "1" }
paths:
  /accounts/{id}:
    parameters:
      - { name: id, in: path, required: true, schema: { type: integer } }
    get:
      operationId: balance
      x-emenda-changes: false
      responses:
        "200": { description: It., content: { application/json: { schema: { type: object, required: [paid], properties: { paid: { type: integer } } } } } }
    put:
      operationId: pay
      x-emenda-changes: true
      requestBody:
        required: true
        content: { application/json: { schema: { type: object, required: [amount], properties: { amount: { type: integer } } } } }
      responses:
        "200": { description: Booked., content: { application/json: { schema: { type: object, required: [paid], properties: { paid: { type: integer } } } } } }
`,
	"till/pay.yaml": `emenda: 1
summary: Books a payment
route: { path: "pay/{id}", dialect: till, method: PUT, timeout: 5s }
input:
  id: { type: integer, required: true }
  amount: { type: integer, required: true }
steps:
  booked:
    call: bank.pay
    with: { id: "${input.id}" }
    body: { amount: "${input.amount}" }
reply:
  - json: { paid: "${booked.paid}" }
`,
	"till/balance.yaml": `emenda: 1
summary: A balance
route: { path: "balance/{id}", dialect: till, method: GET, timeout: 5s }
input:
  id: { type: integer, required: true }
steps:
  account:
    call: bank.balance
    with: { id: "${input.id}" }
reply:
  - json: { paid: "${account.paid}" }
`,
}

// writeWorld writes a world's files into a new folder.
func writeWorld(world map[string]string) (folder string, err error) {
	folder, err = os.MkdirTemp("", "emenda-show-")
	if err != nil {
		return "", err
	}
	for name, text := range world {
		file := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return folder, err
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return folder, err
		}
	}
	return folder, nil
}

package main

import (
	"strings"
)

// broken is an edit that must be refused.
type broken struct {
	name string
	how  int // of writes
	// what is written, and in which file the fault is told
	files func(m *mounted) (map[string]string, error)
	in    string
}

const (
	inPlace = iota
	renameOver
	swapped
	checkedOut
)

// one changes one file.
func one(name, from, to string) func(*mounted) (map[string]string, error) {
	return func(m *mounted) (map[string]string, error) {
		text, err := m.replaced(name, from, to)
		return m.with(map[string]string{name: text}), err
	}
}

// brokenEdits are ten ways to be wrong.
var brokenEdits = []broken{
	{"a syntax error", inPlace, one(lookupFile, "\nreply:", "\n reply:"), lookupFile},
	{"an unknown name", renameOver, one(lookupFile, "input.contrato != nil\n", "input.contract != nil\n"), lookupFile},
	{"a test that fails", inPlace, func(m *mounted) (map[string]string, error) {
		// In the reply alone; its tests still want what was.
		text := strings.Replace(m.good[lookupFile], nobodyWords, "Ninguém", 1)
		return m.with(map[string]string{lookupFile: text}), nil
	}, lookupFile},
	{"a flow that is gone", checkedOut, func(m *mounted) (map[string]string, error) {
		return m.with(map[string]string{clientFlow: ""}), nil
	}, lookupFile},
	{"half a file", inPlace, func(m *mounted) (map[string]string, error) {
		text := m.good[lookupFile]
		at := strings.Index(text, nobodyWords)
		return m.with(map[string]string{lookupFile: text[:at]}), nil
	}, lookupFile},
	{"gateway.yaml with an unknown key", renameOver, one("gateway.yaml", "\nlimits:", "\nlimit:"), "gateway.yaml"},
	{"an operation that the contract has not", swapped, one(clientFlow, "call: erp.", "call: erp.x."), clientFlow},
	{"two mappings of one path", swapped, func(m *mounted) (map[string]string, error) {
		return m.with(map[string]string{"mappings/ura/zwei.yaml": helloText("consultacliente", 0)}), nil
	}, "mappings/ura/zwei.yaml"},
	{"a folder that is not there", renameOver, one("gateway.yaml", "mappings: ./mappings", "mappings: ./mapings"), "gateway.yaml"},
	{"an empty file", inPlace, func(m *mounted) (map[string]string, error) {
		return m.with(map[string]string{"mappings/dialects/ura.yaml": "\n"}), nil
	}, "mappings/dialects/ura.yaml"},
}

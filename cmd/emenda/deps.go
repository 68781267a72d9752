package main

import (
	_ "github.com/alecthomas/kong"
	_ "github.com/expr-lang/expr/parser"
	_ "github.com/goccy/go-yaml/ast"
	_ "github.com/gofiber/fiber/v2"
	_ "github.com/prometheus/client_golang/prometheus"
	_ "github.com/rogpeppe/go-internal/testscript"
	_ "github.com/santhosh-tekuri/jsonschema/v6"
	_ "github.com/sony/gobreaker/v2"
	_ "github.com/stretchr/testify/require"
	_ "github.com/tidwall/gjson"
	_ "github.com/tidwall/sjson"
	_ "github.com/valyala/fasthttp"
	_ "go.uber.org/goleak"
	_ "golang.org/x/sync/singleflight"
	_ "golang.org/x/text/encoding/charmap"
	_ "pgregory.net/rapid"
)

func main() {}

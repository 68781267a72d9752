# Emenda. `make` prints the targets.

GO      ?= go
BIN     := bin/emenda
LINT    := bin/golangci-lint
VERSION ?= $(shell git describe --always --dirty 2>/dev/null || echo unknown)
FUZZ_TIME ?= 60s
DOCS_UI ?= 5.35.0

# The secrets the executed cases name, so that nothing is left to warn of.
LANGUAGE := DEMO_USER=u DEMO_PASSWORD=p DEMO_PRESS_TOKEN=t DEMO_TILL_APP=a DEMO_TILL_KEY=k DEMO_TILL_NUMBER=1 DEMO_READER_TOKEN=a DEMO_STRICT_TOKEN=b DEMO_GUEST_TOKEN=c DEMO_DESK_TOKEN=d DEMO_MEMBER_TOKEN=e DEMO_LISTENER_TOKEN=f DEMO_PAGE_TOKEN=g DEMO_RINGER_TOKEN=h DEMO_STRICT_PAGE_TOKEN=i

# Tests start PostgreSQL themselves; Debian's own cluster is left alone.
POSTGRES := '/usr/lib/postgresql/*/bin/initdb=postgresql'

# What bench/nginx is made of.
PEER := nginx /usr/lib/nginx/modules/ngx_http_lua_module.so=libnginx-mod-http-lua /usr/share/lua/5.1/cjson=lua-cjson

.DEFAULT_GOAL := help
.PHONY: help run build test check fmt lint docs docs-fresh docs-ui mappings soak fuzz bench bench-parts clean need show-ura-3 show-erp-5

help: ## print the targets
	@grep -hE '^[a-z0-9%-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9%-]+):.*## /\1\t/' | expand -t 20

run: build ## the gateway and its built-in stand-ins of the backends, on 127.0.0.1:8080
	$(BIN) serve --config gateway.yaml --sandbox

build: ## bin/emenda
	$(GO) build -ldflags "-X main.version=$(VERSION)" -o $(BIN) ./cmd/emenda

need:
	@tools/need gcc curl chromium redis-server $(POSTGRES) $(PEER) systemd-analyze=systemd

test: need build ## every test, with the race detector
	CGO_ENABLED=1 $(GO) test -race -timeout 20m ./...
	@echo "mutants of the mappings, without the race detector, which sees nothing of them:"
	$(GO) test -short -run TestMutants ./internal/snapshot
	@echo "what must not allocate, without the race detector, which does:"
	$(GO) test -run 'Allocat|CostNothing|CostsNothing' ./internal/expr ./internal/flow ./internal/intake ./internal/jsonx ./internal/store

check: fmt lint docs-fresh mappings test ## everything a change must pass

fmt: ## format check
	@out=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$out" ] || { echo "not gofmt-ed:"; echo "$$out"; exit 1; }
	@$(GO) vet ./...

$(LINT): tools/go.mod tools/go.sum
	$(GO) build -modfile=tools/go.mod -o $(LINT) github.com/golangci/golangci-lint/v2/cmd/golangci-lint

lint: $(LINT) ## golangci-lint, with the rules for the floors
	$(LINT) run ./...

docs: build ## write the generated pages
	$(GO) run ./internal/reference/docs

docs-ui: ## the viewer of /docs, from npm: make docs-ui DOCS_UI=VERSION
	tools/docs-ui $(DOCS_UI)

docs-fresh: ## fail when a generated page is not what it would be
	$(GO) run ./internal/reference/docs -check

mappings: build ## check and test the shipped mappings, and the executed cases of the language
	$(BIN) check --config gateway.yaml
	$(BIN) test --config gateway.yaml
	$(BIN) check --config mappings/testdata/ura-sgp/gateway.yaml
	$(BIN) test --config mappings/testdata/ura-sgp/gateway.yaml
	$(LANGUAGE) $(BIN) check --strict --config mappings/testdata/language/gateway.yaml
	$(BIN) test --config mappings/testdata/language/gateway.yaml

show-language-%: need ## what the issue "Language" asks to be shown, 1 to 7
	@$(MAKE) --no-print-directory build >/dev/null
	$(GO) run ./sandbox/show language-$*

show-once-%: need ## what the issue "Exactly once" asks to be shown
	@$(MAKE) --no-print-directory build >/dev/null
	$(GO) run ./sandbox/show once-$*

show-ura-3 show-erp-5: bench

show-ura-%: need ## what the issue "URA" asks to be shown
	@$(MAKE) --no-print-directory build >/dev/null
	$(GO) run ./sandbox/show ura-$*

show-erp-%: need ## what the issue "ERP" asks to be shown
	@$(MAKE) --no-print-directory build >/dev/null
	$(GO) run ./sandbox/show erp-$*

show-mvno-ozmap-%: need ## what the issue "MVNO and OZmap" asks to be shown
	@tools/need node=nodejs npm
	@$(MAKE) --no-print-directory build >/dev/null
	$(GO) run ./sandbox/show mvno-ozmap-$*

show-sale-%: need ## what the issue "Sale" asks to be shown
	@$(MAKE) --no-print-directory build >/dev/null
	$(GO) run ./sandbox/show sale-$*

fuzz: ## every fuzz target for FUZZ_TIME each
	tools/fuzz $(FUZZ_TIME)

soak: need build ## ten seconds of every fuzz target, load with faults, promises given once, edits under load
	tools/fuzz 10s
	$(GO) run ./sandbox/show soak
	$(GO) run ./sandbox/show -rounds 100 once-1
	$(GO) run ./sandbox/show once-5

bench: need build ## what a request costs beside hand-written code and nginx; keeps it in docs/performance.md
	$(GO) run ./bench

bench-parts: ## what the parts of a request cost
	$(GO) test -run '^$$' -bench . -benchmem ./internal/expr ./internal/jsonx ./internal/flow ./internal/exchange

clean: ## forget what was built
	rm -rf bin data

package snapshot

import (
	"context"
	_ "embed"
	"strings"

	"github.com/emenda-gateway/emenda/internal/backend"
	"github.com/emenda-gateway/emenda/internal/config"
	"github.com/emenda-gateway/emenda/internal/contract"
	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/exchange"
	"github.com/emenda-gateway/emenda/internal/mapping"
)

// ordersBackend is the name under which mappings call the gateway's own orders.
const ordersBackend = "orders"

//go:embed orders.yaml
var ordersContract string

// Orders keeps and runs the orders of durable mappings. It outlives snapshots.
type Orders interface {
	// Prepare is called before a configuration serves: its durable mappings, and
	// its schedules, need a place to keep what became of them. The error tells why it cannot serve.
	Prepare(l *Loaded, settings *config.Resolved) error
	// Begin begins an order of one of l's mappings, as exchange.Orders.
	Begin(ctx context.Context, l *Loaded, o *exchange.NewOrder) (exchange.OrderState, error)
	// Await is as exchange.Orders says.
	Await(ctx context.Context, id string) (exchange.OrderState, error)
	// Call answers a call of the backend orders, by the contract in orders.yaml.
	Call(ctx context.Context, c *backend.Call) *backend.Answer
}

// ordersContract adds the contract of the gateway's own orders to those of the backends.
func (l *Loaded) ordersContract(list *diag.List) {
	if b := l.Config.Backends[ordersBackend]; b != nil {
		list.Errorf(b.At, "backend", "backend %s is the gateway's own: its orders", ordersBackend).Help = "give this one another name"
		return
	}
	c, found := contract.LoadFiles(ordersBackend, []*diag.File{diag.NewFile("(built in)/orders.yaml", ordersContract)}, l.functions)
	list.Add(found)
	if c != nil {
		l.Contracts[ordersBackend] = c
	}
}

// Durable tells whether some mapping that is served is durable.
func (l *Loaded) Durable() bool {
	for _, r := range l.Set.Routes {
		if r.Plan.Ordered() {
			return true
		}
	}
	return false
}

// OrderName gives the name under which a mapping's orders are kept: its file
// inside the mappings folder, without .yaml. Where the folder stands does not matter.
func (l *Loaded) OrderName(p *mapping.Plan) string {
	return strings.TrimSuffix(l.files.inside[p.File], ".yaml")
}

// OrderPlan gives the plan of a durable mapping by its name; nil: there is none.
func (l *Loaded) OrderPlan(name string) *mapping.Plan {
	for _, r := range l.Set.Routes {
		if r.Plan.Ordered() && l.OrderName(r.Plan) == name {
			return r.Plan
		}
	}
	return nil
}

// ordersOf are the orders of one configuration's mappings.
type ordersOf struct {
	Orders
	l *Loaded
}

// Begin begins an order under the configuration.
func (o ordersOf) Begin(ctx context.Context, n *exchange.NewOrder) (exchange.OrderState, error) {
	return o.Orders.Begin(ctx, o.l, n)
}

// orders gives what the exchanger begins orders with; nil: nothing keeps any.
func (l *Loaded) orders(o Orders) exchange.Orders {
	if o == nil {
		return nil
	}
	return ordersOf{o, l}
}

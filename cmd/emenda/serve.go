package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/emenda-gateway/emenda/internal/durable"
	"github.com/emenda-gateway/emenda/internal/observe"
	"github.com/emenda-gateway/emenda/internal/snapshot"
	"github.com/emenda-gateway/emenda/internal/store"
	"github.com/emenda-gateway/emenda/routes"
	"github.com/emenda-gateway/emenda/sandbox"
)

// grace is how long requests under way may take when the gateway is told to stop:
// as long as a route may that says nothing else.
const grace = 30 * time.Second

// The credentials of the URA caller with --sandbox, unless others are given.
const (
	sandboxApp   = "ura"
	sandboxToken = "11111111-2222-3333-4444-555555555555"

	sandboxUser     = "app"
	sandboxPassword = "app-secret"

	sandboxSVA         = "sva"
	sandboxSVAPassword = "sva-secret"

	sandboxMVNOKey       = "mvno-secret"
	sandboxCRMKey        = "crm-secret"
	sandboxLojaKey       = "loja-secret"
	sandboxOzmapKey      = "ozmap-secret"
	sandboxOzmapSalesKey = "ozmap-sales-secret"
	sandboxOzmapFieldKey = "ozmap-field-secret"
	sandboxPartnerKey    = "partner-secret"
	sandboxPartnerWebKey = "partner-web-secret"
	sandboxSignupsKey    = "signups-secret"
	sandboxInstallerKey  = "installer-secret"
)

type serveCommand struct {
	configFlag
	Sandbox  bool       `help:"Start stand-ins of the backends and point the gateway at them; loopback only."`
	LogLevel slog.Level `default:"info" help:"debug, info, warn or error."`
}

// Help shows examples.
func (serveCommand) Help() string {
	return `Serves requests as gateway.yaml says, until SIGINT or SIGTERM; requests under way finish. Files that are edited are checked, tested and then served; what does not check is told and not served, after a restart neither: the last good files serve. SIGHUP, and POST /-/reload on the admin listener, reload at once. With --sandbox nothing else is needed: the stand-ins hold invented customers.

Examples:

  emenda serve --sandbox
  ERP_URL=https://erp.example ERP_USER=u ERP_PASSWORD_FILE=/run/secrets/erp URA_TOKEN_FILE=/run/secrets/ura emenda serve --config gateway.yaml
  EMENDA_LISTEN=127.0.0.1:9000 emenda serve --sandbox --log-level debug`
}

// Run serves until a signal ends it.
func (c *serveCommand) Run(ctx context.Context, s *streams) error {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP) // from here on it ends nothing
	defer signal.Stop(hangups)
	lines := observe.NewLines(s.err)
	defer closeLines(lines)
	// From the first signal on no line waits: a second ends the process at once.
	defer context.AfterFunc(ctx, func() { closeLines(lines) })()
	log := observe.NewLogger(lines, c.LogLevel)
	env := s.env
	if c.Sandbox {
		box, err := sandbox.Start(sandbox.Options{})
		if err != nil {
			return err
		}
		defer closeSandbox(box, log)
		log.Info("the stand-ins of the backends listen", slog.String("address", box.URL()))
		env = sandboxEnvironment(env, box.URL())
	}
	reloader, problems, err := snapshot.Begin(c.Config, env)
	if problems.HasErrors() {
		fmt.Fprint(s.err, problems.Text())
	}
	if err != nil {
		fmt.Fprintln(s.err, "emenda:", err)
		return exitError(exitErrors)
	}
	settings := reloader.Settings()
	if c.Sandbox {
		err := errors.Join(routes.CheckLoopback("gateway.listen with --sandbox", settings.Listen),
			routes.CheckLoopback("gateway.admin_listen with --sandbox", settings.AdminListen))
		if err != nil {
			return err
		}
	}
	metrics := observe.NewMetrics(version)
	kept, err := reloader.OpenStore(metrics, log)
	if err != nil {
		return err
	}
	defer closeStore(kept, log)
	orders := durable.New(durable.Options{Keys: kept.Keys(), Log: log})
	defer closeOrders(orders, log)
	snap, err := reloader.Open(kept, orders, metrics, log)
	if err != nil {
		return err
	}
	server := routes.NewServer(snap, metrics, log)
	server.ReloadWith(reloader)
	server.OrdersWith(orders)
	metrics.Ask(orders.Samples)
	orders.Serve(server.Hold)
	reloader.Serve(server.Swap)
	return listenAndServe(ctx, server, reloader, orders, hangups, log)
}

// listen takes the address of a setting; errors name both.
func listen(setting, address string) (net.Listener, error) {
	ln, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s: %s is in use by another program", setting, address)
	}
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	if err != nil {
		return nil, fmt.Errorf("%s: cannot listen on %s: %w", setting, address, err)
	}
	return ln, nil
}

func listenAndServe(ctx context.Context, server *routes.Server, reloader *snapshot.Reloader, orders *durable.Orders, hangups <-chan os.Signal, log *slog.Logger) error {
	settings := reloader.Settings()
	ln, err := listen("gateway.listen", settings.Listen)
	if err != nil {
		return err
	}
	adminLn, err := listen("gateway.admin_listen", settings.AdminListen)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	admin := server.AdminServer(settings.AdminToken.Reveal())
	failed := make(chan error, 2)
	var running sync.WaitGroup
	serve := func(name string, run func(net.Listener) error, ln net.Listener) {
		running.Go(func() {
			if err := run(ln); err != nil && !errors.Is(err, http.ErrServerClosed) {
				failed <- fmt.Errorf("%s ended: %w", name, err)
			}
		})
	}
	serve("gateway.listen", server.Serve, ln)
	serve("gateway.admin_listen", admin.Serve, server.AdminListener(adminLn))
	log.Info("serving", slog.String("address", ln.Addr().String()), slog.String("admin_address", adminLn.Addr().String()),
		slog.String("version", version), slog.String("configuration", server.Snapshot().Hash))
	watching, stop := context.WithCancel(ctx)
	defer stop()
	running.Go(func() { reloader.Run(watching) })
	running.Go(func() { reloadOn(watching, hangups, reloader) })
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	log.Info("stopping")
	stop()
	end, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	closeOrders(orders, log) // before what they call through
	// The probes answer until the last request has.
	err = errors.Join(err, server.Shutdown(end))
	err = errors.Join(err, admin.Shutdown(end))
	running.Wait()
	log.Info("stopped")
	return err
}

// reloadOn reloads at every signal, until ctx ends.
func reloadOn(ctx context.Context, signals <-chan os.Signal, reloader *snapshot.Reloader) {
	for {
		select {
		case <-signals:
			reloader.Reload("SIGHUP")
		case <-ctx.Done():
			return
		}
	}
}

// sandboxEnvironment is env with the stand-ins' address and credentials; the
// caller's are those given, else the sandbox's own.
func sandboxEnvironment(env func(string) (string, bool), box string) func(string) (string, bool) {
	fixed := map[string]string{
		"ERP_URL": box, "ERP_USER": sandbox.DefaultUser, "ERP_PASSWORD": sandbox.DefaultPassword,
		"SGP_URL": box, "SGP_APP": sandbox.SGPApp, "SGP_TOKEN": sandbox.SGPToken,
		"MVNO_URL": box + sandbox.MVNOPath, "MVNO_TOKEN": sandbox.MVNOToken, "MVNO_USER": sandbox.MVNOUser, "MVNO_PASSWORD": sandbox.MVNOPassword,
		"OZMAP_URL": box + sandbox.OzmapPath, "OZMAP_TOKEN": sandbox.OzmapToken, "OZLOC_TOKEN": sandbox.OzlocToken, "GEOCODER_URL": box + sandbox.GeocoderPath,
		"PARTNER_CALLBACK_URL": box + sandbox.PartnerPath, "PARTNER_CALLBACK_KEY": sandbox.PartnerKey,
		"PARTNER_WEB_CALLBACK_URL": box + sandbox.PartnerPath, "PARTNER_WEB_CALLBACK_KEY": sandbox.PartnerKey,
		"SIGNUPS_CALLBACK_URL": box + sandbox.PartnerPath, "SIGNUPS_CALLBACK_KEY": sandbox.PartnerKey,
	}
	defaults := map[string]string{"URA_APP": sandboxApp, "URA_TOKEN": sandboxToken, "APP_USER": sandboxUser, "APP_PASSWORD": sandboxPassword, "SVA_USER": sandboxSVA, "SVA_PASSWORD": sandboxSVAPassword, "MVNO_KEY": sandboxMVNOKey, "CRM_KEY": sandboxCRMKey, "LOJA_KEY": sandboxLojaKey, "OZMAP_KEY": sandboxOzmapKey, "OZMAP_SALES_KEY": sandboxOzmapSalesKey, "OZMAP_FIELD_KEY": sandboxOzmapFieldKey, "PARTNER_KEY": sandboxPartnerKey, "PARTNER_WEB_KEY": sandboxPartnerWebKey, "SIGNUPS_KEY": sandboxSignupsKey, "INSTALLER_KEY": sandboxInstallerKey, "EMENDA_DOCS": "true"}
	return func(name string) (string, bool) {
		if v, ok := fixed[name]; ok {
			return v, true
		}
		if v, ok := env(name); ok && v != "" {
			return v, true
		}
		if file, ok := env(name + "_FILE"); ok && file != "" {
			return "", false
		}
		v, ok := defaults[name]
		return v, ok
	}
}

// closeLines writes what is left of the log; there is nobody to tell that it cannot be.
func closeLines(lines *observe.Lines) { _ = lines.Close() }

func closeStore(kept *store.Store, log *slog.Logger) {
	if err := kept.Close(); err != nil {
		log.Warn("closing the store", slog.String("error", err.Error()))
	}
}

// closeOrders ends what runs of orders; it may be called twice.
func closeOrders(orders *durable.Orders, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	if err := orders.Close(ctx); err != nil {
		log.Warn("closing the orders", slog.String("error", err.Error()))
	}
}

func closeSandbox(box *sandbox.Sandbox, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := box.Close(ctx); err != nil {
		log.Warn("closing the sandbox", slog.String("error", err.Error()))
	}
}

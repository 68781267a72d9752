package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/emenda-gateway/emenda/internal/config"
)

// adminTimeout bounds what a command waits for when it asks the gateway.
const adminTimeout = 10 * time.Second

// adminClient asks the admin listener of a running gateway.
type adminClient struct {
	base, token string
	http        *http.Client
	silent      string // what it means that nobody answers
	unknown     error  // what it means that the gateway does not know what is asked for
}

// runningGateway gives the client of the gateway that a configuration is of, and
// its time zone. unknown is what it means that it does not know what is asked for.
func runningGateway(c *configFlag, s *streams, unknown error) (*adminClient, *time.Location, error) {
	loaded, _, err := loadGood(c.Config, s)
	if err != nil {
		return nil, nil, err
	}
	settings, err := resolved(loaded, s)
	if err != nil {
		return nil, nil, err
	}
	gateway, err := adminOf(settings)
	if err != nil {
		return nil, nil, err
	}
	gateway.silent, gateway.unknown = "no gateway's admin listener answers (EMENDA_ADMIN_LISTEN)", unknown
	return gateway, loaded.Zone(), nil
}

// adminOf gives the client of a gateway on this machine. With TLS no certificate
// is taken but the configured one.
func adminOf(settings *config.Resolved) (*adminClient, error) {
	host, port, err := net.SplitHostPort(settings.AdminListen)
	if err != nil {
		return nil, err
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	address, token := net.JoinHostPort(host, port), settings.AdminToken.Reveal()
	switch t := settings.AdminTLS; {
	case t == nil:
		return &adminClient{base: "http://" + address, token: token, http: http.DefaultClient}, nil
	case t.CA != "":
		return nil, errors.New("the gateway's admin listener wants a certificate of who asks (admin_tls.client_ca), and this command has none: ask with a client that has")
	default:
		pinned := &http.Client{Transport: &http.Transport{TLSClientConfig: t.Pinned()}}
		return &adminClient{base: "https://" + address, token: token, http: pinned}, nil
	}
}

// ask makes one request, and reads the answer's JSON unless into is nil.
func (c *adminClient) ask(ctx context.Context, method, path string, into any) error {
	return c.send(ctx, method, path, nil, into)
}

// send is ask with a body, as JSON unless it is nil.
func (c *adminClient) send(ctx context.Context, method, path string, body, into any) error {
	var text bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&text).Encode(body); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, &text)
	if err != nil {
		return err
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("%s: %w", c.silent, err)
	}
	defer func() { _ = res.Body.Close() }()
	switch {
	case res.StatusCode == http.StatusUnauthorized:
		return errors.New("the gateway's admin listener wants its token: set EMENDA_ADMIN_TOKEN as for the gateway")
	case res.StatusCode == http.StatusNotFound:
		return c.unknown
	case res.StatusCode >= 300:
		var why struct{ Message string }
		if json.NewDecoder(res.Body).Decode(&why) == nil && why.Message != "" {
			return errors.New(why.Message)
		}
		return fmt.Errorf("the gateway's admin listener answers %s", res.Status)
	case into == nil:
		return nil
	}
	return json.NewDecoder(res.Body).Decode(into)
}

package config

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"path/filepath"
	"strings"
	"time"

	"github.com/emenda-gateway/emenda/internal/diag"
	"github.com/emenda-gateway/emenda/internal/yamldoc"
)

// TLS names the files of a listener's TLS, or of that towards a backend.
type TLS struct {
	At          diag.Span // the key
	Certificate Text      // ours, with what leads to the authority's
	Key         Text      // its private key
	CA          Text      // authorities whose certificates the other side may have
	ServerName  Text      // of a backend: the name in its certificate
}

// ResolvedTLS is what those files hold.
type ResolvedTLS struct {
	Certificate string      // PEM; "": none
	Key         SecretValue // PEM
	CA          string      // PEM; "": of a listener, clients need none; of a backend, the system's
	ServerName  string
}

func listenerTLSShape() *yamldoc.Shape {
	return object("tls", "The files of a listener's TLS, PEM each, and beside gateway.yaml unless their path is absolute. They are looked at as all files are: a new pair is live within a second, one that does not fit is refused and the old one stays. TLS 1.2 at least.",
		yamldoc.Key{Name: "certificate", Shape: textOrEnv, Required: true, Doc: "The certificate, followed by those that lead to its authority's; empty, together with the key: no TLS."},
		yamldoc.Key{Name: "key", Shape: textOrEnv, Required: true, Doc: "Its private key."},
		yamldoc.Key{Name: "client_ca", Shape: textOrEnv, Doc: "Authorities: only clients with a certificate of one of them get in."},
	)
}

func backendTLSShape() *yamldoc.Shape {
	return object("backend tls", "The files of TLS towards a backend, PEM each, and beside gateway.yaml unless their path is absolute; new ones are live within a second. TLS 1.2 at least.",
		yamldoc.Key{Name: "ca", Shape: textOrEnv, Doc: "Authorities, one of which must have signed the backend's certificate; without it, those of the system."},
		yamldoc.Key{Name: "certificate", Shape: textOrEnv, Doc: "The certificate to show to it, followed by those that lead to its authority's."},
		yamldoc.Key{Name: "key", Shape: textOrEnv, Doc: "Its private key."},
		yamldoc.Key{Name: "server_name", Shape: textOrEnv, Doc: "The name in the backend's certificate, when it is another than in `url`."},
	)
}

// tls reads the object under key; nil when there is none.
func (l *loader) tls(in *yamldoc.Node, key, ca string) *TLS {
	n := in.Get(key)
	if n == nil || n.Kind != yamldoc.Map {
		return nil
	}
	return &TLS{
		At:          in.KeyOf(key).Span,
		Certificate: l.text(n, "certificate", "", nil), Key: l.text(n, "key", "", nil), CA: l.text(n, ca, "", nil),
		ServerName: l.text(n, "server_name", "", nil),
	}
}

// CheckTLS reads the files that TLS needs, and tells what is wrong with them.
// What is unset in env is not told: Unset does.
func (c *Config) CheckTLS(env Environment, readFile ReadFile) diag.List {
	r := &resolver{env: env, readFile: readFile}
	r.resolve(c)
	var found diag.List
	for _, d := range r.list {
		if strings.HasPrefix(d.Rule, "tls-") {
			found = append(found, d)
		}
	}
	return found
}

// tls reads the files; nil when there is no TLS, or something is wrong with it.
func (r *resolver) tls(c *Config, t *TLS, setting, ca string) *ResolvedTLS {
	if t == nil {
		return nil
	}
	in := func(key string) string { return setting + "." + key }
	certificate, key := r.text(t.Certificate, in("certificate"), nil), r.text(t.Key, in("key"), nil)
	authorities, name := r.text(t.CA, in(ca), nil), r.text(t.ServerName, in("server_name"), nil)
	out := &ResolvedTLS{ServerName: name}
	if r.blind || out.ServerName == "" && certificate == "" && key == "" && authorities == "" {
		return nil
	}
	if (certificate == "") != (key == "") {
		r.list.Errorf(t.At, "tls-pair", "%s: a certificate and its key belong together", setting).Help = "give both files, or none"
		return nil
	}
	before := len(r.list)
	out.CA = r.pem(c, t.CA, in(ca), authorities)
	if out.CA != "" && !x509.NewCertPool().AppendCertsFromPEM([]byte(out.CA)) {
		r.list.Errorf(t.CA.at(c), "tls-ca", "%s: there is no certificate in the file", in(ca)).Help = "give certificates in PEM"
	}
	out.Certificate, out.Key = r.pem(c, t.Certificate, in("certificate"), certificate), NewSecretValue(r.pem(c, t.Key, in("key"), key))
	if out.Certificate != "" && out.Key.IsSet() && !r.list[before:].HasErrors() {
		r.pair(c, t, out, setting)
	}
	if r.list[before:].HasErrors() {
		return nil
	}
	return out
}

// pem reads a file beside gateway.yaml; "" when there is none to read.
func (r *resolver) pem(c *Config, t Text, setting, name string) string {
	if name == "" {
		return ""
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(filepath.Dir(filepath.FromSlash(c.File.Name)), name)
	}
	text, err := r.readFile(name)
	switch {
	case err != nil:
		r.list.Errorf(t.at(c), "tls-file", "%s: the file cannot be read: %s", setting, err)
	case len(bytes.TrimSpace(text)) == 0:
		r.list.Errorf(t.at(c), "tls-file", "%s: the file is empty", setting)
	}
	return string(text)
}

// pair checks that the key fits the certificate, and when that is valid.
func (r *resolver) pair(c *Config, t *TLS, out *ResolvedTLS, setting string) {
	chain, err := out.chain()
	switch {
	case err != nil:
		r.list.Errorf(t.Certificate.at(c), "tls-certificate", "%s.certificate: there is one in the file that cannot be read", setting)
		return
	case len(chain) == 0:
		r.list.Errorf(t.Certificate.at(c), "tls-certificate", "%s.certificate: there is no certificate in the file", setting).Help = "give certificates in PEM"
		return
	}
	if _, err := tls.X509KeyPair([]byte(out.Certificate), []byte(out.Key.Reveal())); err != nil {
		r.list.Errorf(t.Key.at(c), "tls-key", "%s.key: %s", setting, strings.TrimPrefix(err.Error(), "tls: "))
		return
	}
	now := time.Now()
	for _, one := range chain {
		switch {
		case now.After(one.NotAfter):
			r.list.Warnf(t.Certificate.at(c), "tls-expired", "%s.certificate: it has expired, on %s", setting, one.NotAfter.Format(time.DateOnly))
		case now.Before(one.NotBefore):
			r.list.Warnf(t.Certificate.at(c), "tls-expired", "%s.certificate: it is not valid before %s", setting, one.NotBefore.Format(time.DateOnly))
		}
	}
}

// chain gives the certificates.
func (t *ResolvedTLS) chain() (all []*x509.Certificate, err error) {
	for rest := []byte(t.Certificate); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return all, nil
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		one, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
}

// NotAfter tells when the first certificate of the chain expires; the zero time without one.
func (t *ResolvedTLS) NotAfter() (first time.Time) {
	chain, err := t.chain()
	if err != nil {
		return first
	}
	for _, one := range chain {
		if first.IsZero() || one.NotAfter.Before(first) {
			first = one.NotAfter
		}
	}
	return first
}

// config gives what both sides have in common.
func (t *ResolvedTLS) config() (*tls.Config, *x509.CertPool, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}
	if t.Certificate != "" {
		pair, err := tls.X509KeyPair([]byte(t.Certificate), []byte(t.Key.Reveal()))
		if err != nil {
			return nil, nil, err
		}
		c.Certificates = []tls.Certificate{pair}
	}
	if t.CA == "" {
		return c, nil, nil
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(t.CA))
	return c, pool, nil
}

// Listener gives the configuration of a listener.
func (t *ResolvedTLS) Listener() (*tls.Config, error) {
	c, pool, err := t.config()
	if err != nil || pool == nil {
		return c, err
	}
	// A ticket would let a client in again whose authority is trusted no more.
	c.ClientAuth, c.ClientCAs, c.SessionTicketsDisabled = tls.RequireAndVerifyClientCert, pool, true
	return c, nil
}

// Pinned gives the configuration of a client that takes this very certificate, from whomever it is.
func (t *ResolvedTLS) Pinned() *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, // no authority is asked: it is compared
		VerifyConnection: func(s tls.ConnectionState) error {
			chain, err := t.chain()
			if err == nil && (len(chain) == 0 || !chain[0].Equal(s.PeerCertificates[0])) {
				err = errors.New("this is not the certificate that the configuration names")
			}
			return err
		},
	}
}

// Client gives the configuration towards a backend; without a name it is the caller's to add.
func (t *ResolvedTLS) Client() (*tls.Config, error) {
	c, pool, err := t.config()
	if err != nil {
		return nil, err
	}
	c.RootCAs, c.ServerName = pool, t.ServerName
	return c, nil
}

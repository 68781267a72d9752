// Package deploy holds what installs and watches a gateway: the image, Compose,
// systemd, Kubernetes, alerts and a dashboard. Its tests hold all of it against
// the gateway.
package deploy

// Package config reads gateway.yaml strictly: secrets by reference, nothing more.
package config

// Config is a checked gateway.yaml.
type Config struct{}

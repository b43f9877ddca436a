// Package pebble holds the test of domain/acme with Pebble, Let's Encrypt's ACME server for tests. It is a module of its own, so that Pebble
// isn't among the module's requirements.
package pebble

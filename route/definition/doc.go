// Package definition holds an API as data, and builds the handlers that serve it.
package definition

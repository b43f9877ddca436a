// Package domain answers which API a request is for: custom domain names with their base paths, TLS certificates and client certificates.
package domain

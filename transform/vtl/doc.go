// Package vtl runs the mapping templates of REST APIs.
package vtl

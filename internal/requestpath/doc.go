// Package requestpath holds the path of a request, in the three forms that there are, and nothing
// else reads one: it is split before it is decoded, checked, collapsed, cut and spelled here. It
// imports nothing of ours, so that the root may have it in the RequestContext.
//
// What each station sees of an odd path is a table in package route's doc, and
// TestEveryReaderSeesOnePath of the root.
//
// The functions change a Path and are for stations; the methods read it and are for everybody, as
// gatekit.Path.
package requestpath

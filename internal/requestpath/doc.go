// Package requestpath holds the path of a request, in the three forms that there are, and nothing else reads one: it is split before it is
// decoded, checked, collapsed, cut and spelled here. It imports nothing of ours, so that the root may have it in the RequestContext.
package requestpath

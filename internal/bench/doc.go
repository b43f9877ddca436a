// Package bench measures gatekit beside the libraries that people use in its place, in one run and one harness. It is a module of its
// own, so that no user of gatekit gets its peers.
//
//	go -C internal/bench run ./report           # all figures, and the tables in the README
//	go -C internal/bench test -bench Routing    # one group
//
// Absolute times depend on the machine and what else it does; read the ratios and the allocations.
package bench

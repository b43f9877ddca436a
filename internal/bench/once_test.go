package bench

import "flag"

// benchtimeIsOnce reports whether benchmarks only have to show that they run.
func benchtimeIsOnce() bool {
	f := flag.Lookup("test.benchtime")
	return f != nil && f.Value.String() == "1x"
}

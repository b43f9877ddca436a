package compare

// ParseLine returns the request of a line, whether it has a route in place of a path, or why none
// is sent.
func ParseLine(line string) (method, target string, isRoute bool, why string) {
	q, isRoute, why := parseLine(line)
	return q.method, q.target, isRoute, why
}

// MaxLine is the length from which on a line isn't read.
const MaxLine = maxLine

package vtl

import "strconv"

// A loopInfo is $foreach.info: where the loop stands, for people who look for what is wrong.
type loopInfo struct {
	template     string
	line, column int
	depth        int
}

func (i *loopInfo) property(name string) any {
	switch getter(name) {
	case "name":
		return "foreach"
	case "type":
		return "block"
	case "depth":
		return int64(i.depth)
	case "template":
		return i.template
	case "line":
		return int64(i.line)
	case "column":
		return int64(i.column)
	}
	return nil
}

func (i *loopInfo) appendText(dst []byte) []byte {
	dst = append(dst, "#foreach[type:block"...)
	if i.depth > 1 {
		dst = strconv.AppendInt(append(dst, " depth:"...), int64(i.depth), 10)
	}
	dst = append(append(dst, " template:"...), i.template...)
	dst = strconv.AppendInt(append(dst, " line:"...), int64(i.line), 10)
	dst = strconv.AppendInt(append(dst, " column:"...), int64(i.column), 10)
	return append(dst, ']')
}

// info is $foreach.info.
func (l *loop) info() *loopInfo {
	i := &loopInfo{template: l.of.src.name}
	i.line, i.column = l.of.src.position(l.of.at)
	for ; l != nil; l = l.parent {
		i.depth++
	}
	return i
}

package vtl

import "math/big"

// A class says what a value is in Java. It is a set of one, so that a row of the table of methods
// can name several.
type class uint16

const (
	classString class = 1 << iota
	classBoolean
	classChar
	classInt // Integer, which an int64 is by its size
	classLong
	classBig
	classDouble
	classList
	classArray
	classMap
	classKeys
	classValues
	classEntries
	classEntry
	classLoop
	classIterator

	classOther  class = 0 // what has the methods of java.lang.Object only
	classNumber       = classInt | classLong | classBig | classDouble
	classView         = classKeys | classValues | classEntries
	classAny          = ^class(0)
)

func classOf(v any) class {
	switch v := v.(type) {
	case string:
		return classString
	case bool:
		return classBoolean
	case Char:
		return classChar
	case int64:
		if _, ok := int32Of(v); ok {
			return classInt
		}
		return classLong
	case *big.Int:
		return classBig
	case float64:
		return classDouble
	case *List:
		if v.isArray() {
			return classArray
		}
		return classList
	case *Map:
		return classMap
	case *view:
		return classKeys << v.of
	case *entry:
		return classEntry
	case *loop:
		return classLoop
	case *iterator:
		return classIterator
	}
	return classOther
}

// A sequence is what has elements in an order: a [List], or a view of a [Map].
type sequence interface {
	Len() int
	At(i int) any
	// version changes with the length: Java's iterators fail where it isn't the one that they began
	// with.
	version() int
}

// int32Of is v as Integer.
func int32Of(v any) (int, bool) {
	i, ok := v.(int64)
	return int(i), ok && i >= -1<<31 && i < 1<<31
}

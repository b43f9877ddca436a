package vtl

import "strings"

// A method is a row of the one table of methods. Velocity finds a method by its name and the
// classes of its arguments, by reflection (Velocity 1.7, MethodMap); here a row says which it would
// find, so that what isn't in the table can't be called, whatever a template tries. A wider net,
// such as Go's own reflection over our types, was rejected: it would make every method that we
// write for ourselves part of the language, and an author of templates our caller.
type method struct {
	names string // separated by blanks: rows that differ in nothing else are one
	takes string // what it accepts: a letter an argument, as accepts reads them, and a blank between several lists
	// cost pays before run is called, for what only the receiver's size decides. nil: what all
	// methods of the receiver cost.
	cost func(c call) bool
	// run returns what the method does: nil for null, "" for void. It finds the arguments to be
	// what takes says.
	run func(c call) any
	on  class // the receivers
}

// methods are the rows by name, one for each name and list of arguments, in the order in which the
// first that fits is right.
var methods = tabulate([]group{
	{classAny, objectMethods},
	{classString, stringMethods},
	{classList | classArray | classMap | classView, sizedMethods},
	{classList | classArray | classView, sequenceMethods},
	{classList | classArray, indexedMethods},
	{classList, listMethods},
	{classArray, arrayMethods},
	{classMap, mapMethods},
	{classView, viewMethods},
	{classEntry, entryMethods},
	{classLoop, loopMethods},
	{classIterator, iteratorMethods},
	{classNumber, numberMethods},
	{classInt | classLong, integerMethods},
	{classInt, intMethods},
	{classLong, longMethods},
	{classDouble, doubleMethods},
	{classBoolean, booleanMethods},
	{classChar, charMethods},
})

type group struct {
	on   class
	rows []method
}

func tabulate(groups []group) map[string][]method {
	table := map[string][]method{}
	for _, g := range groups {
		for _, row := range g.rows {
			for _, name := range strings.Fields(row.names) {
				for _, takes := range strings.Split(row.takes, " ") {
					table[name] = append(table[name], method{name, takes, row.cost, row.run, g.on})
				}
			}
		}
	}
	return table
}

// A call is a method being called. It is passed by value: behind a pointer each call would be an
// allocation, as rows are called through a variable.
type call struct {
	ex   *exec
	ref  *ref
	step *step
	on   any
	args []any
}

// of makes a row's function of one that is given its receiver.
func of[T any](run func(c call, on T) any) func(call) any {
	return func(c call) any { return run(c, c.on.(T)) }
}

// refuse is a method that is there and always fails.
func refuse(message string) func(call) any {
	return func(c call) any { return c.fail("%s", message) }
}

func (c call) fail(format string, args ...any) any {
	c.ex.fail(c.ref.src, c.step.at, format, args...)
	return nil
}

// text and int are arguments that the row says to be String and Integer.
func (c call) text(i int) string { return c.args[i].(string) }
func (c call) int(i int) int     { return int(c.args[i].(int64)) }

// accepts reports whether an argument may be v:
//
//	s  String             i  Integer             l  Collection, which an array is not
//	S  String, or null    n  Integer or Long     m  Map
//	c  Character          w  Integer, or for a Long receiver n
//	b  Boolean            d  Double              *  anything
func accepts(letter byte, v any, on class) bool {
	switch c := classOf(v); letter {
	case '*':
		return true
	case 's':
		return c == classString
	case 'S':
		return c == classString || v == nil
	case 'c':
		return c == classChar
	case 'b':
		return c == classBoolean
	case 'd':
		return c == classDouble
	case 'i':
		return c == classInt
	case 'n':
		return c&(classInt|classLong) != 0
	case 'w':
		return c == classInt || on == classLong && c == classLong
	case 'l':
		return c&(classList|classView) != 0
	case 'm':
		return c == classMap
	}
	return false
}

// find returns the row for a receiver, or nil. With null set, null is taken for any class that is
// no primitive one, which is how the original finds a method that then fails of the null.
func (c call) find(on class, null bool) *method {
rows:
	for i := range c.step.rows {
		m := &c.step.rows[i]
		if m.on&on == 0 && m.on != classAny || len(m.takes) != len(c.args) {
			continue
		}
		for j, arg := range c.args {
			letter := m.takes[j]
			if !accepts(letter, arg, on) && !(null && arg == nil && strings.IndexByte("slm", letter) >= 0) {
				continue rows
			}
		}
		return m
	}
	return nil
}

// call calls the method on a value that isn't null.
func (c call) call() any {
	if o, ok := c.on.(Object); ok {
		return c.object(o)
	}
	on := classOf(c.on)
	m := c.find(on, false)
	if l, ok := c.on.(*loop); ok {
		if !c.ex.step(c.ex.t.limits.MaxDepth / 8) { // the loops around
			return nil
		}
		if m == nil || m.on == classAny { // a loop is a map, too: of what a template has put there
			c.on, on = l.storage(), classMap
			m = c.find(on, false)
		}
	}
	if s, ok := c.on.(string); ok && !c.ex.read(s) {
		return nil
	}
	if m == nil {
		return c.missing(on)
	}
	if m.cost != nil && !m.cost(c) {
		return nil
	}
	return m.run(c)
}

// missing is a call of what isn't in the table, which is null. Two searches of the original's go
// wrong where ours must, too (Velocity 1.7, MethodMap.isApplicable): a method that takes nothing is
// found for any arguments, a null for any class; what was found then can't be called, and the
// template fails.
func (c call) missing(on class) any {
	for _, m := range c.step.rows {
		if m.takes == "" && len(c.args) > 0 && (m.on&on != 0 || m.on == classAny) {
			return c.fail("want no arguments of %s", c.step.name)
		}
	}
	if c.find(on, true) != nil {
		return c.fail("want an argument of %s that is not null", c.step.name)
	}
	return nil
}

func (c call) object(o Object) any {
	value, found, err := o.Call(c.step.name, c.args)
	switch {
	case c.ex.signal == signalFail: // the object has reached a limit of the execution
		return nil
	case err != nil:
		c.fail("%s: %v", c.step.name, err)
		c.ex.err.Err = err
		return nil
	case !found:
		return nil
	}
	return c.ex.fromObject(c.ref, c.step, value)
}

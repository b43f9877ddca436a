// Package vtl runs the mapping templates of REST APIs: the Velocity Template Language as API
// Gateway has it, which is that of Apache Velocity 1.7 with undefined references that are empty
// strings. (Developer guide, "Mapping template transformations for REST APIs"; Apache Velocity 1.7,
// "User Guide", "VTL Reference".)
//
//	t, err := vtl.Parse("ids", `[#foreach($o in $orders)$o.id#if($foreach.hasNext), #end#end]`)
//	err = t.Execute(w, map[string]any{"orders": orders})
//
// A [Template] is parsed once and executed by as many goroutines as there are. What it sees are
// values of a few types, which [Template.Execute] lists; a program shows more by an [Object], whose
// Go fields and methods stay out of reach. The gateway's own variables, $input and the others, are
// in package transform.
//
// # Language
//
// What surprises most:
//
//   - An undefined reference, a missing key and a null are the empty string, which is true in #if:
//     compare with "".
//   - A literal alone is false in #if, and so is arithmetic: #if(1).
//   - A hyphen belongs to a name: $a-b is one variable. So 5-2 doesn't parse; 5 - 2 does.
//   - #set leaves its variable alone where the right side is null, such as a division by zero.
//   - A line end right after a directive is swallowed, blanks before the directive are not.
//   - A #foreach ends in silence after 1000 turns. [Options.StrictLoops] makes that an error.
//   - Lists of a template and maps print as Java prints them, [a, b] and {k=v}; arrays of a JSON
//     document print as JSON.
//   - #evaluate, #parse, #include and unknown directives print themselves. #macro makes none.
//
// # Limits
//
// Authors of templates need not be trusted: [Options] bounds the output, the work, the memory and
// the nesting of an execution, and a template that reaches a limit fails with an [*Error]. A
// template is at most 300 KB, as on the managed gateway. Nothing is written of one that fails.
//
// # Differences
//
// A test compares some ten thousand templates with Velocity 1.7, byte by byte. These differences
// stay:
//
//   - Limits: Velocity has none but for the turns of a #foreach, nor are those of the managed
//     gateway documented.
//   - There is no reflection: $x.class, getClass(), wait() and the like are undefined, and so is
//     every method that isn't a row of this package's table, such as intern(), chars() or stream(),
//     whatever its arguments. Those of Java 8 count, not those of later ones.
//   - Regular expressions run on Go's engine, in time proportional to the text. Look-around, back
//     references, possessive quantifiers, intersections of classes and patterns of more than 1000
//     bytes or 5000 instructions fail the template. $ is the end of the text, not also before a
//     line end there.
//   - A double prints in the fewest digits that tell it, as since Java 19. Earlier ones print a
//     digit too much of some.
//   - A Long that would fit into an Integer is one. An integer beyond 64 bits beside a float is
//     calculated as a double, not as a BigDecimal. Integers have up to 16384 bits.
//   - Half of a surrogate pair, as substring can cut one off, becomes a question mark at once, not
//     when it is written.
//   - subList copies. An array prints with a fixed number in place of its address, an iterator
//     prints nothing.
//   - toLowerCase, toUpperCase and equalsIgnoreCase have Go's rules for letters that change by
//     their neighbors.
//   - A list or map that holds itself two or more levels down fails the template when it is
//     printed, compared or hashed; in Java the stack overflows.
package vtl

package vtl

import (
	"strconv"
	"strings"
	"unicode/utf16"
)

// stringLiteral reads a string. One in double quotes is a template of its own: a blank is put
// behind it, and the last character of what comes out is cut off, so that a $ at the end is text.
func (p *parser) stringLiteral(t *token) expr {
	image := t.image
	quote := image[:1]
	s := image[1 : len(image)-1]
	if quote == `"` {
		var ok bool
		if s, ok = unescapeUnicode(s); !ok {
			p.fail(t.start, `want four hexadecimal digits after \u`)
		}
	}
	s = strings.ReplaceAll(s, quote+quote, quote)
	if quote != `"` || !strings.ContainsAny(image, "$#") {
		return constant{s}
	}
	comment := strings.Contains(s, "##")
	if !comment {
		s += " "
	}
	line, column := p.src.position(t.start)
	src := newSource(p.src.name, s, line, column+1)
	inner := &parser{shared: p.shared, src: src, lex: lexer{src: s}, depth: p.depth}
	body := inner.whole()
	e := &stringExpr{body: body}
	if comment || len(body) == 0 {
		return e
	}
	if last, ok := body[len(body)-1].(*textStmt); ok && strings.HasSuffix(last.text, " ") {
		last.text = last.text[:len(last.text)-1]
		if last.text == "" {
			e.body = body[:len(body)-1]
		}
	} else {
		e.cut = true
	}
	if len(e.body) == 1 && !e.cut {
		if r, ok := e.body[0].(*ref); ok && r.prefix == "" && r.more == "" && !r.escaped && !r.runt {
			e.only = r
		}
	}
	return e
}

// unescapeUnicode replaces \u00e9 and the like. ok is false where the original fails.
func unescapeUnicode(s string) (_ string, ok bool) {
	if !strings.Contains(s, `\u`) {
		return s, true
	}
	var units []uint16
	for {
		before, after, found := strings.Cut(s, `\u`)
		units = append(units, utf16.Encode([]rune(before))...)
		if !found {
			return decodeUTF16(units), true
		}
		if len(after) < 4 {
			return "", false
		}
		n, err := strconv.ParseInt(after[:4], 16, 32)
		if err != nil {
			return "", false
		}
		units = append(units, uint16(n))
		s = after[4:]
	}
}

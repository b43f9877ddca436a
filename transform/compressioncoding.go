package transform

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"strings"
	"sync"

	"github.com/gatekit-go/gatekit/internal/httpword"
)

// inflate returns what body was made of, at most max bytes of it. A gzip file may have several
// members (RFC 1952, section 2.2); the bound is for all of them.
func inflate(coding string, body []byte, max int64) ([]byte, error) {
	in := bytes.NewReader(body)
	var reader io.Reader
	var err error
	if coding == "gzip" {
		reader, err = gzip.NewReader(in)
	} else {
		reader, err = zlib.NewReader(in)
	}
	if err != nil {
		return nil, notInflated(err)
	}
	var out bytes.Buffer
	n, err := out.ReadFrom(io.LimitReader(reader, max+1))
	switch {
	case n > max:
		return nil, tooLarge
	case err != nil:
		return nil, notInflated(err)
	case in.Len() > 0: // of zlib; who reads on would find another message there
		return nil, notInflated(errors.New("there is more behind the end"))
	}
	return out.Bytes(), nil
}

// compressor is a gzip.Writer or a zlib.Writer.
type compressor interface {
	io.WriteCloser
	Flush() error
	Reset(w io.Writer)
}

// compressors are kept, as each has more than half a megabyte of tables. Nothing outside keeps one.
var compressors = map[string]*sync.Pool{
	"gzip":    {New: func() any { return gzip.NewWriter(nil) }},
	"deflate": {New: func() any { return zlib.NewWriter(nil) }},
}

// maxCodings bounds the elements of an Accept-Encoding that are read.
const maxCodings = 32

// preferred returns the coding that an answer is to have: gzip or deflate, the first of those that
// the client likes best, or "" if it likes another better, excludes them, or names none. (RFC 9110,
// section 12.5.3; developer guide, "Enable payload compression for an API in API Gateway": the
// highest-priority coding must be one that is supported.)
func preferred(lines []string) string {
	best, coding, highest, n := 0, "", 0, 0
	for _, line := range lines {
		for element := range strings.SplitSeq(line, ",") {
			if element = strings.Trim(element, " \t"); element == "" {
				continue
			}
			name, parameter, weighed := strings.Cut(element, ";")
			name = strings.ToLower(strings.TrimRight(name, " \t"))
			weight := 1000
			if weighed {
				weight = weightOf(parameter)
			}
			if n++; n > maxCodings || !httpword.IsToken(name) || weight < 0 {
				return ""
			}
			if name == "x-gzip" {
				name = "gzip"
			}
			if name != "*" && weight > highest {
				highest = weight
			}
			if (name == "gzip" || name == "deflate") && weight > best {
				best, coding = weight, name
			}
		}
	}
	if best < highest {
		return ""
	}
	return coding
}

// weightOf reads q=0.5 as thousandths: -1 if it isn't a weight. (RFC 9110, section 12.4.2.)
func weightOf(parameter string) int {
	name, value, _ := strings.Cut(strings.Trim(parameter, " \t"), "=")
	if !strings.EqualFold(name, "q") || value == "" || len(value) > 5 {
		return -1
	}
	whole, fraction, _ := strings.Cut(value, ".")
	if whole != "0" && whole != "1" || strings.Trim(fraction, "0123456789") != "" {
		return -1
	}
	thousandths := 0
	for i := range 3 {
		thousandths *= 10
		if i < len(fraction) {
			thousandths += int(fraction[i] - '0')
		}
	}
	if whole == "1" {
		if thousandths > 0 {
			return -1
		}
		return 1000
	}
	return thousandths
}

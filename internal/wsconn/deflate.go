package wsconn

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"strings"
	"sync"

	"github.com/gatekit-go/gatekit/internal/httpword"
)

// deflateAnswer accepts permessage-deflate without any context taken over, which a server may
// demand of the client and declare of itself whatever the offer says (RFC 7692, section 7.1.1).
const deflateAnswer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

// deflateTail is what a sender takes off the end of a message (RFC 7692, section 7.2.1), and behind
// it an empty final block, at which compress/flate ends without an error.
var deflateTail = []byte("\x00\x00\xff\xff\x01\x00\x00\xff\xff")

// negotiateDeflate returns the answer to the first offer that can be accepted, or "". ok is false
// if the header isn't a list of extensions. httphead's reader isn't asked: it keeps one of several
// parameters of one name, which must have the offer declined.
func negotiateDeflate(lines []string) (answer string, ok bool) {
	for _, line := range lines {
		for offer, rest := "", line; rest != ""; {
			offer, rest = cutQuoted(rest, ',')
			if strings.Trim(offer, " \t") == "" {
				continue
			}
			name, params := cutQuoted(offer, ';')
			if !httpword.IsToken(strings.Trim(name, " \t")) {
				return "", false
			}
			suits, ok := deflateParams(params)
			if !ok {
				return "", false
			}
			if answer == "" && suits && strings.Trim(name, " \t") == "permessage-deflate" {
				answer = deflateAnswer
			}
		}
	}
	return answer, true
}

// deflateParams reads an offer's parameters. suits is set if we can do what they demand: a
// server_max_window_bits below 15 we can't, as compress/flate has one window; 15 is what we do
// anyway. (RFC 7692, section 7.1.)
func deflateParams(params string) (suits, ok bool) {
	suits = true
	seen := map[string]bool{}
	for params != "" {
		var param string
		param, params = cutQuoted(params, ';')
		name, value, hasValue := strings.Cut(param, "=")
		name, value = strings.Trim(name, " \t"), strings.Trim(value, " \t")
		if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
			value = value[1 : len(value)-1] // what is quoted must be a token as well (RFC 6455, section 9.1)
		}
		if !httpword.IsToken(name) || hasValue && !httpword.IsToken(value) || len(seen) == 16 {
			return false, false
		}
		switch name {
		case "server_no_context_takeover", "client_no_context_takeover":
			suits = suits && !hasValue
		case "server_max_window_bits":
			suits = suits && value == "15"
		case "client_max_window_bits":
			suits = suits && (!hasValue || isWindowBits(value))
		default:
			suits = false
		}
		suits = suits && !seen[name]
		seen[name] = true
	}
	return suits, true
}

// isWindowBits reports whether s is 8 to 15, without leading zeros.
func isWindowBits(s string) bool {
	return s == "8" || s == "9" || len(s) == 2 && s[0] == '1' && s[1] >= '0' && s[1] <= '5'
}

// cutQuoted cuts s around the first sep that isn't inside a quoted string.
func cutQuoted(s string, sep byte) (before, after string) {
	quoted := false
	for i := range len(s) {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case s[i] == sep && !quoted:
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

// inflater is pooled: compress/flate's reader has a window of 32 KB and more, which no connection
// is to hold between messages.
type inflater struct {
	src  bytes.Reader // flate reads an io.ByteReader no further than the end of its stream
	tail bytes.Reader
	in   byteReaders
	fr   io.ReadCloser
}

var inflaters = sync.Pool{New: func() any { return new(inflater) }}

// maxFinalBlocks bounds how often a message may start over: it costs 32 KB to copy, and two bytes
// to ask for.
const maxFinalBlocks = 8

var errFinalBlocks = errors.New("wsconn: too many final blocks")

// byteReaders is io.MultiReader for the two parts of a stream, and an io.ByteReader.
type byteReaders struct{ first, second *bytes.Reader }

func (b *byteReaders) ReadByte() (byte, error) {
	if b.first.Len() > 0 {
		return b.first.ReadByte()
	}
	return b.second.ReadByte()
}

func (b *byteReaders) Read(p []byte) (int, error) {
	if b.first.Len() > 0 {
		return b.first.Read(p)
	}
	return b.second.Read(p)
}

// inflate returns a message's plain bytes, of which there may be limit (0: as many as there are).
// It stops at the first byte too many, so a bomb costs what a message of the limit costs. Text is
// judged as it is inflated.
func inflate(compressed []byte, limit int, text bool) (*buffer, *fault) {
	z := inflaters.Get().(*inflater)
	defer z.put()
	z.src.Reset(compressed)
	z.tail.Reset(deflateTail)
	z.in = byteReaders{&z.src, &z.tail}
	z.reset(nil)
	out, valid := getBuffer(min(4*len(compressed), 64<<10)), 0
	for finals := 0; ; {
		out = out.grow(1)
		room := out.b[len(out.b):cap(out.b)]
		if limit > 0 {
			room = room[:min(len(room), limit+1-len(out.b))]
		}
		n, err := z.fr.Read(room)
		out.b = out.b[:len(out.b)+n]
		if limit > 0 && len(out.b) > limit {
			out.free()
			return nil, faultMessageSize
		}
		if err == io.EOF && z.src.Len() > 0 {
			// A final block may stand inside a message (RFC 7692, section 7.2.3.4); what is behind
			// it belongs to the message.
			z.reset(out.b[max(0, len(out.b)-32<<10):])
			if finals++; finals <= maxFinalBlocks {
				err = nil
			} else {
				err = errFinalBlocks
			}
		}
		if text {
			whole, ok := validUTF8(out.b[valid:], err == io.EOF)
			if valid += whole; !ok {
				out.free()
				return nil, faultUTF8
			}
		}
		switch {
		case err == io.EOF:
			return out, nil
		case err != nil:
			out.free()
			return nil, faultDeflate
		}
	}
}

func (z *inflater) reset(dict []byte) {
	if z.fr == nil {
		z.fr = flate.NewReaderDict(&z.in, dict)
		return
	}
	_ = z.fr.(flate.Resetter).Reset(&z.in, dict)
}

// put puts z back without what it read.
func (z *inflater) put() {
	z.src.Reset(nil)
	inflaters.Put(z)
}

// deflater is pooled, too: a writer of compress/flate is more than 1 MB at its usual level.
type deflater struct {
	out bytes.Buffer
	fw  *flate.Writer
}

var deflaters = sync.Pool{New: func() any {
	z := new(deflater)
	z.fw, _ = flate.NewWriter(&z.out, flate.BestSpeed) // the level exists
	return z
}}

// minDeflate is the size below which a message isn't compressed: the result would hardly be
// smaller.
const minDeflate = 256

// deflate calls use with payload compressed, which is valid until use returns, or doesn't if it
// wouldn't be smaller. It reports whether it did.
func deflate(payload []byte, use func(compressed []byte)) bool {
	if len(payload) < minDeflate {
		return false
	}
	z := deflaters.Get().(*deflater)
	defer z.put()
	z.out.Reset()
	z.fw.Reset(&z.out)
	_, err := z.fw.Write(payload)
	if err == nil {
		err = z.fw.Flush() // ends on a byte, with the four bytes that are taken off
	}
	if n := z.out.Len() - 4; err == nil && n < len(payload) {
		use(z.out.Bytes()[:n])
		return true
	}
	return false
}

// put puts z back, unless one large message has made it large.
func (z *deflater) put() {
	if z.out.Cap() <= classes[len(classes)-1] {
		deflaters.Put(z)
	}
}

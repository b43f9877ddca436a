package wsconn

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// The close codes that the engine itself sends or reports (RFC 6455, section 7.4.1).
const (
	CodeNormal      = 1000
	CodeGoingAway   = 1001 // idle for too long, or too old
	CodeProtocol    = 1002
	CodeUnsupported = 1003 // binary, where it is refused
	CodeNoStatus    = 1005 // reported, never sent: a close frame without a code
	CodeAbnormal    = 1006 // reported, never sent: the connection was lost, or cut
	CodeInvalidData = 1007 // not UTF-8, or not what deflate wrote
	CodePolicy      = 1008 // a flood of control frames, or a reader that takes nothing
	CodeTooBig      = 1009
	CodeInternal    = 1011
	CodeRestart     = 1012
)

// maxReason is what a close frame has room for behind its code.
const maxReason = ws.MaxControlFramePayloadSize - 2

// sendable reports whether code may stand in a close frame, from either side. The codes to 2999 are
// those that the registry of RFC 6455, section 11.7, assigns: 1004 has no meaning, 1005, 1006 and
// 1015 are for reports alone. ws.CheckCloseFrameData isn't asked, as it knows none of 1012 to 1014.
func sendable(code int) bool {
	switch {
	case code >= 1000 && code <= 1003, code >= 1007 && code <= 1014, code >= 3000 && code <= 4999:
		return true
	}
	return false
}

// checkClose is what a caller's own close must satisfy; code 0 stands for a frame without a code.
func checkClose(code int, reason string) error {
	switch {
	case code == 0 && reason != "":
		return errors.New("wsconn: Close: a reason needs a code")
	case code != 0 && !sendable(code):
		const want = "want 1000 to 1003, 1007 to 1014, or 3000 to 4999"
		return fmt.Errorf("wsconn: Close: code %d may not be sent; %s", code, want)
	case len(reason) > maxReason:
		return fmt.Errorf("wsconn: Close: a reason of %d bytes; a close frame has room for %d", len(reason), maxReason)
	case !utf8.ValidString(reason):
		return errors.New("wsconn: Close: the reason is not UTF-8")
	}
	return nil
}

// parseClose reads a peer's close frame. Without a payload the code is CodeNoStatus (section
// 7.1.5). A payload of one byte and a code that nobody may send are protocol errors; a reason that
// isn't UTF-8 is invalid data.
func parseClose(payload []byte) (code int, reason string, fault *fault) {
	if len(payload) == 0 {
		return CodeNoStatus, "", nil
	}
	status, reason := ws.ParseCloseFrameData(payload)
	switch {
	case !sendable(int(status)): // 0 stands for a payload of one byte
		return 0, "", faultCloseFrame
	case !utf8.ValidString(reason):
		return 0, "", faultReason
	}
	return int(status), reason, nil
}

// closeFrame encodes a close frame; code 0 or CodeNoStatus stand for one without a payload.
func closeFrame(code int, reason string) []byte {
	if code == 0 || code == CodeNoStatus {
		return appendFrame(nil, opClose, true, false, nil)
	}
	return appendFrame(nil, opClose, true, false, ws.NewCloseFrameBody(ws.StatusCode(code), reason))
}

// fault is why the engine fails a connection: the close code that it sends, and the text behind it,
// which says what was wrong and nothing that the peer sent.
type fault struct {
	code   int
	reason string
}

func (f *fault) Error() string { return fmt.Sprintf("wsconn: %d %s", f.code, f.reason) }

// All faults, made once: failing is what an attacker makes the engine do.
var (
	faultReserved     = &fault{CodeProtocol, "reserved opcode"}
	faultRSV          = &fault{CodeProtocol, "reserved bits are set"}
	faultUnmasked     = &fault{CodeProtocol, "frame is not masked"}
	faultControlSize  = &fault{CodeProtocol, "control frame is too long"}
	faultControlSplit = &fault{CodeProtocol, "control frame is fragmented"}
	faultInterleaved  = &fault{CodeProtocol, "new message inside a fragmented one"}
	faultContinuation = &fault{CodeProtocol, "continuation of nothing"}
	faultLength       = &fault{CodeProtocol, "length is not in its shortest form"}
	faultCloseFrame   = &fault{CodeProtocol, "invalid close frame"}
	faultReason       = &fault{CodeInvalidData, "close reason is not UTF-8"}
	faultBinary       = &fault{CodeUnsupported, "binary data is not supported"}
	faultFrameSize    = &fault{CodeTooBig, "frame is too big"}
	faultMessageSize  = &fault{CodeTooBig, "message is too big"}
	faultUTF8         = &fault{CodeInvalidData, "text is not UTF-8"}
	faultDeflate      = &fault{CodeInvalidData, "compressed data is corrupt"}
	faultFlood        = &fault{CodePolicy, "too many control frames"}
	faultPongs        = &fault{CodePolicy, "pongs are not read"}
	faultSlow         = &fault{CodePolicy, "data is not read"}
	faultIdle         = &fault{CodeGoingAway, "Going away"}
	faultOld          = &fault{CodeGoingAway, "Going away"}
)

package websocket

import "time"

// Type is the kind of a message.
type Type uint8

// The kinds of messages. The zero value is text.
const (
	Text   Type = iota // UTF-8
	Binary             // only where Config.AllowBinary is set
)

// Info is what is known of a connection.
type Info struct {
	ConnectedAt time.Time `json:"connectedAt"`
	// LastActiveAt is when the last message was received from the client or accepted for it.
	LastActiveAt time.Time `json:"lastActiveAt"`
	SourceIP     string    `json:"sourceIp"`
	// UserAgent is "" if the client named none.
	UserAgent string `json:"userAgent,omitempty"`
}

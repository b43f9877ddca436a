package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/gorilla/websocket"
)

// dial is a client for trying out: it sends what is typed, each line a message, and prints what
// comes. When there is no more to send it says goodbye, and prints what was on its way.
func dial(ctx context.Context, url string, in io.Reader, out io.Writer) error {
	conn, resp, err := websocket.DefaultDialer.DialContext(ctx, url, nil)
	if err != nil && resp != nil {
		why, _ := io.ReadAll(resp.Body)
		return fmt.Errorf("%s: %s %s", url, resp.Status, why)
	}
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	go func() {
		for lines := bufio.NewScanner(in); lines.Scan(); {
			if conn.WriteMessage(websocket.TextMessage, lines.Bytes()) != nil {
				return
			}
		}
		_ = conn.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""))
	}()
	for {
		_, message, err := conn.ReadMessage()
		closed, ok := errors.AsType[*websocket.CloseError](err)
		switch {
		case ctx.Err() != nil || ok && closed.Code == websocket.CloseNormalClosure:
			return nil
		case err != nil:
			return err
		}
		_, _ = fmt.Fprintf(out, "%s\n", message)
	}
}

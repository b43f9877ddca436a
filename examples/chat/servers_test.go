//go:build servers && unix

package main

import (
	"testing"

	"github.com/gatekit-go/gatekit/internal/redistest"
)

func TestThreeProcessesOnAServer(t *testing.T) { testThreeProcesses(t, redistest.Start(t).Addr) }

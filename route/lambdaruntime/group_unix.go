//go:build unix

package lambdaruntime

import (
	"os/exec"
	"syscall"
)

// ownGroup has a process lead a group, in which all that it starts is as well.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// A group outlives its leader as long as there is one process in it, so that its number is nobody
// else's; once it is empty there is nobody to get the signal, and the number isn't given out again
// so soon.
func terminateGroup(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }

func killGroup(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }

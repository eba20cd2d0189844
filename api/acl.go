package api

// Allows tells whether a token with this ACL may do what is required, by the grammar of contract 2. The uuids are those of
// the token's own user and session, for the words "me" and "my_session"; empty: only the words themselves match.
func Allows(acl []string, required, userUUID, sessionUUID string) bool { return false }

// Matching gives the entries of the ACL that decided: the denials that match, or, without any, the grants.
func Matching(acl []string, required, userUUID, sessionUUID string) []string { return nil }

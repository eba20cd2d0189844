package authd

// methodOf is the user's authentication method, "default" resolved.
func (s *Server) methodOf(u *user) string {
	if u.method != "default" {
		return u.method
	}
	if t := s.tenants[u.tenant]; t != nil {
		return t.method
	}
	return "native"
}

// knowsTenant finds a tenant by uuid or slug, as the deprecated tenant_id does.
func (s *Server) knowsTenant(id string) bool {
	if s.tenants[id] != nil {
		return true
	}
	for _, t := range s.tenants {
		if t.slug == id {
			return true
		}
	}
	return false
}

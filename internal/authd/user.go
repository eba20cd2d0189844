package authd

func defaultMethod(purpose string) string {
	if purpose == "user" {
		return "default"
	}
	return "native"
}

func addresses(emails []email) []string {
	list := make([]string, len(emails))
	for i, e := range emails {
		list[i] = e.address
	}
	return list
}

// addUser enters a user, with the group that every user of a tenant is in.
func (s *Server) addUser(u *user) {
	u.created = s.next()
	u.refreshTokens = map[string]*refreshToken{}
	u.groups = []*group{s.tenants[u.tenant].allUsers}
	s.users[u.uuid] = u
	s.indexNames(u)
}

func emptyAddress() dict {
	return dict{{"line_1", nil}, {"line_2", nil}, {"city", nil}, {"state", nil}, {"country", nil}, {"zip_code", nil}}
}

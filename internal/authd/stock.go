package authd

import (
	"slices"
	"strings"
)

// userACL is the stock default_user_policy: every user of any purpose has it,
// through the group of all users of the tenant (contract 2).
var userACL = strings.Fields(`
agentd.users.me.#
auth.users.me.external.#
auth.users.me.password.update
auth.users.me.sessions.*.delete
auth.users.me.sessions.read
auth.users.me.tokens.*.delete
auth.users.me.tokens.read
call-logd.users.me.#
calld.lines.*.presences.read
calld.parkings.#
calld.switchboards.#
calld.transfers.*.complete.update
calld.transfers.*.delete
calld.transfers.*.read
calld.users.me.#
calld.users.me.conferences.*.participants.read
chatd.users.*.presences.read
chatd.users.me.presences.update
chatd.users.me.rooms.#
chatd.users.presences.read
confd.infos.read
confd.users.me.#.read
confd.users.me.forwards.*
confd.users.me.forwards.*.*
confd.users.me.funckeys.*
confd.users.me.funckeys.*.*
confd.users.me.meetings.#
confd.users.me.read
confd.users.me.services.*.*
confd.users.me.update
confd.users.me.blocklist.*
dird.#.me.read
dird.backends.*.sources.*.contacts.read
dird.directories.*.sources.read
dird.directories.favorites.#
dird.directories.lookup.*.headers.read
dird.directories.lookup.*.read
dird.directories.personal.*.read
dird.graphql.me
dird.personal.#
events.auth.users.me.external.#
events.auth.users.me.sessions.my_session.expire_soon
events.call_log.user.me.created
events.calls.me
events.chat.message.*.me
events.chat.message.*.me.*
events.chatd.users.*.presences.updated
events.chatd.users.me.rooms.#
events.conferences.users.me.#
events.config.users.me.#
events.directory.me.#
events.faxes.outbound.users.me.*
events.parkings.#
events.statuses.*
events.switchboards.#
events.transfers.me
events.users.me.#
events.voicemails.global.messages.#
webhookd.users.me.subscriptions.#
websocketd
`)

// adminACL is the stock policy of a tenant administrator.
var adminACL = strings.Fields(`
websocketd agentd.# amid.# auth.# call-logd.# calld.# chatd.# confd.# dird.# phoned.# plugind.# provd.# webhookd.# events.#
`)

const (
	adminPolicySlug = "wazo_default_admin_policy"
	adminGroupSlug  = "wazo_default_admin_group"
)

// addStock makes the policies of a stock stack. They belong to the master tenant,
// and every tenant sees them as its own.
func (s *Server) addStock() {
	s.adminPolicy = s.addPolicy(&policy{
		tenant: s.master.uuid, name: adminPolicySlug, slug: adminPolicySlug, readOnly: true,
		description: "Default Wazo policy for administrator", acl: adminACL,
	})
	s.userPolicy = s.addPolicy(&policy{
		tenant: s.master.uuid, name: "wazo_default_user_policy", slug: "wazo_default_user_policy", readOnly: true,
		description: "Default Wazo policy for user", acl: userACL,
	})
}

// addTenant makes a tenant with the groups that a stock stack puts into each.
func (s *Server) addTenant(t *tenant) {
	t.created = s.next()
	s.tenants[t.uuid] = t
	all := "wazo-all-users-tenant-" + t.uuid
	t.allUsers = s.addGroup(&group{tenant: t.uuid, name: all, slug: all, system: true, policies: []*policy{s.userPolicy}})
	t.admins = s.addGroup(&group{tenant: t.uuid, name: adminGroupSlug, slug: adminGroupSlug, policies: []*policy{s.adminPolicy}})
}

func (s *Server) addPolicy(p *policy) *policy {
	p.uuid, p.created = newUUID(), s.next()
	s.policies[p.uuid] = p
	return p
}

func (s *Server) addGroup(g *group) *group {
	g.uuid, g.created = newUUID(), s.next()
	s.groups[g.uuid] = g
	return g
}

// aclOf collects what a token of the user gets: the default user policy, the
// groups, the own policies; duplicates stay (contract 4).
func (s *Server) aclOf(u *user) []string {
	var acl []string
	for _, g := range u.groups {
		for _, p := range g.policies {
			acl = append(acl, p.acl...)
		}
	}
	for _, p := range u.policies {
		acl = append(acl, p.acl...)
	}
	return acl
}

// isAdmin is metadata.admin: the stock admin policy directly, or the stock admin
// group (contract 4).
func (s *Server) isAdmin(u *user) bool {
	return slices.ContainsFunc(u.groups, func(g *group) bool { return g.slug == adminGroupSlug }) ||
		slices.ContainsFunc(u.policies, func(p *policy) bool { return p.slug == adminPolicySlug })
}

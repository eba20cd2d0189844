package ui

import "wakey/session"

// pastedWord says in the head what a pasted token is: a shape and a word.
func (v *inspector) pastedWord() string {
	s := v.f.st
	switch p := v.pasted; p.kind {
	case pastedAccess:
		if !p.in.life.until.After(v.f.now) {
			return s.bad.Render("△ expired access token")
		}
		return s.good.Render("● access token")
	case pastedOurs, pastedRefresh:
		return s.info.Render("◆ refresh token")
	case pastedUnknown:
		return s.warn.Render("? no living access token")
	case pastedUnasked:
		if p.err != "" {
			return s.bad.Render(shapeDanger + " not told")
		}
	}
	return s.muted.Render("being asked…")
}

// pastedWords say it in sentences, where there are no permissions to list.
func (v *inspector) pastedWords(p *pasted) (what, next string) {
	switch p.kind {
	case pastedOurs:
		return "It is the refresh token of account " + p.owner.Name + ". That was seen here; no stack was asked.",
			"It may make access tokens, and has no permissions of its own." + v.f.hint(" Press t to see the refresh tokens of its user, esc to go back.")
	case pastedUnknown:
		if p.note != "" {
			return p.note, v.f.hint("Press enter to try another client_id, esc to go back.")
		}
		return "It is no living access token of " + hostOf(p.asked) + ": either an access token that expired or was revoked, or a refresh token.",
			"No account here holds it, and only using it tells which." + v.f.hint(" Press enter to try it as a refresh token, which opens a session.")
	case pastedUnasked:
		what, next = advice(p.err)
		if next != "" {
			next += "\n"
		}
		return what, next + v.f.hint("Press a to ask again, esc to go back.")
	case pastedAccess, pastedRefresh:
	}
	return "", ""
}

func (v *inspector) pastedSections(p *pasted) []section {
	now := v.f.now
	owner := section{title: "Whose"}
	switch {
	case p.owner.ID != "" && p.held:
		owner.facts = append(owner.facts, fact{"account", p.owner.Name, "holds it on this machine"})
	case p.owner.ID != "":
		owner.facts = append(owner.facts, fact{"account", p.owner.Name, "of the same user"})
		if p.in != nil && p.kind == pastedAccess {
			owner.facts = append(owner.facts, fact{"made by", madeHere(p.owner, p.in.SessionUUID), ""})
		}
	}
	switch p.kind {
	case pastedOurs:
		owner.facts = append(owner.facts, userFacts(nil, p.owner)...)
		return []section{
			{"", []fact{
				{"refresh token", p.token.String(), ""},
				{"client_id", p.owner.ClientID, ""},
				{"made", age(now, p.owner.SignedInAt), "at sign-in"},
				{"expires", "never", "until somebody revokes it"},
			}},
			owner,
			{"Origin", []fact{{"stack", hostOf(p.owner), trustWord(p.owner)}}},
		}
	case pastedRefresh:
		owner.facts = append(owner.facts, userFacts(p.in, loginOf(p))...)
		return []section{
			{"", []fact{
				{"refresh token", p.token.String(), ""},
				{"client_id", p.clientID, ""},
				{"expires", "never", "until somebody revokes it"},
				{"", "", p.note},
			}},
			owner,
			{"What it made", madeFacts(p.in)},
		}
	case pastedAccess:
		owner.facts = append(owner.facts, userFacts(p.in, loginOf(p))...)
		return []section{
			{"", append([]fact{
				{"access token", p.token.String(), ""},
				{"session", p.in.SessionUUID, ""},
				timeFact("issued", p.in.IssuedAt, age(now, p.in.life.from)),
				timeFact("expires", p.in.ExpiresAt, v.f.untilWords(p.in.life.until)),
			}, clockFacts(p.in)...)},
			owner,
			{"Origin", append([]fact{{"stack", hostOf(p.asked), trustWord(p.asked)}}, madeFacts(p.in)...)},
		}
	case pastedUnasked, pastedUnknown:
	}
	return []section{{"", []fact{{"token", p.token.String(), ""}, {"asked", hostOf(p.asked), "and no other stack"}}}}
}

// loginOf is the part of the owner's account that a token of its user shares.
func loginOf(p *pasted) session.Account { return session.Account{Login: p.owner.Login} }

// madeHere tells whether this machine opened a session.
func madeHere(a session.Account, uuid string) string {
	for _, o := range a.OwnSessions {
		if o.UUID == uuid {
			return "this machine, for account " + a.Name
		}
	}
	return "somebody else, or an earlier sign-in"
}

package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"wakey/api"
)

// snapshot keeps what there is as evidence, before anything is touched.
func (r *responder) snapshot(ctx context.Context) (string, error) {
	l, err := r.list(ctx)
	if err != nil {
		return "", err
	}
	e := &Evidence{At: l.at}
	for _, rt := range l.tokens {
		e.Tokens = append(e.Tokens, PlannedToken{UserUUID: rt.UserUUID, ClientID: rt.ClientID, CreatedAt: rt.CreatedAt, Mobile: rt.Mobile})
	}
	for _, s := range l.sessions {
		e.Sessions = append(e.Sessions, PlannedSession{s.UserUUID, s.UUID, s.Mobile})
	}
	for _, token := range r.held {
		e.Held = append(e.Held, token.Suffix())
	}
	r.in.Before = e
	r.in.Findings, err = r.m.Findings(r.in.Plan.Account)
	return fmt.Sprintf("%s and %s written down", count(len(e.Tokens), "refresh token"), count(len(e.Sessions), "session")), err
}

func (r *responder) list(ctx context.Context) (listing, error) {
	return r.in.Plan.listing(ctx, r.m.now, r.do)
}

// revokeTokens revokes the plan's refresh tokens, as far as they are listed as they were then.
func (r *responder) revokeTokens(ctx context.Context) (string, error) {
	l, err := r.list(ctx)
	if err != nil {
		return "", err
	}
	if l.noTokens != "" {
		return "", lacks(l.noTokens)
	}
	var there []PlannedToken
	for _, t := range r.in.Plan.Revoke {
		if !slices.Contains(r.in.Plan.Users, t.UserUUID) {
			continue
		}
		switch i := slices.IndexFunc(l.tokens, t.is); {
		case i < 0:
			r.revoked(Revocation{UserUUID: t.UserUUID, ClientID: t.ClientID}, api.ErrNotFound)
		case l.tokens[i].CreatedAt.Equal(t.CreatedAt):
			there = append(there, t)
		default: // made anew since the plan was shown: sweep asks about it
		}
	}
	if err := r.endTokens(ctx, r.in.step(StepTokens), there); err != nil {
		return "", err
	}
	return count(len(there), "refresh token") + " revoked", nil
}

// is tells whether the server's rt is t, whenever it was made.
func (t PlannedToken) is(rt api.RefreshToken) bool {
	return rt.ClientID == t.ClientID && rt.UserUUID == t.UserUUID
}

func lacks(permission string) error {
	return &api.Error{Kind: api.KindPermission, Permission: permission}
}

// endTokens revokes refresh tokens one by one. What one of them fails with does not spare the others.
func (r *responder) endTokens(ctx context.Context, step *Step, list []PlannedToken) error {
	step.Done, step.Of = 0, len(list)
	var errs []error
	for _, t := range list {
		err := r.do(ctx, func(ctx context.Context, c *api.Client, token api.Secret) error {
			if t.UserUUID == r.in.Plan.UserUUID {
				return c.RevokeMyRefreshToken(ctx, token, t.ClientID)
			}
			return c.RevokeUserRefreshToken(ctx, token, t.UserUUID, t.ClientID)
		})
		r.revoked(Revocation{UserUUID: t.UserUUID, ClientID: t.ClientID}, err)
		r.m.LogRevocation(r.in.Plan.Account, Revocation{UserUUID: t.UserUUID, ClientID: t.ClientID}, err)
		switch {
		case err == nil || errors.Is(err, api.ErrNotFound):
			step.Done++
			r.in.LastEnd = r.m.now()
		case errors.Is(err, api.ErrInvalid):
			r.stick(t)
			errs = append(errs, fmt.Errorf("%s: %w", shown(t.ClientID), err))
		case lostConnection(err) || ctx.Err() != nil:
			return err
		default:
			errs = append(errs, fmt.Errorf("%s: %w", shown(t.ClientID), err))
		}
		if err := r.save(); err != nil {
			return err
		}
	}
	return errors.Join(errs...)
}

// stick moves a refresh token that turned out to be stuck.
func (r *responder) stick(t PlannedToken) {
	p := &r.in.Plan
	p.Revoke = slices.DeleteFunc(p.Revoke, t.same)
	t.Why, t.Help = Stuck(t.ClientID, r.admin)
	if !slices.ContainsFunc(p.Stuck, t.same) {
		p.Stuck = append(p.Stuck, t)
	}
}

func (t PlannedToken) same(o PlannedToken) bool {
	return t.ClientID == o.ClientID && t.UserUUID == o.UserUUID
}

// exactly tells whether o is the very refresh token that t is, and not one made anew under its client_id.
func (t PlannedToken) exactly(o PlannedToken) bool {
	return t.same(o) && t.CreatedAt.Equal(o.CreatedAt)
}

// revokeSessions revokes the sessions that the plan names. Those that came up since are asked about
// in sweep, once nothing makes more of them.
func (r *responder) revokeSessions(ctx context.Context) (string, error) {
	_, sessions, err := r.foreign(ctx)
	if err != nil && len(sessions) == 0 {
		return "", err
	}
	sessions = filter(sessions, r.in.Plan.names)
	if err := r.endSessions(ctx, r.in.step(StepSessions), sessions); err != nil {
		return "", err
	}
	return count(len(sessions), "session") + " revoked", nil
}

// endSessions revokes sessions that a listing of the plan's users just gave.
func (r *responder) endSessions(ctx context.Context, step *Step, list []PlannedSession) error {
	step.Done, step.Of = 0, len(list)
	for i, s := range list {
		err := r.do(ctx, func(ctx context.Context, c *api.Client, token api.Secret) error {
			return c.RevokeUserSession(ctx, token, s.UserUUID, s.UUID)
		})
		r.revoked(Revocation{UserUUID: s.UserUUID, Session: s.UUID}, err)
		r.m.LogRevocation(r.in.Plan.Account, Revocation{UserUUID: s.UserUUID, Session: s.UUID}, err)
		if err != nil {
			return err // a permission that one lacks, all lack
		}
		step.Done++
		if i%16 == 15 {
			if err := r.save(); err != nil {
				return err
			}
		}
	}
	return r.save()
}

// foreign lists what is neither ours nor kept: refresh tokens to be revoked or asked about, and
// sessions other than the current ones of this machine's accounts of the user.
func (r *responder) foreign(ctx context.Context) (tokens []PlannedToken, sessions []PlannedSession, err error) {
	l, err := r.list(ctx)
	if err != nil {
		return nil, nil, err
	}
	own, err := r.m.holdings(ctx, &r.in.Plan)
	if err != nil {
		return nil, nil, err
	}
	p := &r.in.Plan
	mine := func(user string) []holding {
		return filter(own, func(h holding) bool { return h.user == user && user == p.UserUUID })
	}
	for _, rt := range l.tokens {
		t := PlannedToken{UserUUID: rt.UserUUID, ClientID: rt.ClientID, CreatedAt: rt.CreatedAt, Mobile: rt.Mobile, Why: "it has appeared since"}
		if slices.ContainsFunc(mine(t.UserUUID), func(h holding) bool { return h.clientID == t.ClientID }) ||
			p.keeps(t) || slices.ContainsFunc(p.Stuck, t.same) {
			continue
		}
		tokens = append(tokens, t)
	}
	for _, s := range l.sessions {
		if !slices.ContainsFunc(mine(s.UserUUID), func(h holding) bool { return h.session == s.UUID }) && !r.spared[s.UUID] {
			sessions = append(sessions, PlannedSession{s.UserUUID, s.UUID, s.Mobile})
		}
	}
	switch {
	case l.noTokens != "" && l.noSessions != "":
		err = errors.Join(lacks(l.noTokens), lacks(l.noSessions))
	case l.noTokens != "":
		err = lacks(l.noTokens)
	case l.noSessions != "":
		err = lacks(l.noSessions)
	}
	return tokens, sessions, err
}

// keeps tells whether t is left alone: the very one that the person saw. What is made anew under the name of
// a kept one, or of one of ours that was rotated, is somebody else's.
func (p *Plan) keeps(t PlannedToken) bool {
	return slices.ContainsFunc(p.Keep, t.exactly) && !p.rotates(t)
}

// rotate gives every account of the plan another refresh token.
func (r *responder) rotate(ctx context.Context) (string, error) {
	p := &r.in.Plan
	step := r.in.step(StepRotate)
	step.Done, step.Of = 0, len(p.Rotate)
	if len(p.Rotate) == 0 {
		return "this machine holds no refresh token of the user", nil
	}
	var names []string
	for _, planned := range p.Rotate {
		a, err := r.m.Account(string(planned.Account))
		if errors.Is(err, ErrNoAccount) {
			continue // forgotten meanwhile
		}
		if err == nil && a.ClientID == planned.ClientID {
			err = r.signInAgain(ctx, a.ID, "a refresh token can't make another, so "+a.Name+" signs in again")
		} else if err == nil {
			// Signed in again since: by us, before we were cut off, or by the person.
			r.revoked(Revocation{UserUUID: a.UserUUID, ClientID: planned.ClientID}, nil)
			err = r.m.retire(ctx, a.ID)
		}
		if errors.Is(err, ErrDeclined) {
			return "the refresh token of " + a.Name + " is not rotated: whoever has it can go on using it", err
		}
		if err != nil {
			return "", fmt.Errorf("%s: %w", a.Name, err)
		}
		names = append(names, a.Name)
		step.Done++
		if err := r.save(); err != nil {
			return "", err
		}
	}
	return "new refresh tokens for " + strings.Join(names, ", "), nil
}

// changePassword changes the password. That ends every session of the user, ours too (contract 9).
func (r *responder) changePassword(ctx context.Context) (string, error) {
	p := &r.in.Plan
	if !p.ChangePassword {
		return "not asked for", ErrDeclined
	}
	const declined = "the password is not changed: whoever knows it can sign in again"
	if r.h.NewPassword == nil {
		return declined, ErrDeclined
	}
	fresh, err := r.h.NewPassword(ctx)
	if err != nil {
		return declined, err
	}
	why := "changing the password takes the present one"
	for try := 1; ; try++ {
		old, err := r.askPassword(ctx, why)
		if err != nil {
			return declined, err
		}
		set := func(old api.Secret) error {
			return r.do(ctx, func(ctx context.Context, c *api.Client, token api.Secret) error {
				return c.SetOwnPassword(ctx, token, p.UserUUID, old, fresh)
			})
		}
		err = set(old)
		if errors.Is(err, api.ErrBadCredentials) {
			// An earlier try may have gone through without our hearing of it: then it is the new one by now.
			if again := set(fresh); again == nil || !errors.Is(again, api.ErrBadCredentials) {
				err = again
			}
		}
		switch {
		case err == nil:
			r.password = fresh
			return "the password is changed", nil
		case errors.Is(err, api.ErrUnsupported):
			return "", fmt.Errorf("the password is not kept by the stack, change it where it is (SAML or LDAP): %w", err)
		case errors.Is(err, api.ErrBadCredentials) && try < 3 && r.h.Password != nil:
			r.password, why = api.Secret{}, "that password is wrong; once more"
		default:
			return "", err
		}
	}
}

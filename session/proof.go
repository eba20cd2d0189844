package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"wakey/api"
)

// maxProofs bounds how many refresh tokens are asked for a second time, one by one.
const maxProofs = 200

// prove asks the server about everything that is said to be dead.
func (r *responder) prove(ctx context.Context) (string, error) {
	r.in.Proofs = nil
	for _, part := range []func(context.Context) error{r.proveTokens, r.proveSessions, r.proveHeld, r.proveStolen} {
		if err := part(ctx); err != nil {
			return "", err
		}
	}
	r.leaveOpen()
	bad := filter(r.in.Proofs, func(p Proof) bool { return p.State == Disproven })
	if len(bad) > 0 {
		return "", fmt.Errorf("%s: %s (%s)", count(len(bad), "thing")+" still alive", bad[0].Claim, bad[0].How)
	}
	good := filter(r.in.Proofs, func(p Proof) bool { return p.State == Proven })
	return fmt.Sprintf("%d proven, %d not provable", len(good), len(r.in.Proofs)-len(good)), nil
}

func (r *responder) claim(state ProofState, claim, how string) {
	r.in.Proofs = append(r.in.Proofs, Proof{Claim: claim, State: state, How: how, At: r.m.now()})
}

// proveTokens lists the refresh tokens again, and revokes again each that was revoked: 404 is
// what a dead one answers (contract 7.2).
func (r *responder) proveTokens(ctx context.Context) error {
	l, err := r.list(ctx)
	if err != nil {
		return err
	}
	if l.noTokens != "" {
		r.claim(NotProvable, "the refresh tokens are gone", "they can't be listed without the permission "+shown(l.noTokens))
	}
	own, err := r.m.holdings(ctx, &r.in.Plan)
	if err != nil {
		return err
	}
	asked := 0
	for _, v := range r.in.Revoked {
		t := PlannedToken{UserUUID: v.UserUUID, ClientID: v.ClientID}
		// What could not be revoked because no address can carry it is told by leaveOpen; what is ours again
		// is not to be revoked.
		if v.ClientID == "" || slices.ContainsFunc(r.in.Plan.Stuck, t.same) ||
			slices.ContainsFunc(own, func(h holding) bool { return h.clientID == t.ClientID && h.user == t.UserUUID }) {
			continue
		}
		claim := "the refresh token " + shown(t.ClientID) + " is dead"
		if slices.ContainsFunc(l.tokens, t.is) {
			r.claim(Disproven, claim, "it is listed")
			continue
		}
		if asked++; asked > maxProofs {
			if l.noTokens == "" {
				r.claim(Proven, claim, "it is not listed any more")
			}
			continue
		}
		err := r.do(ctx, func(ctx context.Context, c *api.Client, token api.Secret) error {
			if t.UserUUID == r.in.Plan.UserUUID {
				return c.RevokeMyRefreshToken(ctx, token, t.ClientID)
			}
			return c.RevokeUserRefreshToken(ctx, token, t.UserUUID, t.ClientID)
		})
		switch {
		case errors.Is(err, api.ErrNotFound) && l.noTokens == "":
			r.claim(Proven, claim, "it is not listed any more, and revoking it again answers that there is none")
		case errors.Is(err, api.ErrNotFound):
			r.claim(Proven, claim, "revoking it again answers that there is none")
		case err == nil:
			r.claim(Disproven, claim, "it was there again, and was revoked again: somebody made it anew")
		case lostConnection(err) || ctx.Err() != nil:
			return err
		default:
			r.claim(NotProvable, claim, err.Error())
		}
	}
	return nil
}

// proveSessions lists the sessions again. The server has one session per access token (contract 4), and the
// access token ends with it (contract 8).
func (r *responder) proveSessions(ctx context.Context) error {
	tokens, sessions, err := r.foreign(ctx)
	kept := slices.ContainsFunc(r.in.Plan.Keep, func(t PlannedToken) bool { return t.Label != "" })
	const claim = "no session but ours is left"
	switch {
	case err != nil && (lostConnection(err) || ctx.Err() != nil):
		return err
	case errors.Is(err, api.ErrPermission) && len(sessions) == 0:
		r.claim(NotProvable, claim, err.Error())
	case len(sessions) > 0 && kept:
		r.claim(NotProvable, claim, "there is "+count(len(sessions), "session")+" more, which may be of a client that was left alone")
	case len(sessions) > 0:
		r.claim(Disproven, claim, "there is "+count(len(sessions), "session")+" that this machine does not hold: somebody signs in")
	case len(r.spared) > 0:
		r.claim(NotProvable, claim, count(len(r.spared), "session")+" that came up during the response left alone, as you wished")
	default:
		r.claim(Proven, claim, "the list names none, and an access token ends with its session")
	}
	for _, t := range tokens {
		if !slices.ContainsFunc(r.in.Revoked, func(v Revocation) bool { return v.ClientID == t.ClientID && v.UserUUID == t.UserUUID }) {
			r.claim(Disproven, "no refresh token has appeared", shown(t.ClientID)+" has: somebody signs in with the password, change it")
		}
	}
	return nil
}

// proveHeld asks about each access token that this machine had when it began.
func (r *responder) proveHeld(ctx context.Context) error {
	c, err := r.m.Client(r.in.Plan.Account)
	if err != nil {
		return err
	}
	own, err := r.m.holdings(ctx, &r.in.Plan)
	if err != nil {
		return err
	}
	current := func(v api.Secret) bool {
		return slices.ContainsFunc(own, func(h holding) bool { return h.token.Equal(v) })
	}
	for _, v := range r.held {
		if current(v) {
			continue
		}
		claim := "our earlier access token …" + v.Suffix() + " is dead"
		switch err := c.CheckToken(ctx, v, "", ""); {
		case errors.Is(err, api.ErrTokenDead):
			r.claim(Proven, claim, "the server knows no such token")
		case err == nil:
			r.claim(Disproven, claim, "the server still takes it")
		case lostConnection(err) || ctx.Err() != nil:
			return err
		default:
			r.claim(NotProvable, claim, err.Error())
		}
	}
	return nil
}

// proveStolen tries the refresh tokens that the person knows to be stolen.
func (r *responder) proveStolen(ctx context.Context) error {
	c, err := r.m.Client(r.in.Plan.Account)
	if err != nil {
		return err
	}
	var clientIDs []string
	if r.in.Before != nil {
		for _, t := range r.in.Before.Tokens {
			clientIDs = append(clientIDs, t.ClientID)
		}
	}
	for _, v := range r.in.Revoked {
		clientIDs = append(clientIDs, v.ClientID)
	}
	for _, t := range r.in.Plan.Stuck {
		clientIDs = append(clientIDs, t.ClientID)
	}
	for _, rot := range r.in.Rotated {
		clientIDs = append(clientIDs, rot.ClientID)
	}
	for _, value := range r.h.Stolen {
		result, err := tryStolen(ctx, c, value, clientIDs)
		claim := "the stolen refresh token …" + value.Suffix() + " is dead"
		switch {
		case err != nil && (lostConnection(err) || ctx.Err() != nil):
			return err
		case err != nil:
			r.claim(NotProvable, claim, err.Error())
		case result.Works:
			text := result.Text(value, r.in.Plan.UserUUID)
			r.claim(Disproven, claim, text)
			r.say(Alarm, text)
		default:
			r.claim(Proven, claim, result.Text(value, r.in.Plan.UserUUID))
		}
	}
	return nil
}

// leaveOpen says what no request can prove, and until when it can matter.
func (r *responder) leaveOpen() {
	p := &r.in.Plan
	for _, t := range p.Stuck {
		r.claim(Disproven, "the refresh token "+shown(t.ClientID)+" is dead", "it can't be revoked: "+t.Why+"; "+t.Help)
	}
	for _, t := range p.Keep {
		if !p.rotates(t) {
			how := "it was left alone: " + t.Why
			if risk := p.KeptAtRisk(); risk != "" {
				how += "; " + risk
			}
			r.claim(NotProvable, "the refresh token "+shown(t.ClientID)+" is in nobody else's hands", how)
		}
	}
	for _, o := range p.Rotate {
		if a, err := r.m.Account(string(o.Account)); err == nil && a.ClientID == o.ClientID {
			r.claim(NotProvable, "the refresh token of "+o.Name+" is in nobody else's hands", "it was not rotated")
		}
	}
	if r.in.step(StepPassword).State != Done {
		r.claim(NotProvable, "nobody else knows the password", "it was not changed; whoever knows it can sign in again")
	}
	open := Proof{
		Claim: "no access token in other hands is alive", State: NotProvable, At: r.m.now(), Until: r.lastEnd().Add(p.Lifetime),
		How: fmt.Sprintf("their values are not known here, so they can't be asked about one by one; the list of sessions is what tells. "+
			"One that the list did not show would live for %s from its making, the longest seen here; whoever makes one may ask for up to ten years", inWords(p.Lifetime)),
	}
	r.in.Proofs = append(r.in.Proofs, open)
}

// inWords writes a length of time in its largest whole unit.
func inWords(d time.Duration) string {
	switch {
	case d%time.Hour == 0:
		return count(int(d/time.Hour), "hour")
	case d%time.Minute == 0:
		return count(int(d/time.Minute), "minute")
	}
	return count(int(d.Round(time.Second)/time.Second), "second")
}

// lastEnd is the last instant at which a refresh token now revoked could make an access token.
func (r *responder) lastEnd() time.Time {
	if r.in.LastEnd.IsZero() {
		return r.in.Begun
	}
	return r.in.LastEnd
}

package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	// maxSweeps bounds the race with whoever signs in again as fast as it is thrown out.
	maxSweeps = 12
	// cleanSweeps in a row, sweepPause apart, have to find nothing: a request of the thief that
	// was under way at the first shows at the second.
	cleanSweeps = 2
	sweepPause  = 2 * time.Second
)

func pauseFor(try int) time.Duration { return time.Second << (try - 1) }

// sweep lists again and revokes what is left or has come up, until nothing is.
func (r *responder) sweep(ctx context.Context) (string, error) {
	step := r.in.step(StepSweep)
	clean := 0
	for round := 1; round <= maxSweeps; round++ {
		tokens, sessions, lacking := r.foreign(ctx)
		tokens, sessions, err := r.confirmed(ctx, tokens, sessions)
		if err != nil {
			return "", err
		}
		if len(tokens)+len(sessions) == 0 {
			if lacking != nil {
				return "", lacking
			}
			if clean++; clean == cleanSweeps {
				return fmt.Sprintf("nothing is left, seen %d times in a row", clean), nil
			}
			if err := waitFor(ctx, sweepPause); err != nil {
				return "", err
			}
			continue
		}
		clean = 0
		// Refresh tokens first: what they still make is in the next listing.
		terr := r.endTokens(ctx, step, tokens)
		if terr != nil && (lostConnection(terr) || ctx.Err() != nil) {
			return "", terr
		}
		r.in.Intruder += len(sessions)
		if err := errors.Join(terr, r.endSessions(ctx, step, sessions)); err != nil {
			return "", err
		}
	}
	return "", fmt.Errorf("after %d rounds there is still something new each time: %s", maxSweeps, r.suspicion())
}

// confirmed narrows down to what the person has been shown and wants revoked, asking about what came
// up since.
func (r *responder) confirmed(ctx context.Context, tokens []PlannedToken, sessions []PlannedSession) ([]PlannedToken, []PlannedSession, error) {
	p := &r.in.Plan
	for _, t := range tokens {
		if why, _ := Stuck(t.ClientID, r.admin); why != "" {
			r.stick(t) // nobody has to be asked about what can't be done
		}
	}
	tokens = filter(tokens, func(t PlannedToken) bool { return !slices.ContainsFunc(p.Stuck, t.same) })
	known := func(t PlannedToken) bool {
		// What was to be rotated and is still there is one of ours, and was to end.
		return slices.ContainsFunc(p.Revoke, t.exactly) || p.rotates(t) && slices.ContainsFunc(p.Keep, t.exactly)
	}
	fresh := Appeared{
		Tokens:   filter(tokens, func(t PlannedToken) bool { return !known(t) }),
		Sessions: filter(sessions, func(s PlannedSession) bool { return !p.names(s) }),
	}
	if len(fresh.Tokens)+len(fresh.Sessions) == 0 {
		return tokens, sessions, nil
	}
	for i, t := range fresh.Tokens {
		if slices.ContainsFunc(p.Revoke, t.same) || slices.ContainsFunc(p.Keep, t.same) {
			t.Why = "somebody has made it anew"
			fresh.Tokens[i].Why = t.Why
		}
		if !slices.ContainsFunc(r.in.Appeared, t.exactly) {
			r.in.Appeared = append(r.in.Appeared, t)
			r.say(Alarm, "a refresh token has appeared during the response: "+shown(t.ClientID))
		}
	}
	yes := false
	if r.h.Confirm != nil {
		var err error
		if yes, err = r.h.Confirm(ctx, fresh); err != nil && !errors.Is(err, ErrDeclined) {
			return nil, nil, err
		}
	}
	if !yes {
		for _, t := range fresh.Tokens {
			t.Why = "it appeared during the response, and you did not want it revoked"
			p.Keep = append(p.Keep, t)
		}
		for _, s := range fresh.Sessions {
			r.spared[s.UUID] = true
		}
		tokens = filter(tokens, func(t PlannedToken) bool { return !slices.ContainsFunc(fresh.Tokens, t.same) })
		return tokens, filter(sessions, p.names), r.save()
	}
	p.Revoke = append(p.Revoke, fresh.Tokens...)
	p.Sessions = append(p.Sessions, fresh.Sessions...)
	return tokens, sessions, r.save()
}

// suspicion says who may keep coming back.
func (r *responder) suspicion() string {
	p := &r.in.Plan
	var who []string
	if len(r.in.Appeared) > 0 {
		who = append(who, "somebody signs in with the password: change it")
	}
	for _, t := range p.Stuck {
		who = append(who, "the refresh token "+shown(t.ClientID)+" can't be revoked: "+t.Help)
	}
	if r.in.step(StepRotate).State != Done {
		who = append(who, "our own refresh token was not rotated: rotate it")
	}
	for _, t := range p.Keep {
		if len(who) < 8 && t.Label != "" {
			who = append(who, t.Label+" was left alone, and may be what comes back")
		}
	}
	if len(who) == 0 {
		return "somebody signs in with the password: change it"
	}
	return strings.Join(who, "; ")
}

package ui

import (
	tea "charm.land/bubbletea/v2"
)

// keyringWait lies on the screen while the keyring does not answer, and lets a person go on without.
type keyringWait struct {
	*confirm

	ask keyringMsg
}

func newKeyringWait(f *frame, msg keyringMsg) *keyringWait {
	k := &keyringWait{ask: msg}
	k.confirm = &confirm{
		f: f, heading: "Waiting for the keyring", no: "Leave it locked",
		text: []string{
			"The keyring of this machine has the key of the accounts and does not answer yet. It may be showing its own prompt: answer that.",
			"If it never answers, unlock it, or end it and let it start anew.",
		},
	}
	if msg.req.New {
		k.no = "Use a passphrase"
		k.text = []string{
			"The keyring of this machine is to keep the key of the accounts and does not answer yet. It may be showing its own prompt: answer that.",
			"A passphrase can lock the accounts instead. \"wakey store move --keyring\" changes that later.",
		}
	}
	k.onNo = func() tea.Cmd {
		f.close(k)
		f.whileOpening(storeOpening)
		close(msg.enough)
		return nil
	}
	return k
}

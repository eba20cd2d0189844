package api

// Trust says which certificate of a stack is accepted besides those the system trusts.
type Trust struct {
	Pin    string // "SHA256:…" of the certificate's public key; empty: none
	CAFile string // PEM file of a private certificate authority; empty: none
}

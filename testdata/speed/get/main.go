// Command get prints one item of the keyring: the least that a program whose key is there has to do.
package main

import (
	"os"

	"github.com/zalando/go-keyring"
)

func main() {
	secret, err := keyring.Get(os.Args[1], os.Args[2])
	if err != nil {
		_, _ = os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
	_, _ = os.Stdout.WriteString(secret + "\n")
}

// Package keyringd starts real keyrings for the tests, and does to them what people do.
package keyringd

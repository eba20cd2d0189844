// Package notifyd is a desktop for the tests: a session bus of their own with a service that takes
// notifications and shows them to the test.
package notifyd

// Command wakey keeps Wazo Platform accounts signed in.
package main

func main() {}

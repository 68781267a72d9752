// Command show.
package main

func main() {}

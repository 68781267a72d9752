package main

import "regexp"

var (
	everyMinute = regexp.MustCompile(`every: [0-9]+(s|m)\b`)
	looksUp     = regexp.MustCompile(`(?m)^( +)lookup:\n`)
)

// hurriedTimes says what hurried does, for people.
const hurriedTimes = "on a copy of the mappings that asks again each 300 ms (not each 20 seconds, 1, 5 or 10 minutes) and looks for a lost call after 200 ms (not 5 s)"

// hurried gives a mapping that waits for shorter times.
func hurried(text string) string {
	text = everyMinute.ReplaceAllString(text, "every: 300ms")
	return looksUp.ReplaceAllString(text, "${1}lookup:\n${1}  after: 200ms\n")
}

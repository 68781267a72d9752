package durable

import (
	"bytes"
	"fmt"
	"html"
	"time"
)

// What a graph is drawn with, in pixels.
const (
	rowHeight = 28
	textLeft  = 44
	width     = 760
)

// colours are those of steps by their state.
var colours = map[string]string{
	"ok": "#2e7d32", "running": "#1565c0", "waiting": "#f9a825", "held": "#e65100", "pending": "#bdbdbd",
	"refused": "#c62828", "failed": "#c62828", "unknown": "#6a1b9a", "skipped": "#90a4ae",
}

// Graph draws an order's steps as SVG: one below the other, in the order in
// which they went, what was taken back, what waits and what is to come. Names,
// states and times alone are in it.
func Graph(d *Document) []byte {
	var b bytes.Buffer
	height := (len(d.Steps)+2)*rowHeight + 8
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="system-ui, sans-serif" font-size="13">`+"\n", width, height, width, height)
	fmt.Fprintf(&b, `<title>Order %s: %s</title><rect width="100%%" height="100%%" fill="#ffffff"/>`+"\n", html.EscapeString(d.ID), html.EscapeString(d.State))
	head := d.Route + " " + d.ID + ": " + d.State
	if d.WaitsFor != "" {
		head += ", for " + d.WaitsFor
	}
	if d.Until != nil && d.Ended == nil {
		head += " until " + d.Until.Format(time.RFC3339)
	}
	fmt.Fprintf(&b, `<text x="12" y="22" font-weight="600">%s</text>`+"\n", html.EscapeString(head))
	for i, s := range d.Steps {
		y := (i+1)*rowHeight + 24
		if i > 0 {
			fmt.Fprintf(&b, `<line x1="22" y1="%d" x2="22" y2="%d" stroke="#9e9e9e"/>`, y-rowHeight, y)
		}
		colour := colours[s.State]
		if colour == "" {
			colour = "#424242"
		}
		fill, name := colour, s.Name
		if s.Undo {
			name = "↩ " + name
		}
		if s.State == "pending" || s.State == "skipped" {
			fill = "#ffffff"
		}
		fmt.Fprintf(&b, `<circle cx="22" cy="%d" r="7" fill="%s" stroke="%s" stroke-width="2"/>`, y, fill, colour)
		fmt.Fprintf(&b, `<text x="%d" y="%d">%s</text><text x="%d" y="%d" fill="#616161">%s</text>`+"\n",
			textLeft, y+4, html.EscapeString(name), width/2, y+4, html.EscapeString(graphWords(&s)))
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

func graphWords(s *Step) string {
	words := s.State
	if s.Class != "" {
		words += " (" + s.Class + ")"
	}
	if s.Attempts > 1 {
		words += fmt.Sprintf(", %d calls", s.Attempts)
	}
	if s.Started != nil {
		words += ", " + s.Started.Format(time.RFC3339)
		if s.Ended != nil {
			words += fmt.Sprintf(", %s", s.Ended.Sub(*s.Started).Round(time.Millisecond))
		}
	}
	return words
}

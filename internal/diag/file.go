package diag

import (
	"sort"
	"strings"
	"sync"
	"unicode/utf8"
)

// File is a source text under the name that messages show.
type File struct {
	Name string // slash-separated, relative to where the user stands: "mappings/ura/x.yaml"
	Text string

	once  sync.Once
	lines []int // offset of each line's first byte, made when first asked
}

// NewFile gives a file for text under the name messages show.
func NewFile(name, text string) *File { return &File{Name: name, Text: text} }

// Position gives the 1-based line and column (in characters) of byte offset
// off. Offsets outside the text count as its nearest end.
func (f *File) Position(off int) (line, col int) {
	off = min(max(off, 0), len(f.Text))
	line = f.line(off)
	return line + 1, utf8.RuneCountInString(f.Text[f.lines[line]:off]) + 1
}

// line gives the 0-based line that holds off.
func (f *File) line(off int) int {
	f.once.Do(func() {
		f.lines = make([]int, 1, strings.Count(f.Text, "\n")+1)
		for i := 0; i < len(f.Text); i++ {
			if f.Text[i] == '\n' {
				f.lines = append(f.lines, i+1)
			}
		}
	})
	return sort.SearchInts(f.lines, off+1) - 1
}

// lineText gives the text of 0-based line n without its line break, and where it begins.
func (f *File) lineText(n int) (text string, start int) {
	start = f.lines[n]
	end := len(f.Text)
	if n+1 < len(f.lines) {
		end = f.lines[n+1] - 1
	}
	return strings.TrimSuffix(f.Text[start:end], "\r"), start
}

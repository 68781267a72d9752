package jsonx

// Arena owns what Values point into while one request lasts: indexes of parsed
// documents, built lists, built texts. It is reused: Reset forgets all, and
// lets go of storage beyond a bound. Not safe for concurrent use.
type Arena struct {
	entries []struct{} //nolint:unused // the builder decides
}

// SyntaxError tells where a document is not JSON, or is refused.
type SyntaxError struct {
	Offset  int    // byte offset into the document
	Message string // without any received text, save for a key's name in Key
	Key     string // for a duplicate key: its name
}

// Error gives message and offset, never received values.
func (e *SyntaxError) Error() string { panic("not built") }

// Reset forgets everything; every Value of this arena is dead.
func (a *Arena) Reset() { panic("not built") }

// Parse validates text (gjson) and gives its root, indexed once so that later reads are cheap.
// With strict, duplicate keys are refused; else the first wins. Nesting beyond 512 is refused. The bytes must stay as they are while the arena is used.
func (a *Arena) Parse(text string, strict bool) (Value, error) { panic("not built") }

// Mark begins a list or a text; builds may nest.
func (a *Arena) Mark() Mark { panic("not built") }

// Mark is where a build began.
type Mark struct{ values, bytes int } //nolint:unused // filled by Mark

// Push adds an element to the list being built.
func (a *Arena) Push(v Value) { panic("not built") }

// List ends the list begun at m and gives it as an Array value.
func (a *Arena) List(m Mark) Value { panic("not built") }

// Drop undoes everything pushed or written since m.
func (a *Arena) Drop(m Mark) { panic("not built") }

// Buf gives the scratch text being built, to append to; give it back with SetBuf.
func (a *Arena) Buf() []byte { panic("not built") }

// SetBuf gives the scratch text back.
func (a *Arena) SetBuf(b []byte) { panic("not built") }

// Text ends the scratch text begun at m and gives it as a stable string.
func (a *Arena) Text(m Mark) string { panic("not built") }

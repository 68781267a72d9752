package store

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/emenda-gateway/emenda/internal/seal"
)

// The files of a data folder that are the store's.
const (
	journalFile = "store.log"
	lockFile    = "store.lock"
)

// header begins a journal: what it is, and the version of its form.
const header = "emenda store 1\n"

// A frame is its length in four bytes and a sealed list of changes.
const (
	frameHead  = 4
	frameMost  = 64 << 20
	framePlace = "journal"
)

// A journal is written anew when it is larger than this, and than four times
// what it was when it was last written anew.
const compactFrom = 4 << 20

// journal is an append-only file. What is appended is on disk once sync returns.
type journal struct {
	name string
	keys seal.Keys
	log  *slog.Logger
	up   func(bool) // told whether it can be written
	lock *os.File

	mu      sync.Mutex
	wake    *sync.Cond
	f       *os.File
	size    int64 // of the file
	small   int64 // its size when it was last written anew
	written int64 // bytes appended in all, over every file
	synced  int64 // of them on disk
	syncing bool
	broken  error // the file cannot be trusted: it is written anew before anything else
	since   time.Time
}

// change is one entry of a frame: the state of one thing after it.
type change struct {
	Record  *recordText  `json:"r,omitempty"`
	Claimed *claimedText `json:"c,omitempty"`
	Value   *valueText   `json:"v,omitempty"`
	Intent  *intent      `json:"i,omitempty"`
}

// recordText is a record; one that is running is forgotten.
type recordText struct {
	State  string      `json:"s"`
	Owner  string      `json:"o"`
	Names  []seal.Name `json:"n"`
	Hashes []seal.Name `json:"h"`
	Answer []byte      `json:"a,omitempty"`
	Until  time.Time   `json:"u"`
}

type claimedText struct {
	Names []seal.Name `json:"n"`
	IDs   []string    `json:"i"`
	Until time.Time   `json:"u"`
}

type valueText struct {
	Name  seal.Name `json:"n"`
	Text  []byte    `json:"t"`
	Until time.Time `json:"u"`
}

// batch collects the changes of one frame. Nil things are passed over.
type batch []change

func (b *batch) record(r *record) {
	if r != nil {
		*b = append(*b, change{Record: &recordText{State: string(rune(r.state)), Owner: r.owner, Names: r.names, Hashes: r.hashes, Answer: r.answer, Until: r.until}})
	}
}

func (b *batch) claimed(c *claimed) {
	if c != nil {
		*b = append(*b, change{Claimed: &claimedText{Names: c.names, IDs: c.ids, Until: c.until}})
	}
}

func (b *batch) value(n seal.Name, v *value) {
	*b = append(*b, change{Value: &valueText{Name: n, Text: v.text, Until: v.until}})
}

func (b *batch) intent(i *intent) {
	if i != nil {
		*b = append(*b, change{Intent: i})
	}
}

// openJournal takes a data folder for this process, reads what is there, and goes on with it.
func (s *Store) openJournal(folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("the data folder cannot be made: %w", err)
	}
	lock, err := lockFolder(filepath.Join(folder, lockFile))
	if err != nil {
		return err
	}
	j := &journal{name: filepath.Join(folder, journalFile), keys: s.keys, log: s.log, up: s.metrics.StoreUp, lock: lock, since: time.Now()}
	j.wake = sync.NewCond(&j.mu)
	s.local.mu.Lock()
	defer s.local.mu.Unlock()
	text, err := os.ReadFile(j.name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(fmt.Errorf("the store's file cannot be read: %w", err), lock.Close())
	}
	if err := s.local.read(j, text); err != nil {
		return errors.Join(err, lock.Close())
	}
	s.local.forget(time.Now())
	s.local.journal = j
	if err := s.local.compact(); err != nil {
		return errors.Join(fmt.Errorf("the store's file cannot be written: %w", err), lock.Close())
	}
	return nil
}

// read takes in a journal's frames. A last one that was cut short was never
// relied on: nothing goes out before its frame is on disk.
func (l *local) read(j *journal, text []byte) error {
	if len(text) == 0 {
		return nil
	}
	if !bytes.HasPrefix(text, []byte(header)) {
		if len(text) < len(header) && bytes.HasPrefix([]byte(header), text) {
			return nil // cut while it was made
		}
		return fmt.Errorf("%s is no store of this version; move it away to begin anew: who repeats a request is then not known any more", j.name)
	}
	for at := len(header); at < len(text); {
		frame, rest := text[at:], len(text)-at
		n := 0
		if rest >= frameHead {
			n = int(binary.BigEndian.Uint32(frame))
		}
		if rest < frameHead || n <= frameMost && rest < frameHead+n {
			j.log.Warn("the store's file ends in the middle of an entry, which is dropped: it was never relied on", slog.Int("bytes", rest))
			return nil
		}
		if n > frameMost {
			return j.damaged(at, errors.New("an entry is too large"))
		}
		plain, err := j.keys.Open(framePlace, frame[frameHead:frameHead+n])
		if err != nil {
			if at+frameHead+n == len(text) && at > len(header) {
				j.log.Warn("the last entry of the store's file is damaged, and dropped: it was never relied on", slog.Int("bytes", rest))
				return nil
			}
			return j.damaged(at, err)
		}
		var changes []change
		if err := json.Unmarshal(plain, &changes); err != nil {
			return j.damaged(at, errors.New("an entry cannot be read"))
		}
		for i := range changes {
			l.take(&changes[i])
		}
		at += frameHead + n
	}
	return nil
}

func (j *journal) damaged(at int, err error) error {
	return fmt.Errorf("%s, byte %d: %w; give the key it was sealed with, or move the file away to begin anew: who repeats a request is then not known any more", j.name, at, err)
}

// take applies one change that was read.
func (l *local) take(c *change) {
	if t := c.Record; t != nil && t.State != "" {
		r := &record{state: recordState(t.State[0]), owner: t.Owner, names: t.Names, hashes: t.Hashes, answer: t.Answer, until: t.Until, done: make(chan struct{})}
		for _, n := range r.names {
			delete(l.records, n)
			if r.state != running {
				l.records[n] = r
			}
		}
	}
	if t := c.Claimed; t != nil {
		for _, n := range t.Names {
			l.claims[n] = &claimed{ids: t.IDs, names: t.Names, until: t.Until}
		}
		if len(t.Names) > 1 { // one thing under several names
			for _, n := range t.Names[1:] {
				l.claims[n] = l.claims[t.Names[0]]
			}
		}
	}
	if t := c.Value; t != nil {
		l.values[t.Name] = &value{text: t.Text, until: t.Until}
	}
	if i := c.Intent; i != nil {
		if i.State == "" {
			delete(l.intents, i.ID)
		} else {
			l.intents[i.ID] = i
		}
	}
}

// log appends a frame of changes; sync waits until it is on disk. With a
// journal that is broken, everything is written anew first.
func (l *local) log(fill func(*batch)) (written int64) {
	j := l.journal
	if j == nil {
		return 0
	}
	if j.worn() {
		// What is kept here has the change already.
		if err := l.compact(); err != nil {
			return -1
		}
		return j.position()
	}
	var b batch
	fill(&b)
	return j.append(frameOf(j.keys[0], b))
}

func frameOf(key *seal.Key, b batch) []byte {
	text, err := json.Marshal([]change(b))
	if err != nil {
		panic(err) // of texts and times it always can
	}
	frame := key.Seal(make([]byte, frameHead, frameHead+64+len(text)), framePlace, text)
	binary.BigEndian.PutUint32(frame, uint32(len(frame)-frameHead)) //nolint:gosec // far below 4 GB
	return frame
}

// worn tells that the journal has to be written anew.
func (j *journal) worn() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.broken != nil || j.size > compactFrom && j.size > 4*j.small
}

func (j *journal) position() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.written
}

// append writes a frame and gives the position sync waits for; -1 when it could not be written.
func (j *journal) append(frame []byte) int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.f == nil {
		return -1
	}
	n, err := j.f.Write(frame)
	if err != nil {
		j.fail(err)
		return -1
	}
	j.size += int64(n)
	j.written += int64(n)
	return j.written
}

// sync waits until everything up to a position is on disk. Those who wait together share one sync.
func (j *journal) sync(to int64) error {
	if j == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if to < 0 {
		return ErrDown
	}
	for j.synced < to {
		if j.broken != nil || j.f == nil {
			return ErrDown
		}
		if j.syncing {
			j.wake.Wait()
			continue
		}
		f, upTo := j.f, j.written
		j.syncing = true
		j.mu.Unlock()
		err := f.Sync()
		j.mu.Lock()
		j.syncing = false
		j.wake.Broadcast()
		switch {
		case f != j.f: // it was written anew meanwhile, and is on disk whole
		case err != nil:
			j.fail(err)
			return ErrDown
		default:
			j.synced = max(j.synced, upTo)
		}
	}
	return nil
}

// fail notes that the file cannot be trusted.
func (j *journal) fail(err error) {
	if j.broken == nil {
		j.log.Error("the store's file cannot be written: what must not happen twice is refused until it can", slog.String("error", reason(err)))
		j.since = time.Now()
		j.up(false)
	}
	j.broken = err
	j.wake.Broadcast()
}

// reason gives an error without the path.
func reason(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}

func (j *journal) health() (up bool, since time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.broken == nil, j.since
}

// compact writes what is kept here into a new file that replaces the old one.
func (l *local) compact() (err error) {
	j := l.journal
	temp := j.name + ".new"
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	defer func() {
		if err != nil {
			if f != nil {
				_ = f.Close()
			}
			j.mu.Lock()
			j.fail(err)
			j.mu.Unlock()
		}
	}()
	if err != nil {
		return err
	}
	size, err := l.writeAll(f, j.keys[0])
	if err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = os.Rename(temp, j.name); err != nil {
		return err
	}
	if err = syncFolder(filepath.Dir(j.name)); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.f != nil {
		_ = j.f.Close()
	}
	if j.broken != nil {
		j.log.Info("the store's file can be written again")
		j.since = time.Now()
		j.up(true)
	}
	j.f, j.size, j.small, j.broken = f, size, size, nil
	j.written++
	j.synced = j.written
	j.wake.Broadcast()
	return nil
}

// writeAll writes the header and everything that is kept.
func (l *local) writeAll(w io.Writer, key *seal.Key) (size int64, err error) {
	n, err := io.WriteString(w, header)
	size = int64(n)
	var b batch
	flush := func(least int) {
		if err == nil && len(b) > least {
			n, err = w.Write(frameOf(key, b))
			size += int64(n)
			b = b[:0]
		}
	}
	const atOnce = 500
	for n, r := range l.records {
		if n == r.names[0] && r.state != running {
			b.record(r)
			flush(atOnce)
		}
	}
	for n, c := range l.claims {
		if n == c.names[0] && len(c.ids) > 0 {
			b.claimed(c)
			flush(atOnce)
		}
	}
	for n, v := range l.values {
		b.value(n, v)
		flush(atOnce)
	}
	for _, i := range l.intents {
		b.intent(i)
		flush(atOnce)
	}
	flush(0)
	return size, err
}

func syncFolder(name string) error {
	d, err := os.Open(name) //nolint:gosec // the configured folder
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (j *journal) close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.f == nil {
		return nil
	}
	err := errors.Join(j.f.Sync(), j.f.Close(), j.lock.Close())
	j.f = nil
	j.wake.Broadcast()
	return err
}

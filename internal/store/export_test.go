package store

import (
	"encoding/binary"
	"time"

	"github.com/emenda-gateway/emenda/internal/seal"
)

// LifeSign is how long after its last sign a replica is alive.
const LifeSign = lifeSign + 100*time.Millisecond

// Crash ends a store as kill -9 would.
func Crash(s *Store) {
	if s.remote != nil {
		s.remote.stop()
		<-s.remote.done
		_ = s.remote.client.Close()
		return
	}
	_ = s.local.journal.f.Close()
	_ = s.local.journal.lock.Close()
	s.local.journal.f = nil
}

// BreakFile closes the file behind a store's back, and has the next one stand elsewhere.
func BreakFile(s *Store, name string) {
	j := s.local.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	_ = j.f.Close()
	j.name = name
}

// JournalOf gives a journal of one frame.
func JournalOf(key *seal.Key, text []byte) []byte {
	frame := key.Seal(make([]byte, frameHead), framePlace, text)
	binary.BigEndian.PutUint32(frame, uint32(len(frame)-frameHead))
	return append([]byte(header), frame...)
}

// SkipBeats has a store give no sign of life.
func SkipBeats(s *Store, skip bool) { s.remote.mute.Store(skip) }

// FailingAddresses tells how many addresses are remembered for wrong sign-ins.
func FailingAddresses(s *Store) int { return len(s.signIns.addresses) }

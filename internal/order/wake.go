package order

import "sync"

// wakes are those who wait in this process, by what they wait for: the name of
// an event, or "o:" and an order's id for whatever is done to it.
type wakes struct {
	mu  sync.Mutex
	all map[string]map[chan struct{}]struct{}
}

func (w *wakes) init() { w.all = map[string]map[chan struct{}]struct{}{} }

// add gives a channel that is told of each of the topics, and what ends that.
func (w *wakes) add(topics ...string) (<-chan struct{}, func()) {
	ch := make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range topics {
		if w.all[t] == nil {
			w.all[t] = map[chan struct{}]struct{}{}
		}
		w.all[t][ch] = struct{}{}
	}
	return ch, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, t := range topics {
			delete(w.all[t], ch)
			if len(w.all[t]) == 0 {
				delete(w.all, t)
			}
		}
	}
}

// wake tells those who wait for a topic.
func (w *wakes) wake(topic string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	wake(w.all[topic])
}

// everybody tells all.
func (w *wakes) everybody() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, set := range w.all {
		wake(set)
	}
}

func wake(set map[chan struct{}]struct{}) {
	for ch := range set {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}

// orderTopic is what is told of an order.
func orderTopic(id string) string { return "o:" + id }

// overTopic is what is told once nobody need wait for an order any longer.
func overTopic(id string) string { return "over:" + id }

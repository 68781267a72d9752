package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// The measures of once-4.
const (
	storeLookups = 10_000
	storeWorkers = 8
	storePause   = 30 * time.Millisecond // between the lookups of one worker
	storeCrashes = 5
	storeUp      = 2 * time.Second
	storeDown    = 1500 * time.Millisecond
	noticeWithin = 5 * time.Second
	healWithin   = 10 * time.Second
	slowLookup   = 3 * time.Second
)

// storeShow is once-4 under way.
type storeShow struct {
	r     *report
	rec   *recorder
	store *redis
	set   *cluster

	next    atomic.Int64 // the last contract a promise was asked for
	lookups atomic.Int64
	slowest atomic.Int64
	crashes int
}

// showStoreLost kills Redis while customers are looked up and promises asked for.
func showStoreLost(o options, r *report) error {
	if o.seed == 0 {
		o.seed = rand.Uint64N(1 << 32)
	}
	r.printf("once-4: seed %d (again with: go run ./sandbox/show -seed %d once-4)", o.seed, o.seed)
	store, err := startRedis()
	if err != nil {
		return err
	}
	defer store.close()
	rec, err := startRecorder()
	if err != nil {
		return err
	}
	defer rec.stop()
	set, err := startCluster(o, 2, rec.url(), store.url, nil)
	if err != nil {
		return err
	}
	defer set.close()
	s := &storeShow{r: r, rec: rec, store: store, set: set}
	s.next.Store(firstContract)
	return s.show(o.seed)
}

func (s *storeShow) show(seed uint64) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var workers sync.WaitGroup
	s.r.begin("all is well")
	s.state("at first", true)
	for i := range storeWorkers {
		workers.Go(func() { s.lookUp(rand.New(rand.NewPCG(seed, uint64(i)))) })
	}
	// Promises all the while, also in the moments when nobody knows yet.
	var meanwhile []*round
	done := make(chan struct{})
	go func() {
		defer close(done)
		meanwhile = s.promises(ctx, rand.New(rand.NewPCG(seed, 1<<40)))
	}()
	looked := make(chan struct{})
	go func() {
		defer close(looked)
		workers.Wait()
	}()
	chance := rand.New(rand.NewPCG(seed, 1<<41))
	err := s.crash(chance, "Redis killed and started again", false)
	for i := 1; err == nil && (i < storeCrashes || !ended(looked)); i++ {
		err = s.crash(chance, "Redis killed and started again", false)
	}
	<-looked
	cancel()
	<-done
	if err != nil {
		return err
	}
	s.r.begin("lookups meanwhile")
	s.r.check(s.lookups.Load() >= storeLookups, "%d lookups", s.lookups.Load())
	s.r.notef("%d over two replicas, Redis killed %d times, the slowest took %s", s.lookups.Load(), s.crashes, time.Duration(s.slowest.Load()).Round(time.Millisecond))
	s.afterwards(chance, meanwhile)
	return s.emptied(seed, meanwhile)
}

func ended(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// lookUp asks for customers by contract and by document, each of them right.
func (s *storeShow) lookUp(chance *rand.Rand) {
	conns := make([]*connection, len(s.set.all))
	for range storeLookups / storeWorkers {
		id := 3_000_000 + chance.IntN(500)
		by, document := field{"contrato", fmt.Sprint(id)}, customerMask
		if chance.IntN(2) == 0 {
			document = fmt.Sprintf("%011d", id)
			by = field{"cpfcnpj", document}
		}
		want := fmt.Sprintf(`{"msg":"Contrato(s) Localizado(s)","contratos":[{"razaoSocial":"CLIENTE %d","contratoStatusDisplay":"Suspenso","promessasPagamentoMes":0,"contratoValorAberto":49.9,"cpfCnpj":"%s","contratoStatus":4,"contratoId":%d,"contratoStatusModo":1}]}`, id, document, id)
		at := chance.IntN(len(conns))
		if conns[at] == nil {
			c, err := dial(s.set.all[at].address)
			if !s.r.check(err == nil, "connecting: %v", err) {
				return
			}
			defer func() { _ = c.Close() }()
			conns[at] = c
		}
		q := ways[0].build(lookupPath, places[0], onceCallers[0].token, onceCallers[0].app, by)
		begun := time.Now()
		a, err := conns[at].do(q.method, q.bytes())
		took := time.Since(begun)
		if !s.r.check(err == nil, "lookup by %s: %v", by.name, err) {
			return
		}
		s.r.check(a.status == 200 && string(a.body) == want, "lookup by %s: want %s, got %d %s", by.name, want, a.status, cutText(a.body))
		s.r.check(took < slowLookup, "lookup by %s took %s", by.name, took)
		s.lookups.Add(1)
		for was := s.slowest.Load(); int64(took) > was && !s.slowest.CompareAndSwap(was, int64(took)); was = s.slowest.Load() {
		}
		time.Sleep(storePause)
	}
}

// fresh begins a round with a contract that nobody promised anything yet.
func (s *storeShow) fresh(wait time.Duration) *round {
	r := &round{contract: fmt.Sprint(s.next.Add(1)), mode: modeInTurn}
	r.plot = s.rec.expect(r.contract, &plot{end: endYes, wait: wait})
	return r
}

// ask asks for a promise and gives what was told.
func (s *storeShow) ask(r *round, chance *rand.Rand, caller int) promised {
	o, _ := s.told(r, chance, caller)
	return o
}

func (s *storeShow) told(r *round, chance *rand.Rand, caller int) (promised, said) {
	q, how := r.request(chance, caller)
	at := chance.IntN(len(s.set.all))
	a, err := send(s.set.all[at].address, q)
	if !s.r.check(err == nil, "%s, %s: %v", r, how, err) {
		return "", said{}
	}
	var told said
	err = json.Unmarshal(a.body, &told)
	o, wrong := told.outcome()
	s.r.check(err == nil && a.status == 200 && wrong == "" && unsound(a, nothingElse) == "", "%s, %s: %s: %d %s", r, how, wrong, a.status, cutText(a.body))
	return o, told
}

// promises asks for a fresh promise again and again, until ctx ends.
func (s *storeShow) promises(ctx context.Context, chance *rand.Rand) []*round {
	var all []*round
	for ctx.Err() == nil {
		r := s.fresh(time.Duration(chance.IntN(30)) * time.Millisecond)
		o := s.ask(r, chance, 0)
		s.r.check(o == granted || o == unsure, "%s: told %q", r, o)
		r.killed = o == unsure
		all = append(all, r)
		time.Sleep(20 * time.Millisecond)
	}
	return all
}

// state waits until every replica says how its store is.
func (s *storeShow) state(when string, up bool) {
	want, word, within := 1.0, "ready", healWithin
	if !up {
		want, word, within = 0, "degraded", noticeWithin
	}
	begun := time.Now()
	for i, one := range s.set.all {
		for {
			is, err := one.metric("emenda_store_up")
			ready, readyErr := one.ready()
			if err == nil && is == want && readyErr == nil && ready == word {
				s.r.check(true, "")
				break
			}
			if time.Since(begun) > within {
				s.r.check(false, "%s: replica %d says emenda_store_up %v (%v), /readyz %q (%v) after %s; want %v, %q", when, i+1, is, err, ready, readyErr, within, want, word)
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	s.r.notef("%s told after %s", word, time.Since(begun).Round(10*time.Millisecond))
}

// crash kills Redis, asks for promises that must be refused, and starts it
// again; then they must be granted.
func (s *storeShow) crash(chance *rand.Rand, what string, lose bool) error {
	time.Sleep(storeUp)
	s.crashes++
	s.r.begin("%s, %d", what, s.crashes)
	refused := []*round{s.amid(chance)}
	s.state("killed", false)
	for begun := time.Now(); time.Since(begun) < storeDown; time.Sleep(100 * time.Millisecond) {
		r := s.fresh(0)
		o := s.ask(r, chance, 0)
		s.r.check(o == unsure, "without Redis %s: told %q", r, o)
		s.r.check(s.rec.count(r.contract) == 0, "without Redis %s: %d requests on the wire", r, s.rec.count(r.contract))
		refused = append(refused, r)
	}
	if lose {
		if err := s.store.lose(); err != nil {
			return err
		}
	}
	if err := s.store.again(); err != nil {
		return err
	}
	s.state("started again", true)
	for _, r := range refused {
		for range 2 {
			o := s.ask(r, chance, 0)
			s.r.check(o == granted, "with Redis again %s: told %q", r, o)
		}
		s.r.check(s.rec.count(r.contract) == 1, "with Redis again %s: %d requests on the wire", r, s.rec.count(r.contract))
	}
	s.r.notef("%d promises refused, then granted", len(refused))
	return nil
}

// amid kills Redis between the beginning of a request and its promise.
func (s *storeShow) amid(chance *rand.Rand) *round {
	r := &round{contract: fmt.Sprint(s.next.Add(1)), mode: modeInTurn}
	lookUp, asked := make(chan struct{}), make(chan struct{})
	r.plot = s.rec.expect(r.contract, &plot{end: endYes, lookUp: lookUp, asked: asked})
	own := rand.New(rand.NewPCG(chance.Uint64(), 0))
	done := make(chan struct{})
	go func() {
		defer close(done)
		o, told := s.told(r, own, 0)
		s.r.check(o == unsure && told.Name == "CLIENTE "+r.contract, "Redis killed amid %s: told %q to %q", r, o, told.Name)
	}()
	select {
	case <-asked:
	case <-time.After(onceTimeout / 2):
		s.r.check(false, "%s: nobody looks at the contract", r)
	}
	s.store.murder()
	close(lookUp)
	<-done
	s.r.check(s.rec.count(r.contract) == 0, "Redis killed amid %s: %d requests on the wire", r, s.rec.count(r.contract))
	return r
}

// afterwards asks once more for the promises that were asked for meanwhile.
func (s *storeShow) afterwards(chance *rand.Rand, meanwhile []*round) {
	s.r.begin("promises asked for meanwhile, and once more afterwards")
	told := map[string]int{}
	for _, r := range meanwhile {
		before := s.rec.count(r.contract)
		s.r.check(before <= 1, "%s: %d requests on the wire", r, before)
		o := s.ask(r, chance, 0)
		switch {
		case !r.killed: // it was granted
			told["granted"]++
			if o != granted {
				told["granted, and told otherwise afterwards"]++
			}
			s.r.check(before == 1, "%s: granted, and %d requests on the wire", r, before)
			s.r.check(o != "", "%s: granted first, now %q", r, o)
		case before == 0: // nothing was sent
			told["refused, not sent"]++
			s.r.check(o == granted, "%s: refused without being sent, now %q", r, o)
		default:
			told["sent, and Redis lost before its answer was kept"]++
			s.r.check(o != "", "%s: unsure first, now %q", r, o)
		}
		s.r.check(s.rec.count(r.contract) == 1, "%s: %d requests on the wire afterwards", r, s.rec.count(r.contract))
	}
	for _, kind := range sortedKeys(told) {
		s.r.notef("%d %s", told[kind], kind)
	}
	s.r.check(told["granted"] > 0 && told["refused, not sent"] > 0, "nothing was to be seen: %v", told)
}

// emptied is a Redis that comes back without its data: what was promised
// before is known all the same, for the replicas that are alive put it back.
func (s *storeShow) emptied(seed uint64, before []*round) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	chance := rand.New(rand.NewPCG(seed, 1<<42))
	var meanwhile []*round
	done := make(chan struct{})
	go func() {
		defer close(done)
		meanwhile = s.promises(ctx, rand.New(rand.NewPCG(seed, 1<<43)))
	}()
	err := s.crash(chance, "Redis killed, its data lost, started again", true)
	cancel()
	<-done
	if err != nil {
		return err
	}
	s.afterwards(chance, meanwhile)
	s.r.begin("promises of before Redis lost its data, asked for by another caller")
	asked := 0
	for _, r := range before {
		if r.killed {
			continue
		}
		o := s.ask(r, chance, 1)
		s.r.check(o == used, "%s: told %q", r, o)
		s.r.check(s.rec.count(r.contract) == 1, "%s: %d requests on the wire", r, s.rec.count(r.contract))
		asked++
	}
	s.r.check(asked > 0, "there were none")
	s.r.notef("%d", asked)
	return nil
}

package backend

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/emenda-gateway/emenda/internal/contract"
)

// A crowd of calls against a backend that answers, cuts before, within and
// after answers, and stalls: every changing call arrives at most once, a
// reading one at most twice, and nobody gets the answer of another.
func TestCrowd(t *testing.T) {
	const crowd, each = 32, 25
	hold := make(chan struct{})
	s := serve(t, func(n int, r seen) reply {
		id := r.line[strings.LastIndexByte(r.line, '/')+1:]
		whole := jsonAnswer(200, fmt.Sprintf(`{"id":%q,"pad":%q}`, id, strings.Repeat(id, n%300)))
		switch n % 13 {
		case 3:
			return reply{cut: true}
		case 5:
			return reply{text: whole[:len(whole)-2], cut: true}
		case 7:
			return reply{text: whole, cut: true}
		case 11:
			return reply{text: whole[:10], hold: hold, cut: true}
		}
		return reply{text: whole}
	})
	t.Cleanup(func() { close(hold) })
	c := client(t, s.url(), func(o *Options) {
		o.AtMost, o.Breaker.Failures, o.Timeout = crowd, 1<<30, 200*time.Millisecond
	})
	ended := make(chan string, crowd*each)
	var wg sync.WaitGroup
	for w := range crowd {
		calls := make([]*Call, each)
		for i := range calls {
			id := fmt.Sprintf("r%d-%d", w, i)
			calls[i] = call(t, "things.read", "", id)
			if (w+i)%2 == 0 {
				id = "c" + id[1:]
				calls[i] = call(t, "things.change", `{}`, id)
			}
		}
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i, one := range calls {
				ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
				if i%10 == 9 {
					cancel() // some give up
				}
				a := c.Do(ctx, one)
				id := string(one.Request.Target[len("/ws/things/"):])
				if a.State == contract.OK && a.Body.Get("id").Text() != id {
					t.Errorf("%s got the answer of another", id)
				}
				ended <- id + " " + a.State.String()
				a.Release()
				cancel()
			}
		}()
	}
	wg.Wait()
	close(ended)
	arrived := map[string]int{}
	for _, r := range s.requests() {
		arrived[r.line[strings.LastIndexByte(r.line, '/')+1:]]++
	}
	good := 0
	for line := range ended {
		id, state, _ := strings.Cut(line, " ")
		most := 2
		if id[0] == 'c' {
			most = 1
			if state == "failed" {
				most = 0 // surely not done
			}
		}
		require.LessOrEqual(t, arrived[id], most, line)
		if state == "ok" {
			good++
		}
	}
	require.Greater(t, good, crowd*each/4)
}

// A read-write mutex and a condition variable: the twins of sync.cpp.
package main

import "sync"

func init() {
	works["rwmutex_read"] = func(r *result) { readCrew(r, 1, scaled(50_000_000)) }
	works["rwmutex_read_8g"] = func(r *result) { readCrew(r, crew, scaled(2_000_000)) }
	works["cond_pingpong"] = condPingpong
}

type shared struct {
	mu    sync.RWMutex
	value int
}

func (s *shared) read(n int) int {
	sum := 0
	for i := 0; i < n; i++ {
		s.mu.RLock()
		sum += s.value
		s.mu.RUnlock()
	}
	return sum
}

func readCrew(r *result, size, n int) {
	s := &shared{value: 1}
	r.measure(size*n, func() {
		if size == 1 {
			check(s.read(n) == n, r.Name)
			return
		}
		var wg sync.WaitGroup
		wg.Add(size)
		for i := 0; i < size; i++ {
			go func() {
				check(s.read(n) == n, r.Name)
				wg.Done()
			}()
		}
		wg.Wait()
	})
}

func condPingpong(r *result) {
	n := scaled(1_000_000)
	r.measure(n, func() {
		var mu sync.Mutex
		changed := sync.NewCond(&mu)
		turn := 0
		var wg sync.WaitGroup
		for mine := 0; mine < 2; mine++ {
			wg.Add(1)
			go func(mine int) {
				for i := 0; i < n; i++ {
					mu.Lock()
					for turn != mine {
						changed.Wait()
					}
					turn = 1 - mine
					changed.Signal()
					mu.Unlock()
				}
				wg.Done()
			}(mine)
		}
		wg.Wait()
	})
}

// Mutexes: the twins of mutex.cpp.
package main

import (
	"runtime"
	"sync"
)

const crew = 8

func init() {
	works["mutex_uncontended"] = func(r *result) { lockCrew(r, 1, scaled(100_000_000), false) }
	works["mutex_contended"] = func(r *result) { lockCrew(r, crew, scaled(2_000_000), false) }
	works["mutex_handoff"] = func(r *result) { lockCrew(r, crew, scaled(125_000), true) }
}

type counter struct {
	mu sync.Mutex
	x  int
}

func (c *counter) add(n int) {
	for i := 0; i < n; i++ {
		c.mu.Lock()
		c.x++
		c.mu.Unlock()
	}
}

func (c *counter) addYielding(n int) {
	for i := 0; i < n; i++ {
		c.mu.Lock()
		c.x++
		runtime.Gosched()
		c.mu.Unlock()
	}
}

// size goroutines add n each; a crew of one is the calling goroutine.
func lockCrew(r *result, size, n int, yielding bool) {
	c := new(counter)
	f := c.add
	if yielding {
		f = c.addYielding
	}
	r.measure(size*n, func() {
		if size == 1 {
			f(n)
			return
		}
		var wg sync.WaitGroup
		wg.Add(size)
		for i := 0; i < size; i++ {
			go func() { f(n); wg.Done() }()
		}
		wg.Wait()
	})
	check(c.x == size*n, r.Name)
}

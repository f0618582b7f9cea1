// Giving way and creating: the twins of yield.cpp and spawn.cpp.
package main

import (
	"runtime"
	"sync"
)

func init() {
	works["yield"] = yield
	works["yield_alone"] = yieldAlone
	works["yield_1000g"] = yield1000g
	works["spawn_join"] = spawnJoin
	works["spawn_batch"] = spawnBatch
	works["spawn_all_1m"] = spawnAll1m
}

//go:noinline
func yieldTimes1(n int) {
	for i := 0; i < n; i++ {
		runtime.Gosched()
	}
}

//go:noinline
func yieldTimes2(n int) {
	for i := 0; i < n; i++ {
		runtime.Gosched()
	}
}

func yield(r *result) {
	n := scaled(10_000_000)
	r.measure(2*n, func() {
		var wg sync.WaitGroup
		wg.Add(2)
		go func() { yieldTimes1(n); wg.Done() }()
		go func() { yieldTimes2(n); wg.Done() }()
		wg.Wait()
	})
}

func yieldAlone(r *result) {
	n := scaled(10_000_000)
	r.measure(n, func() { yieldTimes1(n) })
}

func yield1000g(r *result) {
	const goroutines = 1000
	n := scaled(10_000)
	r.measure(goroutines*n, func() {
		var wg sync.WaitGroup
		wg.Add(goroutines)
		for i := 0; i < goroutines; i++ {
			go func() { yieldTimes1(n); wg.Done() }()
		}
		wg.Wait()
	})
}

func spawnJoin(r *result) {
	n := scaled(1_000_000)
	ran := 0
	r.measure(n, func() {
		var wg sync.WaitGroup
		for i := 0; i < n; i++ {
			wg.Add(1)
			go func() { ran++; wg.Done() }()
			wg.Wait()
		}
	})
	check(ran == n, r.Name)
}

func startBatch(size int) {
	var wg sync.WaitGroup
	for i := 0; i < size; i++ {
		wg.Add(1)
		go wg.Done()
	}
	wg.Wait()
}

func spawnBatch(r *result) {
	const size = 10_000
	batches := scaled(100)
	r.measure(batches*size, func() {
		for i := 0; i < batches; i++ {
			startBatch(size)
		}
	})
}

func spawnAll1m(r *result) {
	const size = 1_000_000
	r.measure(size, func() { startBatch(size) })
}

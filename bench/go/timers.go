// Timers and very many sleepers: the twins of timers.cpp.
package main

import (
	"sort"
	"sync"
	"time"
)

func init() {
	works["timer_new_stop"] = timerNewStop
	works["timer_reset"] = timerReset
	works["select_timeout"] = selectTimeout
	works["select_on_timeout"] = selectTimeout
	works["sleep_100k"] = func(r *result) { sleepers(r, scaled(100_000)+99) }
	works["sleep_1m"] = func(r *result) { sleepers(r, 1_000_000) }
}

// What is stored here escapes to the heap.
var lastTimer *time.Timer

func timerNewStop(r *result) {
	n := scaled(5_000_000)
	stopped := 0
	r.measure(n, func() {
		for i := 0; i < n; i++ {
			t := time.NewTimer(time.Hour)
			lastTimer = t
			if t.Stop() {
				stopped++
			}
		}
	})
	check(stopped == n, r.Name)
}

func timerReset(r *result) {
	n := scaled(10_000_000)
	active := 0
	r.measure(n, func() {
		t := time.NewTimer(time.Hour)
		for i := 0; i < n; i++ {
			if t.Reset(time.Hour) {
				active++
			}
		}
		t.Stop()
	})
	check(active == n, r.Name)
}

func selectTimeout(r *result) {
	n := scaled(3_000_000)
	received := 0
	r.measure(n, func() {
		c := make(chan int, 1)
		for i := 0; i < n; i++ {
			c <- i
			t := time.NewTimer(time.Second)
			select {
			case <-c:
				received++
			case <-t.C:
			}
			t.Stop()
		}
	})
	check(received == n, r.Name)
}

// Vigna, "splitmix64".
func splitmix64(i uint64) uint64 {
	z := (i + 1) * 0x9e3779b97f4a7c15
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb
	return z ^ (z >> 31)
}

func sleepers(r *result, n int) {
	late := make([]int, n)
	r.measure(n, func() {
		var wg sync.WaitGroup
		for i := 0; i < n; i++ {
			wg.Add(1)
			go func(i int) {
				span := time.Duration(splitmix64(uint64(i)) % 1_000_000_000)
				before := time.Now()
				time.Sleep(span)
				late[i] = int(time.Since(before) - span)
				wg.Done()
			}(i)
		}
		wg.Wait()
	})
	sort.Ints(late)
	r.Counters["median_late"] = float64(late[n/2])
	r.Counters["p99_late"] = float64(late[n/100*99])
}

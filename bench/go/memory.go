// What a parked goroutine costs, and how long a short sleep lasts: the twins of memory.cpp and sleep.cpp.
package main

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

func init() {
	works["memory_100k"] = func(r *result) { park(r, 100_000) }
	works["memory_1m"] = func(r *result) { park(r, 1_000_000) }
	works["sleep_50us"] = func(r *result) { sleep(r, scaled(1000), 50*time.Microsecond) }
	works["sleep_1ms"] = func(r *result) { sleep(r, scaled(500), time.Millisecond) }
}

// statusBytes is the figure of a line of /proc/self/status, which is in kB.
func statusBytes(key string) float64 {
	text, err := os.ReadFile("/proc/self/status")
	check(err == nil, "/proc/self/status")
	for _, line := range strings.Split(string(text), "\n") {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == key {
			kb, err := strconv.ParseFloat(fields[1], 64)
			check(err == nil, key)
			return kb * 1024
		}
	}
	check(false, key)
	return 0
}

func park(r *result, n int) {
	resident, tables := statusBytes("VmRSS:"), statusBytes("VmPTE:")
	gate := make(chan struct{})
	var started int64
	var wg sync.WaitGroup
	r.measure(n, func() {
		for i := 0; i < n; i++ {
			wg.Add(1)
			go func() {
				atomic.AddInt64(&started, 1)
				<-gate
				wg.Done()
			}()
		}
		for atomic.LoadInt64(&started) < int64(n) {
			runtime.Gosched()
		}
	})
	time.Sleep(100 * time.Millisecond)
	r.Counters["resident_bytes"] = (statusBytes("VmRSS:") - resident) / float64(n)
	r.Counters["page_table_bytes"] = (statusBytes("VmPTE:") - tables) / float64(n)
	start := time.Now()
	close(gate)
	wg.Wait()
	r.Counters["wake_ns"] = float64(time.Since(start).Nanoseconds()) / float64(n)
}

func sleep(r *result, n int, span time.Duration) {
	r.measure(n, func() {
		for i := 0; i < n; i++ {
			before := time.Now()
			time.Sleep(span)
			check(time.Since(before) >= span, r.Name)
		}
	})
}

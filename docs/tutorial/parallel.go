package main

import (
	"fmt"
	"runtime"
	"sync"
	"time"
)

func isPrime(n int) bool {
	for d := 2; d*d <= n; d++ {
		if n%d == 0 {
			return false
		}
	}
	return n >= 2
}

func primesBelowAMillion() int {
	var found [8]int
	var wg sync.WaitGroup
	for part := range 8 {
		wg.Go(func() {
			for n := part; n < 1_000_000; n += 8 {
				if isPrime(n) {
					found[part]++
				}
			}
		})
	}
	wg.Wait()
	sum := 0
	for _, n := range found {
		sum += n
	}
	return sum
}

func measure() {
	start := time.Now()
	primes := primesBelowAMillion()
	took := float64(time.Since(start)) / float64(time.Millisecond)
	fmt.Printf("%d primes by 8 goroutines, max_procs %d: %.1f ms\n", primes, runtime.GOMAXPROCS(0), took)
}

func main() {
	all := runtime.GOMAXPROCS(1)
	measure()
	runtime.GOMAXPROCS(all)
	measure()
}

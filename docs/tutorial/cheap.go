package main

import (
	"fmt"
	"sync"
	"syscall"
)

func main() {
	const count = 10_000
	var guard sync.Mutex
	threads := map[int]bool{}
	var everybody, wg sync.WaitGroup
	everybody.Add(count)
	for range count {
		wg.Go(func() {
			guard.Lock()
			threads[syscall.Gettid()] = true
			guard.Unlock()
			everybody.Done()
			everybody.Wait() // nobody ends before all are here
		})
	}
	wg.Wait()
	fmt.Println(count, "goroutines were there at the same time")
	few := "no"
	if len(threads) < 100 {
		few = "yes"
	}
	fmt.Println("fewer than 100 threads ran them:", few)
}

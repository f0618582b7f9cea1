package main

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

func main() {
	places := make(chan struct{}, 3) // Go's own semaphore is a buffered channel
	var inside, most atomic.Int32
	var wg sync.WaitGroup
	for range 12 {
		wg.Go(func() {
			places <- struct{}{}
			now := inside.Add(1)
			for seen := most.Load(); seen < now && !most.CompareAndSwap(seen, now); seen = most.Load() {
			}
			time.Sleep(2 * time.Millisecond)
			inside.Add(-1)
			<-places
		})
	}
	wg.Wait()
	fmt.Println("12 guests, never more than 3 inside:", most.Load() <= 3)
}

package main

import (
	"fmt"
	"sync"
)

type request struct {
	number int
	reply  chan int
}

func squareServer(requests <-chan request) {
	for r := range requests {
		r.reply <- r.number * r.number
	}
}

func main() {
	requests := make(chan request)
	go squareServer(requests)
	var wg sync.WaitGroup
	for i := 1; i <= 3; i++ {
		wg.Go(func() {
			mine := request{i, make(chan int)}
			requests <- mine
			fmt.Printf("%d squared is %d\n", i, <-mine.reply)
		})
	}
	wg.Wait()
	close(requests)
}

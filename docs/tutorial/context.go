package main

import (
	"context"
	"fmt"
	"sync"
)

func work(ctx context.Context, out chan<- int) {
	for i := 1; ; i++ {
		select {
		case out <- i:
		case <-ctx.Done():
			fmt.Println("stopped:", ctx.Err())
			return
		}
	}
}

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	numbers := make(chan int)
	var wg sync.WaitGroup
	wg.Go(func() { work(ctx, numbers) })
	wg.Go(func() { work(ctx, numbers) })
	taken := 0
	for range 10 {
		<-numbers
		taken++
	}
	fmt.Println(taken, "numbers are enough")
	cancel()
	wg.Wait()
}

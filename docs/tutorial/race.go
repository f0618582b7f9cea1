package main

import (
	"fmt"
	"sync"
)

func main() {
	counter := 0
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for range 1_000_000 {
				counter++ // read, add, write: another may come in between
			}
		})
	}
	wg.Wait()
	fmt.Println("expected 2000000, counted", counter)
}

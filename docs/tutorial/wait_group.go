package main

import (
	"fmt"
	"sync"
)

func main() {
	lengths := make([]int, 5)
	var wg sync.WaitGroup
	for i := range lengths {
		wg.Add(1) // before the goroutine, not in it
		go func() {
			lengths[i] = 10 * i
			wg.Done()
		}()
	}
	wg.Wait()

	last := 0
	for _, n := range lengths {
		wg.Go(func() { // Add, go and Done in one
			if n == 40 {
				last = n
			}
		})
	}
	wg.Wait()

	for _, n := range lengths {
		fmt.Print(n, " ")
	}
	fmt.Println("and the last one again:", last)
}

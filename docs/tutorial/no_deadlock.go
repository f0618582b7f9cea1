package main

import (
	"fmt"
	"sync"
)

func main() {
	var pen, paper sync.Mutex
	letters := 0
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			pen.Lock() // everywhere in the same order
			defer pen.Unlock()
			paper.Lock()
			defer paper.Unlock()
			letters++
		})
	}
	wg.Wait()
	fmt.Println(letters, "letters")
}

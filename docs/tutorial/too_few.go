package main

import "sync"

func main() {
	var wg sync.WaitGroup
	wg.Add(3) // three are announced
	for range 2 {
		go wg.Done() // two come
	}
	wg.Wait()
}

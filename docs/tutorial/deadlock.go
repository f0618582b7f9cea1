package main

import "sync"

func main() {
	var pen, paper sync.Mutex
	var eachHasOne, wg sync.WaitGroup
	eachHasOne.Add(2)
	wg.Go(func() {
		pen.Lock()
		defer pen.Unlock()
		eachHasOne.Done()
		eachHasOne.Wait()
		paper.Lock()
		defer paper.Unlock()
	})
	wg.Go(func() {
		paper.Lock()
		defer paper.Unlock()
		eachHasOne.Done()
		eachHasOne.Wait()
		pen.Lock()
		defer pen.Unlock()
	})
	wg.Wait()
}

package main

import (
	"fmt"
	"sync"
)

func main() {
	var wg sync.WaitGroup

	x := 1
	seen := 0
	wg.Add(1)
	go func(x int) { // an argument is copied here and now; seen is main's own
		seen = x
		wg.Done()
	}(x)
	x = 2     // too late for the copy
	wg.Wait() // before this, nobody but the goroutine may look at seen
	fmt.Printf("x is %d, the goroutine saw %d\n", x, seen)

	var squares [3]int
	for i := range 3 { // since Go 1.22 each turn of a loop has an i of its own
		wg.Go(func() { squares[i] = i * i })
	}
	wg.Wait()
	fmt.Println("squares", squares[0], squares[1], squares[2])

	text := "moved in"
	wg.Go(func() { fmt.Println(text) }) // the collector keeps it as long as somebody has it
	wg.Wait()
}

package main

import (
	"fmt"
	"runtime"
	"sync"
)

func count(name string) {
	for i := 1; i <= 3; i++ {
		fmt.Println(name, i)
		runtime.Gosched() // the other one's turn
	}
}

func main() {
	runtime.GOMAXPROCS(1)
	var wg sync.WaitGroup
	wg.Go(func() { count("ping") })
	wg.Go(func() { count("pong") })
	wg.Wait()
}

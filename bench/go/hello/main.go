// The twin of hello.cpp: its stripped size is what a program with one goroutine costs in Go.
package main

import (
	"os"
	"sync"
)

func main() {
	var wg sync.WaitGroup
	wg.Add(1)
	go func() { os.Stdout.WriteString("hello\n"); wg.Done() }()
	wg.Wait()
}

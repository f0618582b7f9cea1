package main

import (
	"fmt"
	"sync"
)

func main() {
	defer func() { fmt.Println("panic:", recover()) }()
	var wg sync.WaitGroup
	wg.Add(1)
	wg.Done()
	wg.Done()
}

package main

import (
	"fmt"
	"sync"
)

func greet(name string, number int, wg *sync.WaitGroup) {
	fmt.Printf("hello %s, you are number %d\n", name, number)
	wg.Done()
}

type greeter struct {
	wg *sync.WaitGroup
}

func (g greeter) greet(name string) {
	fmt.Println("good evening", name)
	g.wg.Done()
}

func main() {
	var wg sync.WaitGroup
	wg.Add(3)
	go greet("Ann", 1, &wg)      // a function and its arguments
	go greeter{&wg}.greet("Bob") // a method
	go func() {                  // a function literal
		fmt.Println("hello from a lambda")
		wg.Done()
	}()
	wg.Wait() // returns when Done was called three times
}

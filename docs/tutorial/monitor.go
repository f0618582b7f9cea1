package main

import (
	"fmt"
	"sync"
)

type account struct {
	deposits, balances chan int
	closed             chan bool
}

func newAccount() account {
	a := account{make(chan int), make(chan int), make(chan bool)}
	go func() {
		balance := 0 // nobody else can reach it
		for {
			select {
			case amount := <-a.deposits:
				balance += amount
			case a.balances <- balance:
			case <-a.closed:
				return
			}
		}
	}()
	return a
}

func main() {
	a := newAccount()
	defer close(a.closed)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for range 1_000 {
				a.deposits <- 1
			}
		})
	}
	wg.Wait()
	fmt.Println("expected 2000, counted", <-a.balances)
}

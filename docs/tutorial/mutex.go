package main

import (
	"fmt"
	"sync"
)

type account struct {
	guard   sync.Mutex
	balance int
}

func (a *account) deposit(amount int) {
	a.guard.Lock()
	defer a.guard.Unlock()
	a.balance += amount
}

func (a *account) read() int {
	a.guard.Lock()
	defer a.guard.Unlock()
	return a.balance
}

func main() {
	var a account
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for range 100_000 {
				a.deposit(1)
			}
		})
	}
	wg.Wait()
	fmt.Println("expected 200000, counted", a.read())
}

package main

import (
	"fmt"
	"sync"
)

type phoneBook struct {
	guard   sync.RWMutex
	numbers map[string]int
}

func (b *phoneBook) set(name string, number int) {
	b.guard.Lock() // alone
	defer b.guard.Unlock()
	b.numbers[name] = number
}

func (b *phoneBook) find(name string) (int, bool) {
	b.guard.RLock() // with other readers
	defer b.guard.RUnlock()
	number, ok := b.numbers[name]
	return number, ok
}

func main() {
	book := phoneBook{numbers: map[string]int{}}
	book.set("Ann", 11)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for range 1_000 {
				if number, _ := book.find("Ann"); number != 11 {
					fmt.Println("wrong number")
				}
			}
		})
	}
	wg.Go(func() { book.set("Bob", 22) })
	wg.Wait()
	ann, _ := book.find("Ann")
	bob, _ := book.find("Bob")
	carl := "none"
	if _, ok := book.find("Carl"); ok {
		carl = "one"
	}
	fmt.Printf("Ann has %d, Bob has %d, Carl has %s\n", ann, bob, carl)
}

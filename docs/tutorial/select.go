package main

import "fmt"

func main() {
	words := make(chan string)
	numbers := make(chan int)
	go func() { words <- "a word" }()
	go func() { numbers <- 42 }()

	for range 2 {
		select {
		case w := <-words:
			fmt.Println("got", w)
		case n := <-numbers:
			fmt.Println("got", n)
		}
	}
}

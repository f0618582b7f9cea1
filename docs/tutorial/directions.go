package main

import "fmt"

func countDown(out chan<- int) {
	for i := 3; i > 0; i-- {
		out <- i
	}
	close(out)
}

func printAll(in <-chan int) {
	for i := range in { // until the channel is closed and empty
		fmt.Println(i)
	}
	fmt.Println("closed")
}

func main() {
	numbers := make(chan int)
	go countDown(numbers) // a channel converts to either direction
	printAll(numbers)
	_, ok := <-numbers // what is closed gives a zero and false, at once
	what := "nothing"
	if ok {
		what = "a value"
	}
	fmt.Println("after the end:", what)
}

package main

import "fmt"

func numbers(last int) <-chan int {
	out := make(chan int)
	go func() {
		for i := 1; i <= last; i++ {
			out <- i
		}
		close(out)
	}()
	return out
}

func squares(in <-chan int) <-chan int {
	out := make(chan int)
	go func() {
		for i := range in {
			out <- i * i
		}
		close(out) // the end is passed on
	}()
	return out
}

func odd(in <-chan int) <-chan int {
	out := make(chan int)
	go func() {
		for i := range in {
			if i%2 == 1 {
				out <- i
			}
		}
		close(out)
	}()
	return out
}

func main() {
	for i := range odd(squares(numbers(8))) {
		fmt.Println(i)
	}
}

package main

import "fmt"

func main() {
	start := make(chan struct{})
	ready := make(chan int)
	for i := 1; i <= 3; i++ {
		go func() {
			<-start // all three wait here
			ready <- i
		}()
	}
	close(start) // all three go on
	sum := 0
	for range 3 {
		sum += <-ready
	}
	fmt.Println("all runners started:", sum)
}

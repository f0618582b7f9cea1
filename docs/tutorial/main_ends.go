package main

import "fmt"

func main() {
	started := make(chan bool)
	never := make(chan int)
	go func() {
		defer fmt.Println("not printed: deferred calls do not run when main ends")
		started <- true
		<-never // nobody sends
		fmt.Println("not printed")
	}()
	<-started
	fmt.Println("main returns")
}

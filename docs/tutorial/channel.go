package main

import "fmt"

func main() {
	messages := make(chan string) // unbuffered
	go func() {
		messages <- "the first" // waits until main receives
		messages <- "the second"
	}()
	fmt.Println(<-messages)
	fmt.Println(<-messages)
}

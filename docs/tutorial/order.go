package main

import "fmt"

type signal = chan struct{}

func step(what string, before, after signal) {
	<-before
	fmt.Println(what)
	close(after)
}

func main() {
	begin, washed, cooked, eaten := make(signal), make(signal), make(signal), make(signal)
	go step("eat", cooked, eaten)
	go step("wash", begin, washed)
	go step("cook", washed, cooked)
	close(begin)
	<-eaten
}

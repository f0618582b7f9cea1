package main

import (
	"fmt"
	"time"
)

func main() {
	answer := make(chan int)

	select {
	case n := <-answer:
		fmt.Println("got", n)
	case <-time.After(20 * time.Millisecond):
		fmt.Println("nothing came in 20 ms")
	}

	select {
	case n := <-answer:
		fmt.Println("got", n)
	default:
		fmt.Println("nothing is there")
	}

	value, closed := "no", "no"
	select {
	case _, ok := <-answer:
		if ok {
			value = "yes"
		} else {
			closed = "yes"
		}
	case <-time.After(time.Millisecond):
	}
	fmt.Printf("value: %s, closed: %s\n", value, closed)

	// A limit for several waits together: the timer's channel is made once, and is a case like any other.
	limit := time.After(time.Minute)
	beat := time.NewTicker(10 * time.Millisecond)
	beats := 0
	for over := false; !over && beats < 3; {
		select {
		case <-beat.C:
			beats++
		case <-limit:
			over = true
		}
	}
	fmt.Println(beats, "beats")
}

package main

import "fmt"

func span(from, to int) <-chan int {
	out := make(chan int)
	go func() {
		for i := from; i < to; i++ {
			out <- i
		}
		close(out)
	}()
	return out
}

func main() {
	small, large := span(1, 4), span(100, 105)
	sum, closed := 0, 0
	take := func(from *<-chan int, n int, ok bool) {
		if ok {
			sum += n
		} else {
			*from = nil // a closed channel would be ready for ever; a nil one never is
			closed++
		}
	}
	for small != nil || large != nil {
		select {
		case n, ok := <-small:
			take(&small, n, ok)
		case n, ok := <-large:
			take(&large, n, ok)
		}
	}
	fmt.Printf("the sum is %d, after %d ends\n", sum, closed)
}

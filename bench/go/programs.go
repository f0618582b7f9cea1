// Whole little programs: the twins of programs.cpp and fib.cpp.
package main

import "sync"

func init() {
	works["ring"] = ring
	works["skynet"] = skynet
	works["sieve"] = sieve
	works["fib30_cut12"] = fib30Cut12
	works["fib30_serial"] = fib30Serial
}

const ringSize = 503

func ringMember(in <-chan int, out chan<- int, winner chan<- int, id int) {
	for token := range in {
		if token == 0 {
			winner <- id
			return
		}
		out <- token - 1
	}
}

func ring(r *result) {
	hops := scaled(5_000_000)
	id := 0
	r.measure(hops, func() {
		links := make([]chan int, ringSize)
		for i := range links {
			links[i] = make(chan int)
		}
		winner := make(chan int)
		for i := range links {
			go ringMember(links[i], links[(i+1)%ringSize], winner, i+1)
		}
		links[0] <- hops
		id = <-winner
	})
	check(id == hops%ringSize+1, r.Name)
}

func skynetNode(result chan<- int, number, size int) {
	if size == 1 {
		result <- number
		return
	}
	children := make(chan int)
	for i := 0; i < 10; i++ {
		go skynetNode(children, number+i*(size/10), size/10)
	}
	sum := 0
	for i := 0; i < 10; i++ {
		sum += <-children
	}
	result <- sum
}

func skynet(r *result) {
	sum := 0
	r.measure(1_111_111, func() {
		result := make(chan int)
		go skynetNode(result, 0, 1_000_000)
		sum = <-result
	})
	check(sum == 499_999_500_000, r.Name)
}

func sieveNumbers(out chan<- int) {
	for i := 2; ; i++ {
		out <- i
	}
}

func sieveFilter(in <-chan int, out chan<- int, prime int) {
	for i := range in {
		if i%prime != 0 {
			out <- i
		}
	}
}

func sieve(r *result) {
	prime := 0
	r.measure(1, func() {
		in := make(chan int)
		go sieveNumbers(in)
		for i := 0; i < 2500; i++ {
			prime = <-in
			out := make(chan int)
			go sieveFilter(in, out, prime)
			in = out
		}
	})
	check(prime == 22307, r.Name)
}

//go:noinline
func serialFib(n int) int {
	if n < 2 {
		return n
	}
	return serialFib(n-1) + serialFib(n-2)
}

func parallelFib(n int) int {
	if n <= 12 {
		return serialFib(n)
	}
	a := 0
	var wg sync.WaitGroup
	wg.Add(1)
	go func() { a = parallelFib(n - 1); wg.Done() }()
	b := parallelFib(n - 2)
	wg.Wait()
	return a + b
}

func fib30Cut12(r *result) {
	n := scaled(100)
	r.measure(n, func() {
		for i := 0; i < n; i++ {
			check(parallelFib(30) == 832_040, r.Name)
		}
	})
}

func fib30Serial(r *result) {
	n := scaled(100)
	r.measure(n, func() {
		for i := 0; i < n; i++ {
			check(serialFib(30) == 832_040, r.Name)
		}
	})
}

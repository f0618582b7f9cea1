// select: the twins of select.cpp.
package main

import "sync"

func init() {
	works["select2"] = select2
	works["select_default"] = selectDefault
	works["select2_default"] = select2Default
	works["select4_unbuf"] = func(r *result) { amongFour(r, 0) }
	works["select4_buf16"] = func(r *result) { amongFour(r, 16) }
	works["select4_mixed"] = select4Mixed
}

func recvBySelect(from, never chan int) int {
	select {
	case v := <-from:
		return v
	case <-never:
		return 0
	}
}

func select2(r *result) {
	n := scaled(2_000_000)
	sum := 0
	r.measure(n, func() {
		there, back, never := make(chan int), make(chan int), make(chan int)
		go func() {
			for i := 0; i < n; i++ {
				back <- recvBySelect(there, never)
			}
		}()
		for i := 0; i < n; i++ {
			there <- i
			sum += recvBySelect(back, never)
		}
	})
	check(sum == sumBelow(n), r.Name)
}

func selectDefault(r *result) {
	n := scaled(100_000_000)
	taken := 0
	r.measure(n, func() {
		c := make(chan int)
		for i := 0; i < n; i++ {
			select {
			case <-c:
			default:
				taken++
			}
		}
	})
	check(taken == n, r.Name)
}

func select2Default(r *result) {
	n := scaled(20_000_000)
	taken := 0
	r.measure(n, func() {
		a, b := make(chan int), make(chan int)
		for i := 0; i < n; i++ {
			select {
			case <-a:
			case <-b:
			default:
				taken++
			}
		}
	})
	check(taken == n, r.Name)
}

func amongFour(r *result, capacity int) {
	n := scaled(1_000_000)
	var sums [2]int
	r.measure(2*n, func() {
		var c [4]chan int
		for i := range c {
			c[i] = make(chan int, capacity)
		}
		var wg sync.WaitGroup
		for k := range sums {
			wg.Add(2)
			go func() {
				for i := 0; i < n; i++ {
					select {
					case c[0] <- i:
					case c[1] <- i:
					case c[2] <- i:
					case c[3] <- i:
					}
				}
				wg.Done()
			}()
			go func(sum *int) {
				s := 0
				for i := 0; i < n; i++ {
					select {
					case v := <-c[0]:
						s += v
					case v := <-c[1]:
						s += v
					case v := <-c[2]:
						s += v
					case v := <-c[3]:
						s += v
					}
				}
				*sum = s
				wg.Done()
			}(&sums[k])
		}
		wg.Wait()
	})
	check(sums[0]+sums[1] == 2*sumBelow(n), r.Name)
}

func select4Mixed(r *result) {
	n := scaled(1_000_000)
	r.measure(4*n, func() {
		a, b := make(chan int, 128), make(chan int, 128)
		for i := 0; i < 64; i++ {
			a <- i
			b <- i
		}
		var wg sync.WaitGroup
		for g := 0; g < 4; g++ {
			wg.Add(1)
			go func() {
				for i := 0; i < n; i++ {
					select {
					case a <- i:
					case <-a:
					case b <- i:
					case <-b:
					}
				}
				wg.Done()
			}()
		}
		wg.Wait()
	})
}

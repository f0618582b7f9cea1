// Channels: the twins of chan.cpp.
package main

import "sync"

func init() {
	works["chan_pingpong"] = chanPingpong
	works["chan_unbuf_stream"] = func(r *result) { stream(r, 0, 1, scaled(5_000_000)) }
	works["chan_unbuf_4p4c"] = func(r *result) { stream(r, 0, 4, scaled(1_000_000)*4) }
	works["chan_buf_stream"] = func(r *result) { stream(r, 128, 1, scaled(20_000_000)) }
	works["chan_buf_4p4c"] = func(r *result) { stream(r, 128, 4, scaled(2_000_000)*4) }
	works["chan_uncontended"] = chanUncontended
}

func sumBelow(n int) int { return n * (n - 1) / 2 }

func chanPingpong(r *result) {
	n := scaled(2_000_000)
	sum := 0
	r.measure(n, func() {
		there, back := make(chan int), make(chan int)
		go func() {
			for i := 0; i < n; i++ {
				back <- <-there
			}
		}()
		for i := 0; i < n; i++ {
			there <- i
			sum += <-back
		}
	})
	check(sum == sumBelow(n), r.Name)
}

func stream(r *result, capacity, pairs, n int) {
	share := n / pairs
	sums := make([]int, pairs)
	r.measure(n, func() {
		ch := make(chan int, capacity)
		var wg sync.WaitGroup
		wg.Add(2 * pairs)
		for p := 0; p < pairs; p++ {
			go func() {
				for i := 0; i < share; i++ {
					ch <- i
				}
				wg.Done()
			}()
			go func(sum *int) {
				s := 0
				for i := 0; i < share; i++ {
					s += <-ch
				}
				*sum = s
				wg.Done()
			}(&sums[p])
		}
		wg.Wait()
	})
	total := 0
	for _, sum := range sums {
		total += sum
	}
	check(total == pairs*sumBelow(share), r.Name)
}

func chanUncontended(r *result) {
	n := scaled(30_000_000)
	sum := 0
	r.measure(n, func() {
		c := make(chan int, 1)
		for i := 0; i < n; i++ {
			c <- i
			sum += <-c
		}
	})
	check(sum == sumBelow(n), r.Name)
}

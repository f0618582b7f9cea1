// The benchmarks' works in Go: the same counts, the same checks, under the same names as the C++ ones beside them.
//
//	rove_bench -procs 2 chan_pingpong ring
//
// prints a line of JSON for each work named (all, if none is). ROVE_BENCH_SCALE scales the counts.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"sort"
	"strconv"
	"syscall"
	"time"
)

// A work runs and calls report (or fills in the result in another way).
type work func(r *result)

var works = map[string]work{}

type result struct {
	Name     string             `json:"name"`
	Procs    int                `json:"procs"`
	Ns       float64            `json:"real_time"`
	Cpus     float64            `json:"cpus"`
	Counters map[string]float64 `json:"counters"`
}

// Runs f and notes the time of one of its operations, and how many CPUs it kept busy.
func (r *result) measure(operations int, f func()) {
	cpu := cpuSeconds()
	start := time.Now()
	f()
	wall := time.Since(start)
	r.Ns = float64(wall.Nanoseconds()) / float64(operations)
	r.Cpus = (cpuSeconds() - cpu) / wall.Seconds()
}

func cpuSeconds() float64 {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return float64(u.Utime.Nano()+u.Stime.Nano()) * 1e-9
}

func scaled(count int) int {
	scale := 1.0
	if text := os.Getenv("ROVE_BENCH_SCALE"); text != "" {
		var err error
		scale, err = strconv.ParseFloat(text, 64)
		if err != nil || !(scale > 0) {
			fmt.Fprintln(os.Stderr, "ROVE_BENCH_SCALE: not a positive number:", text)
			os.Exit(2)
		}
	}
	if n := int(float64(count) * scale); n > 1 {
		return n
	}
	return 1
}

// A work whose answer is wrong has no time.
func check(right bool, what string) {
	if !right {
		fmt.Fprintln(os.Stderr, "bench: wrong result:", what)
		os.Exit(1)
	}
}

func main() {
	procs := flag.Int("procs", 1, "GOMAXPROCS")
	flag.Parse()
	runtime.GOMAXPROCS(*procs)
	names := flag.Args()
	if len(names) == 0 {
		for name := range works {
			names = append(names, name)
		}
		sort.Strings(names)
	}
	for _, name := range names {
		f := works[name]
		if f == nil {
			fmt.Fprintln(os.Stderr, "no such work:", name)
			os.Exit(2)
		}
		r := result{Name: name, Procs: *procs, Counters: map[string]float64{}}
		f(&r)
		json.NewEncoder(os.Stdout).Encode(r)
	}
}

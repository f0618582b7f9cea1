package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

type userKey struct{}

func slowCall(ctx context.Context) {
	fmt.Println("for", ctx.Value(userKey{}))
	select {
	case <-ctx.Done():
		fmt.Println("given up:", ctx.Err())
	case <-time.After(time.Hour):
		fmt.Println("done")
	}
}

func main() {
	request := context.WithValue(context.Background(), userKey{}, "Ann")
	ctx, cancel := context.WithTimeout(request, 20*time.Millisecond)
	defer cancel() // always: it frees the timer if the work was done in time
	slowCall(ctx)
	timedOut := "no"
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		timedOut = "yes"
	}
	fmt.Println("it was a time-out:", timedOut)
}

package main

import "fmt"

func main() {
	letters := make(chan rune, 2)
	letters <- 'a' // nobody receives yet, and nobody has to
	letters <- 'b'
	fmt.Printf("%d of %d places are taken\n", len(letters), cap(letters))
	select {
	case letters <- 'c':
		fmt.Println("a third one: sent")
	default:
		fmt.Println("a third one: no room")
	}
	close(letters) // what is in the buffer can still be received
	for c := range letters {
		fmt.Printf("%c\n", c)
	}
}

// The least program in C that uses an installed rove: it says which version, and what came out of a channel.
#include <rove/rove.h>

#include <stdio.h>

static void numbers(void *c) {
  for (int i = 1; i <= 10; ++i) rove_chan_send(c, &i);
  rove_chan_close(c);
}

static int sum(void *c) {
  int total = 0;
  if (rove_go(numbers, c) != 0) return -1;
  for (int i; rove_chan_recv(c, &i) == 0;) total += i;
  return total;
}

int main(void) {
  rove_chan *const c = rove_chan_make(sizeof(int), 0);
  printf("rove %s: %d\n", ROVE_VERSION_STRING, rove_run(NULL, sum, c));
  rove_chan_free(c);
  return 0;
}

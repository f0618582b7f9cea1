// checksums: a C program. It reads lines from standard input as they come, and prints the CRC-32 and the length of each.
//
//   read_lines --jobs--> worker x 4 --results--> main, which also hears when nothing comes in
//
// A line that is longer than the room in a job is cut there. Built by: cc -std=c11 checksums.c -lrove -lstdc++
#include <rove/rove.h>

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { workers = 4, room = 240, patience = 10 };  // patience in seconds

typedef struct job {
  size_t number;
  size_t length;
  char text[room];
} job;

typedef struct result {
  size_t number;
  size_t length;
  uint32_t crc;
} result;

typedef struct program {
  rove_chan *jobs;     // of job
  rove_chan *results;  // of result
  rove_chan *quiet;    // of nothing: no input came for a while
  rove_wait_group working;
} program;

// errno is looked at in a function that cannot park and is not inlined: a goroutine may change its thread.
__attribute__((noinline)) static ssize_t read_now(int descriptor, void *to, size_t size) {
  ssize_t n;
  do n = read(descriptor, to, size);
  while (n < 0 && errno == EINTR);
  return n < 0 ? -errno : n;
}

// What has come in: its size, 0 at the end, or a negative errno. Says from time to time that it still waits.
static ssize_t read_when_ready(program *p, void *to, size_t size) {
  for (;;) {
    const int ready = rove_wait_fd(STDIN_FILENO, ROVE_READABLE, rove_in(patience * ROVE_SECOND));
    if (ready == ROVE_TIMED_OUT) {
      rove_chan_try_send(p->quiet, NULL);
      continue;
    }
    if (ready < 0) return ready;
    const ssize_t n = read_now(STDIN_FILENO, to, size);
    if (n != ROVE_AGAIN) return n;
  }
}

static void read_lines(void *argument) {
  program *const p = argument;
  char block[4096];
  job next = {.number = 1};
  bool begun = false;
  ssize_t n;
  while ((n = read_when_ready(p, block, sizeof block)) > 0) {
    for (ssize_t i = 0; i < n; ++i) {
      begun = block[i] != '\n';
      if (begun) {
        if (next.length < room) next.text[next.length++] = block[i];
        continue;
      }
      rove_chan_send(p->jobs, &next);
      ++next.number;
      next.length = 0;
    }
  }
  if (begun) rove_chan_send(p->jobs, &next);
  if (n < 0) fprintf(stderr, "checksums: %s\n", strerror((int)-n));
  rove_chan_close(p->jobs);
}

static uint32_t crc32_of(const char *text, size_t length) {
  uint32_t crc = UINT32_MAX;
  for (size_t i = 0; i < length; ++i) {
    crc ^= (unsigned char)text[i];
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xedb88320) : 0);
  }
  return ~crc;
}

static void work(void *argument) {
  program *const p = argument;
  job j;
  while (rove_chan_recv(p->jobs, &j) == 0) {
    const result r = {j.number, j.length, crc32_of(j.text, j.length)};
    rove_chan_send(p->results, &r);
  }
}

static void close_results(void *argument) {
  program *const p = argument;
  rove_wait_group_wait(&p->working);
  rove_chan_close(p->results);
}

static int run(void *argument) {
  program *const p = argument;
  for (int i = 0; i < workers; ++i)
    if (rove_wait_group_go(&p->working, work, p) != 0) return 1;
  if (rove_go(read_lines, p) != 0 || rove_go(close_results, p) != 0) return 1;

  size_t lines = 0, bytes = 0;
  for (;;) {
    result r;
    rove_case cases[] = {rove_on_recv(p->results, &r), rove_on_recv(p->quiet, NULL)};
    if (rove_select(cases, 2) == 1) {
      fprintf(stderr, "(nothing came for %d seconds; %zu lines so far)\n", patience, lines);
      continue;
    }
    if (cases[0].status == ROVE_CLOSED) break;
    printf("%4zu  %08x  %zu\n", r.number, (unsigned)r.crc, r.length);
    ++lines;
    bytes += r.length;
  }
  printf("%zu lines, %zu bytes\n", lines, bytes);
  return 0;
}

int main(void) {
  program p = {
      rove_chan_make(sizeof(job), 8), rove_chan_make(sizeof(result), 8), rove_chan_make(0, 1), ROVE_WAIT_GROUP_INIT};
  int status = 1;
  if (p.jobs && p.results && p.quiet) status = rove_run(NULL, run, &p);
  rove_chan_free(p.jobs);
  rove_chan_free(p.results);
  rove_chan_free(p.quiet);
  return status;
}

// What the programs in C have in common; see ../src/main.rs.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TOPIC "site/b7/floor3/room1"
#define WINDOW 100

static const char *role;
static int port, qos, size;
static long count;
static char *payload;
// No other run has it: a broker can take some time to notice the end of a connection.
static char client_id[24];

static void die(const char *what, int code) {
  fprintf(stderr, "%s: %d\n", what, code);
  exit(1);
}

static void read_job(int argc, char **argv) {
  if (argc != 6) die("role, port, QoS, size, count", argc);
  role = argv[1];
  port = atoi(argv[2]);
  qos = atoi(argv[3]);
  size = atoi(argv[4]);
  count = atol(argv[5]);
  snprintf(client_id, sizeof client_id, "bench-%d", (int)getpid());
  payload = malloc(size);
  memset(payload, 'x', size);
}

static int is(const char *name) { return strcmp(role, name) == 0; }

// Waits until it is to begin.
static void ready(void) {
  puts("ready");
  fflush(stdout);
  while (getchar() != '\n');
}

// How long messages are on their way there and back.
static int64_t began, *took;
static long trips;

static int64_t nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void begin_trip(void) { began = nanoseconds(); }

static void end_trip(void) {
  if (!took) took = calloc(count, sizeof *took);
  took[trips++] = nanoseconds() - began;
}

static int compare(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

// All is done: waits until that is seen.
static void done(void) {
  if (trips) qsort(took, trips, sizeof *took, compare);
  printf("done %.1f %.1f\n", trips ? took[trips / 2] / 1e3 : 0, trips ? took[trips * 99 / 100] / 1e3 : 0);
  fflush(stdout);
  while (getchar() != EOF);
}

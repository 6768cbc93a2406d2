/* An essential service that fails on its first starts and then stays up.
 *
 * Every start gets a fresh slot with an empty work directory, so the program
 * cannot count its starts in a file. It need not: the agent says in
 * HOSTLER_RESTARTS how often this workload has been started again, 0 at first.
 *
 * Usage: crash [FAILURES]     (default 2) */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void stop(int signal) {
  (void)signal;
  static const char text[] = "crash: asked to stop\n";
  if (write(STDOUT_FILENO, text, sizeof text - 1) < 0) _exit(2);
  _exit(0);
}

int main(int argc, char **argv) {
  const char *said = getenv("HOSTLER_RESTARTS");
  long restarts = said ? strtol(said, NULL, 10) : 0;
  long failures = argc > 1 ? strtol(argv[1], NULL, 10) : 2;

  if (restarts < failures) {
    fprintf(stderr, "crash: start %ld of %ld that fail, exiting with status 1\n", restarts + 1, failures);
    return 1;
  }
  signal(SIGTERM, stop);
  printf("crash: up after %ld restarts\n", restarts);
  fflush(stdout);
  for (;;) pause();
}

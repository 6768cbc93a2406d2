/* A function: answers a message with the same text in upper case and an
 * exclamation mark.
 *
 * It is a WASI preview 1 command. For every message it starts afresh: the
 * payload is stdin, argv[1] is the subject, what it writes to stdout is the
 * answer, and stderr goes to the workload's log. */

#include <string.h>
#include <unistd.h>

/* Writes all of it; a function that cannot answer has failed. */
static void put(int fd, const char *text, size_t length) {
  while (length > 0) {
    ssize_t written = write(fd, text, length);
    if (written <= 0) _exit(1);
    text += written;
    length -= (size_t)written;
  }
}

int main(int argc, char **argv) {
  char text[4096];
  ssize_t length;
  while ((length = read(STDIN_FILENO, text, sizeof text)) > 0) {
    for (ssize_t i = 0; i < length; i++)
      if (text[i] >= 'a' && text[i] <= 'z') text[i] -= 'a' - 'A';
    put(STDOUT_FILENO, text, (size_t)length);
  }
  if (length < 0) return 1;
  put(STDOUT_FILENO, "!", 1);

  if (argc > 1) {
    put(STDERR_FILENO, "shouted on ", 11);
    put(STDERR_FILENO, argv[1], strlen(argv[1]));
    put(STDERR_FILENO, "\n", 1);
  }
  return 0;
}

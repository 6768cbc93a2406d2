/* A service that answers every NATS request with the request's own payload.
 *
 * It speaks the NATS client protocol itself: lines of text that end in CRLF,
 * and payloads of announced length (https://docs.nats.io/reference/protocols).
 *
 *   connect --> INFO --> CONNECT, SUB --> { MSG --> PUB | PING --> PONG }
 *      ^                                            |
 *      +------- pause, longer each time <-----------+ anything wrong
 *
 * Environment: NATS_URL (nats://[user:password@ | token@]host[:port]),
 * NATS_USER and NATS_PASSWORD (outrank the URL), ECHO_SUBJECT.
 * Usage: echo [SUBJECT]     (default: ECHO_SUBJECT, or else "echo")
 *
 * Several copies form one queue group: each request is answered once. */

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { FIELD = 512, LINE = 64 << 10, PAYLOAD = 8 << 20 };

/* Where to connect, as whom, and what to listen to. */
struct config {
  char host[FIELD], port[16], user[FIELD], password[FIELD], token[FIELD], subject[FIELD];
};

/* A connection, with what was read of it and not yet used. */
struct link {
  int fd;
  size_t begin, end;
  char bytes[LINE];
};

static char payload[PAYLOAD + 2];

static void stop(int signal) {
  (void)signal;
  static const char text[] = "echo: asked to stop\n";
  if (write(STDOUT_FILENO, text, sizeof text - 1) < 0) _exit(2);
  _exit(0);
}

/* --- configuration ----------------------------------------------------- */

static void copy(char *to, size_t room, const char *from, size_t length) {
  if (length >= room) length = room - 1;
  memcpy(to, from, length);
  to[length] = 0;
}

static void copy_env(char *to, const char *name) {
  const char *value = getenv(name);
  if (value) copy(to, FIELD, value, strlen(value));
}

/* The first server of NATS_URL; a lone word before the '@' is a token. */
static void parse_url(struct config *config, const char *url) {
  const char *start = strstr(url, "://");
  start = start ? start + 3 : url;
  size_t length = strcspn(start, ",/");
  const char *at = memchr(start, '@', length);
  if (at) {
    size_t words = (size_t)(at - start);
    const char *colon = memchr(start, ':', words);
    if (colon) {
      copy(config->user, FIELD, start, (size_t)(colon - start));
      copy(config->password, FIELD, colon + 1, (size_t)(at - colon - 1));
    } else {
      copy(config->token, FIELD, start, words);
    }
    length -= words + 1;
    start = at + 1;
  }
  const char *colon = memchr(start, ':', length);
  size_t host = colon ? (size_t)(colon - start) : length;
  copy(config->host, FIELD, start, host);
  if (colon) copy(config->port, sizeof config->port, colon + 1, length - host - 1);
}

static bool configure(struct config *config, int argc, char **argv) {
  memset(config, 0, sizeof *config);
  strcpy(config->port, "4222");
  strcpy(config->subject, "echo");
  const char *url = getenv("NATS_URL");
  parse_url(config, url ? url : "nats://127.0.0.1:4222");
  copy_env(config->user, "NATS_USER");
  copy_env(config->password, "NATS_PASSWORD");
  copy_env(config->subject, "ECHO_SUBJECT");
  if (argc > 1) copy(config->subject, FIELD, argv[1], strlen(argv[1]));
  return config->subject[0] != 0 && strpbrk(config->subject, " \t\r\n") == NULL;
}

/* --- the connection ---------------------------------------------------- */

static bool dial(struct link *link, const struct config *config) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
  link->begin = link->end = 0;
  link->fd = -1;
  int problem = getaddrinfo(config->host, config->port, &hints, &found);
  if (problem) {
    fprintf(stderr, "echo: cannot find %s: %s\n", config->host, gai_strerror(problem));
    return false;
  }
  for (struct addrinfo *try = found; try && link->fd < 0; try = try->ai_next) {
    int fd = socket(try->ai_family, SOCK_STREAM, 0);
    if (fd < 0) continue;
    if (connect(fd, try->ai_addr, try->ai_addrlen) == 0)
      link->fd = fd;
    else
      close(fd);
  }
  freeaddrinfo(found);
  if (link->fd < 0) {
    fprintf(stderr, "echo: cannot reach %s:%s: %s\n", config->host, config->port, strerror(errno));
    return false;
  }
  int on = 1;
  setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return true;
}

static bool send_all(struct link *link, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t sent = send(link->fd, bytes, length, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes += sent;
    length -= (size_t)sent;
  }
  return true;
}

static bool send_text(struct link *link, const char *text) { return send_all(link, text, strlen(text)); }

/* Reads more bytes behind those at hand. */
static bool fill(struct link *link) {
  if (link->begin > 0) {
    memmove(link->bytes, link->bytes + link->begin, link->end - link->begin);
    link->end -= link->begin;
    link->begin = 0;
  }
  if (link->end == sizeof link->bytes) return false; /* a line longer than any */
  ssize_t got;
  do got = recv(link->fd, link->bytes + link->end, sizeof link->bytes - link->end, 0);
  while (got < 0 && errno == EINTR);
  if (got <= 0) return false;
  link->end += (size_t)got;
  return true;
}

/* The next line, without its end; valid until the next read. */
static char *read_line(struct link *link) {
  for (;;) {
    char *start = link->bytes + link->begin;
    char *newline = memchr(start, '\n', link->end - link->begin);
    if (newline) {
      link->begin = (size_t)(newline - link->bytes) + 1;
      *newline = 0;
      if (newline > start && newline[-1] == '\r') newline[-1] = 0;
      return start;
    }
    if (!fill(link)) return NULL;
  }
}

static bool read_payload(struct link *link, size_t length) {
  size_t have = 0;
  while (have < length) {
    if (link->begin == link->end && !fill(link)) return false;
    size_t part = link->end - link->begin;
    if (part > length - have) part = length - have;
    memcpy(payload + have, link->bytes + link->begin, part);
    link->begin += part;
    have += part;
  }
  return true;
}

/* --- the protocol ------------------------------------------------------ */

/* Appends `,"key":"value"` with the value as a JSON string, if there is one. */
static void add_member(char *json, size_t room, const char *key, const char *value) {
  if (!value[0]) return;
  size_t at = strlen(json);
  at += (size_t)snprintf(json + at, room - at, ",\"%s\":\"", key);
  for (; *value && at + 8 < room; value++) {
    unsigned char byte = (unsigned char)*value;
    const char *form = byte == '"' || byte == '\\' ? "\\%c" : byte < 32 ? "\\u%04x" : "%c";
    at += (size_t)snprintf(json + at, room - at, form, byte);
  }
  snprintf(json + at, room - at, "\"");
}

static bool introduce(struct link *link, const struct config *config) {
  const char *info = read_line(link);
  if (!info || strncmp(info, "INFO ", 5) != 0) return false;
  static char text[8 * FIELD];
  strcpy(text, "CONNECT {\"verbose\":false,\"pedantic\":false,\"tls_required\":false,"
               "\"name\":\"echo\",\"lang\":\"c\",\"version\":\"1\",\"protocol\":1");
  add_member(text, sizeof text - 8, "user", config->user);
  add_member(text, sizeof text - 8, "pass", config->password);
  add_member(text, sizeof text - 8, "auth_token", config->token);
  strcat(text, "}\r\n");
  if (!send_text(link, text)) return false;
  snprintf(text, sizeof text, "SUB %s echo 1\r\nPING\r\n", config->subject);
  return send_text(link, text);
}

/* MSG <subject> <sid> [reply-to] <length>, then the payload and CRLF. */
static bool answer(struct link *link, char *line) {
  char *words[5], *rest = line;
  int count = 0;
  for (char *word; count < 5 && (word = strtok_r(rest, " \t", &rest));) words[count++] = word;
  if (count < 4) return false;
  char subject[FIELD], reply[FIELD] = "";
  copy(subject, FIELD, words[1], strlen(words[1]));
  if (count == 5) copy(reply, FIELD, words[3], strlen(words[3]));
  size_t length = strtoul(words[count - 1], NULL, 10);
  if (length > PAYLOAD || !read_payload(link, length + 2)) return false;

  printf("echo: %zu bytes on %s\n", length, subject);
  fflush(stdout);
  if (!reply[0]) return true;
  char head[FIELD + 64];
  snprintf(head, sizeof head, "PUB %s %zu\r\n", reply, length);
  return send_text(link, head) && send_all(link, payload, length + 2);
}

/* Serves one connection until something is wrong with it; true if it was
 * ever accepted by the server. */
static bool serve(struct link *link, const struct config *config) {
  bool accepted = false;
  if (!introduce(link, config)) return false;
  for (char *line; (line = read_line(link));) {
    if (strncmp(line, "MSG ", 4) == 0) {
      if (!answer(link, line)) break;
    } else if (strcmp(line, "PING") == 0) {
      if (!send_text(link, "PONG\r\n")) break;
    } else if (strcmp(line, "PONG") == 0 && !accepted) {
      accepted = true;
      printf("echo: answering on %s\n", config->subject);
      fflush(stdout);
    } else if (strncmp(line, "-ERR", 4) == 0) {
      fprintf(stderr, "echo: the server says %s\n", line + 4);
    }
  }
  return accepted;
}

int main(int argc, char **argv) {
  static struct config config;
  static struct link link;
  if (!configure(&config, argc, argv)) {
    fprintf(stderr, "echo: the subject must be one word\n");
    return 64;
  }
  signal(SIGTERM, stop);
  for (long pause_ms = 100;;) {
    if (dial(&link, &config)) {
      if (serve(&link, &config)) pause_ms = 100;
      close(link.fd);
      fprintf(stderr, "echo: connection lost, trying again\n");
    }
    struct timespec pause = {pause_ms / 1000, pause_ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
    pause_ms = pause_ms < 2000 ? pause_ms * 2 : 2000;
  }
}

/* A workload for tests; what it does is its first argument. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/wait.h>

static void say(const char *text) {
    fputs(text, stdout);
    fputc('\n', stdout);
    fflush(stdout);
}

static void sleep_on(void) {
    for (;;) pause();
}

/* A child, and a grandchild that leaves the session and loses its parent. */
static void family(void) {
    if (fork() == 0) {
        if (fork() == 0) {
            setsid();
            if (fork() == 0) sleep_on();
            _exit(0);
        }
        wait(NULL);
        sleep_on();
    }
    usleep(100 * 1000);
    say("family");
    sleep_on();
}

static void hog(void) {
    const size_t step = 4 << 20;
    for (;;) {
        char *block = malloc(step);
        if (block == NULL) _exit(9);
        memset(block, 1, step);
    }
}

static void bomb(void) {
    int children = 0;
    for (int tries = 0; tries < 1000; tries++) {
        pid_t pid = fork();
        if (pid == 0) sleep_on();
        if (pid < 0) break;
        children++;
    }
    printf("children %d\n", children);
    fflush(stdout);
    sleep_on();
}

/* Whether a file can be read, and a port be reached. */
static void look(const char *path, const char *host, const char *port) {
    FILE *file = fopen(path, "r");
    int read = file != NULL && fgetc(file) != EOF;
    struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
    inet_aton(host, &there.sin_addr);
    int talk = socket(AF_INET, SOCK_STREAM, 0);
    int reached = connect(talk, (struct sockaddr *)&there, sizeof there) == 0;
    printf("read %d reached %d\n", read, reached);
    fflush(stdout);
    sleep_on();
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    if (strcmp(what, "exit") == 0) {
        say("goodbye");
        return atoi(argv[2]);
    }
    if (strcmp(what, "stay") == 0) {
        say("hello");
        sleep_on();
    }
    if (strcmp(what, "family") == 0) family();
    if (strcmp(what, "look") == 0) look(argv[2], argv[3], argv[4]);
    if (strcmp(what, "hog") == 0) hog();
    if (strcmp(what, "bomb") == 0) bomb();
    return 64;
}

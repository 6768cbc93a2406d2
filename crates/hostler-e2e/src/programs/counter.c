/* Tells the witness that it runs, by a connection that lives as long as it
 * does, and prints one line. Deaf to nothing: SIGTERM ends it. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void) {
    const char *port = getenv("WITNESS_PORT"), *name = getenv("WITNESS_NAME");
    if (!port || !name) return 2;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int link = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(link, (struct sockaddr *)&address, sizeof address) != 0) return 3;
    dprintf(link, "%s\n", name);
    printf("%s runs as %d\n", name, (int)getpid());
    fflush(stdout);
    for (;;) pause();
}

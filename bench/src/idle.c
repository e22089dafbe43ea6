/* Opens N keep-alive connections, optionally one request on each, says
 * "ready" and holds them until its standard input closes.
 * usage: idle PORT N PATH|- [tls] */
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    int n = atoi(argv[2]), tls = argc > 4;
    char req[256], b[65536];
    int rl = snprintf(req, sizeof req, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", argv[3]);
    struct rlimit l = {65536, 65536};
    setrlimit(RLIMIT_NOFILE, &l);
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons(atoi(argv[1])),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    SSL_CTX *x = SSL_CTX_new(TLS_client_method());
    for (int i = 0; i < n; i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        SSL *s = 0;
        if (fd < 0 || connect(fd, (void *)&a, sizeof a)) {
            perror("connect");
            return 1;
        }
        if (tls) {
            s = SSL_new(x);
            SSL_set_fd(s, fd);
            if (SSL_connect(s) != 1) {
                fprintf(stderr, "handshake\n");
                return 1;
            }
        }
        if (argv[3][0] == '-')
            continue;
        if (s)
            SSL_write(s, req, rl);
        else if (send(fd, req, rl, 0) != rl)
            return 1;
        for (size_t got = 0;;) {
            ssize_t r = s ? SSL_read(s, b + got, sizeof b - 1 - got)
                          : recv(fd, b + got, sizeof b - 1 - got, 0);
            if (r <= 0) {
                fprintf(stderr, "closed at %d\n", i);
                return 1;
            }
            got += r;
            b[got] = 0;
            char *e = strstr(b, "\r\n\r\n"), *c = strcasestr(b, "content-length:");
            if (e && c && got >= (size_t)(e + 4 - b) + strtoul(c + 15, 0, 10))
                break;
        }
    }
    puts("ready");
    fflush(stdout);
    while (read(0, b, sizeof b) > 0)
        ;
    return 0;
}

/*
 * An end of a connection that sends back what it reads, in records of other sizes. It pads them and changes its keys as
 * the numbers of a fixed sequence say. Arguments: "client", the port and the version, or "server", a file with
 * certificate and key, and the version. A server prints its port. At its end, it prints the version of OpenSSL and the
 * number of bytes.
 */

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/ssl.h>

static unsigned long long state = 0x005eed0f2ec02d50ULL;

/* A number below the limit. */
static size_t below(size_t limit)
{
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (size_t)(state >> 33) % limit;
}

static void check(int is_good, const char *what)
{
    if (!is_good) {
        fprintf(stderr, "%s has failed\n", what);
        exit(2);
    }
}

static int dial(unsigned short port)
{
    struct sockaddr_in address = {0};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    check(connect(fd, (struct sockaddr *)&address, sizeof address) == 0, "connect");
    return fd;
}

static int take(void)
{
    struct sockaddr_in address = {0};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    int fd;

    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    check(bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 1) == 0, "listen");
    check(getsockname(listener, (struct sockaddr *)&address, &length) == 0, "getsockname");
    printf("port %d\n", ntohs(address.sin_port));
    fflush(stdout);
    fd = accept(listener, NULL, NULL);
    close(listener);
    return fd;
}

/* Sends the bytes in pieces, each a record. */
static void send_back(SSL *ssl, const char *bytes, size_t length, int is_tls13)
{
    while (length > 0) {
        size_t piece = 1 + below(below(4) == 0 ? length : 200);
        size_t sent = 0;

        if (piece > length) {
            piece = length;
        }
        if (is_tls13 && below(40) == 0) {
            int kind = below(2) == 0 ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED;

            check(SSL_key_update(ssl, kind) == 1, "SSL_key_update");
        }
        if (is_tls13 && below(10) == 0) {
            check(SSL_set_block_padding(ssl, below(300)) == 1, "SSL_set_block_padding");
        }
        check(SSL_write_ex(ssl, bytes, piece, &sent) == 1 && sent == piece, "SSL_write_ex");
        bytes += sent;
        length -= sent;
    }
}

int main(int count, char **arguments)
{
    static char buffer[40000];
    int is_client = count == 4 && strcmp(arguments[1], "client") == 0;
    int is_tls13 = count == 4 && strcmp(arguments[3], "TLSv1.3") == 0;
    int version = is_tls13 ? TLS1_3_VERSION : TLS1_2_VERSION;
    unsigned long long total = 0;
    size_t length = 0;
    int on = 1, fd;
    SSL_CTX *context;
    SSL *ssl;

    check(count == 4, "usage");
    context = SSL_CTX_new(is_client ? TLS_client_method() : TLS_server_method());
    check(context != NULL && SSL_CTX_set_min_proto_version(context, version) == 1
              && SSL_CTX_set_max_proto_version(context, version) == 1,
          "SSL_CTX_new");
    if (!is_client) {
        check(SSL_CTX_use_certificate_chain_file(context, arguments[2]) == 1
                  && SSL_CTX_use_PrivateKey_file(context, arguments[2], SSL_FILETYPE_PEM) == 1,
              "certificate and key");
    }
    ssl = SSL_new(context);
    fd = is_client ? dial((unsigned short)atoi(arguments[2])) : take();
    check(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0, "TCP_NODELAY");
    check(ssl != NULL && SSL_set_fd(ssl, fd) == 1, "SSL_new");
    SSL_set_tlsext_host_name(ssl, "broker");
    check((is_client ? SSL_connect(ssl) : SSL_accept(ssl)) == 1, "handshake");
    while (SSL_read_ex(ssl, buffer, 1 + below(sizeof buffer), &length) == 1) {
        total += length;
        send_back(ssl, buffer, length, is_tls13);
    }
    check((SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN) != 0, "close_notify");
    SSL_shutdown(ssl);
    printf("%s, %llu bytes\n", OpenSSL_version(OPENSSL_VERSION), total);
    SSL_free(ssl);
    SSL_CTX_free(context);
    return 0;
}

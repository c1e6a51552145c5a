/* A client of wolfSSL over TLS 1.3: sends "ping" and reads it back. Arguments: the port and the file of the CA. */

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

static int dial(const char *port)
{
    struct sockaddr_in address = {0};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_family = AF_INET;
    address.sin_port = htons((unsigned short)atoi(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
        return fd;
    }
    return -1;
}

int main(int count, char **arguments)
{
    char answer[4];
    int fd = count == 3 ? dial(arguments[1]) : -1;
    WOLFSSL_CTX *context;
    WOLFSSL *ssl;
    int result;

    if (fd < 0 || wolfSSL_Init() != WOLFSSL_SUCCESS) {
        return 2;
    }
    context = wolfSSL_CTX_new(wolfTLSv1_3_client_method());
    if (context == NULL || wolfSSL_CTX_load_verify_locations(context, arguments[2], NULL) != WOLFSSL_SUCCESS) {
        return 2;
    }
    ssl = wolfSSL_new(context);
    if (ssl == NULL || wolfSSL_set_fd(ssl, fd) != WOLFSSL_SUCCESS) {
        return 2;
    }
    result = wolfSSL_connect(ssl);
    if (result == WOLFSSL_SUCCESS) {
        wolfSSL_write(ssl, "ping", 4);
        result = wolfSSL_read(ssl, answer, sizeof answer);
    }
    printf("%s, read %d, error %d\n", wolfSSL_get_version(ssl), result, result > 0 ? 0 : wolfSSL_get_error(ssl, result));
    return result == 4 && memcmp(answer, "ping", 4) == 0 ? 0 : 1;
}

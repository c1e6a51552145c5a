/* The server's side of TLS, as the programs of this folder use it.
 *
 * server_brokertls.c and server_openssl.c implement it, so that one program is compiled once for each library. */
#ifndef BENCH_SIDE_H
#define BENCH_SIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

struct side_context;
struct side_conn;

struct side_settings {
    const char *folder;  /* The certificates: server.pem, server.key, ca.pem, ca.crl. */
    const char *version; /* The only version: "TLSv1.3" or "TLSv1.2". */
    bool asks_clients;   /* Requires a client's certificate. */
    bool has_list;       /* Checks clients by the revocation list. */
};

enum side_status { SIDE_OK, SIDE_WANT_READ, SIDE_WANT_WRITE, SIDE_ENDED };

/* Bytes on their way in memory: `used` of `length` are taken. */
struct side_wire {
    unsigned char bytes[64 * 1024];
    size_t used, length;
};

/* Returns the library and its version. */
const char *side_library(void);
/* Makes a context, or ends the program. */
struct side_context *side_context_new(const struct side_settings *settings);
void side_context_free(struct side_context *context);

/* Makes a connection over a socket that does not block. */
struct side_conn *side_accept(struct side_context *context, int fd);
/* Makes a connection in memory, for side_move. */
struct side_conn *side_accept_in_memory(struct side_context *context);
void side_free(struct side_conn *conn);
/* Drops what an idle connection can make again. Without effect in a library that has no such call. */
void side_sleep(struct side_conn *conn);
/* Returns true if an earlier session was resumed. */
bool side_is_resumed(struct side_conn *conn);

enum side_status side_handshake(struct side_conn *conn);
enum side_status side_read(struct side_conn *conn, void *buffer, size_t length, size_t *got);
enum side_status side_write(struct side_conn *conn, const void *data, size_t length, size_t *written);
/* Returns true if a read may give data that has left the socket already. */
bool side_has_pending(struct side_conn *conn);

/* Continues a handshake in memory: takes the whole input and appends to the output. SIDE_OK when it is complete. */
enum side_status side_move(struct side_conn *conn, struct side_wire *input, struct side_wire *output);
/* Reads one message from the input, and writes it to the output. */
void side_echo(struct side_conn *conn, struct side_wire *input, struct side_wire *output);

/* Ends the program if a condition does not hold. */
#define REQUIRE(condition)                                                                                             \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                                    \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

#endif

/* Clients in memory by this library, which every server of this folder talks to. */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include "side.h"

#include <stdint.h>

struct client_context;

struct client_settings {
    const char *folder, *version;
    const char *groups; /* The key exchange groups, by their names. */
    bool has_certificate; /* Shows the certificate number `number` of the folder, below an intermediate. */
    unsigned number;
    bool resumes;
};

struct client_context *client_context_new(const struct client_settings *settings);
void client_context_free(struct client_context *context);

/* The time of handshakes on the server: nanoseconds inside its calls. */
struct server_time {
    uint64_t wall_ns, cpu_ns;
};

/* Connects a new server to a new client, and moves one message each way. Returns the server; the client is freed. Adds
 * the time inside the server's calls up to the end of the handshake. */
struct side_conn *client_connects(struct client_context *client, struct side_context *server, struct server_time *time);

#endif

/* The time of calls of the C API that do little: what the guard around each entry point costs, and the shortest ways
 * through the connection. Rounds of the rows take turns, a figure is the median of its rounds, and the clock is that of
 * the thread's own processor time.
 *
 * Arguments: a certificate of "localhost" and its key. `make bench-guard` makes both. */
#define _GNU_SOURCE

#include <brokertls.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

/* Odd, so that the median is one of them. */
#define ROUNDS 101
#define CALLS 15000

static btls_conn *memory, *stream, *peer;
static unsigned char records[BTLS_MAX_RECORD_BYTES], plain[BTLS_MAX_PLAINTEXT_BYTES];
static volatile uint64_t sink;

static void expect(int holds, const char *what) {
    if (!holds) {
        fprintf(stderr, "not so: %s\n", what);
        exit(1);
    }
}
#define EXPECT(condition) expect((condition) ? 1 : 0, #condition)

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static btls_context *context(const char *certificate, const char *key) {
    btls_builder *builder = btls_builder_new();
    btls_context *context;
    EXPECT(btls_builder_identity_file(builder, certificate, key, NULL, NULL, NULL) == BTLS_OK);
    EXPECT(btls_builder_trust_file(builder, certificate, NULL) == BTLS_OK);
    EXPECT(btls_builder_build(builder, &context) == BTLS_OK);
    btls_builder_free(builder);
    return context;
}

/* Moves the records of one side to the other. */
static void deliver(btls_conn *from, btls_conn *to) {
    size_t taken, given, used, unused;
    do {
        EXPECT(btls_conn_wrap(from, NULL, 0, records, sizeof records, &taken, &given) < 100);
        for (used = 0; used < given; used += taken)
            EXPECT(btls_conn_unwrap(to, records + used, given - used, plain, sizeof plain, &taken, &unused) < 100);
    } while (given > 0);
}

static void connect_in_memory(btls_context *context) {
    btls_conn *client;
    EXPECT(btls_conn_new_server(context, NULL, &memory, NULL) == BTLS_OK);
    EXPECT(btls_conn_new_client(context, "localhost", NULL, &client, NULL) == BTLS_OK);
    while (btls_conn_is_handshaking(memory) || btls_conn_is_handshaking(client)) {
        deliver(client, memory);
        deliver(memory, client);
    }
    deliver(memory, client);
    btls_conn_free(client);
}

static void connect_by_sockets(btls_context *context) {
    int sockets[2];
    EXPECT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets) == 0);
    EXPECT(btls_conn_new_server(context, NULL, &stream, NULL) == BTLS_OK);
    EXPECT(btls_conn_new_client(context, "localhost", NULL, &peer, NULL) == BTLS_OK);
    EXPECT(btls_conn_set_fd(stream, sockets[0], sockets[0]) == BTLS_OK);
    EXPECT(btls_conn_set_fd(peer, sockets[1], sockets[1]) == BTLS_OK);
    btls_status one, other;
    do {
        one = btls_conn_handshake(peer);
        other = btls_conn_handshake(stream);
        EXPECT(one < 100 && other < 100);
    } while (one != BTLS_OK || other != BTLS_OK);
}

/* A record of CALLS bytes and one more arrives, and its first byte is read. */
static void fill(void) {
    size_t moved;
    EXPECT(btls_conn_write(peer, plain, CALLS + 1, &moved) == BTLS_OK && moved == CALLS + 1);
    EXPECT(btls_conn_read(stream, records, 1, &moved) == BTLS_OK && moved == 1);
}

static void nothing(void) {}

static void without_object(int calls) {
    for (int call = 0; call < calls; call++)
        sink += (uint64_t)btls_log_line_level(NULL);
}

static void null_object(int calls) {
    for (int call = 0; call < calls; call++)
        sink += btls_conn_id(NULL);
}

static void fact(int calls) {
    for (int call = 0; call < calls; call++)
        sink += btls_conn_id(memory);
}

static void waits(int calls) {
    for (int call = 0; call < calls; call++)
        sink += btls_conn_wants_write(stream);
}

static void number(int calls) {
    size_t pending;
    for (int call = 0; call < calls; call++)
        sink += (uint64_t)btls_conn_pending(memory, &pending) + pending;
}

static void wrap(int calls) {
    size_t consumed, produced;
    for (int call = 0; call < calls; call++)
        sink += (uint64_t)btls_conn_wrap(memory, NULL, 0, records, sizeof records, &consumed, &produced) + produced;
}

static void unwrap(int calls) {
    size_t consumed, produced;
    for (int call = 0; call < calls; call++)
        sink += (uint64_t)btls_conn_unwrap(memory, NULL, 0, plain, sizeof plain, &consumed, &produced) + produced;
}

static void read_byte(int calls) {
    size_t count;
    for (int call = 0; call < calls; call++)
        sink += (uint64_t)btls_conn_read(stream, records, 1, &count) + count;
}

/* A record of the shortest content, with the keys as they are, and with the keys made anew. */
static void seal(int calls) {
    size_t consumed, produced;
    for (int call = 0; call < calls; call++)
        sink += (uint64_t)btls_conn_wrap(memory, plain, 1, records, sizeof records, &consumed, &produced) + produced;
}

static void wake_and_seal(int calls) {
    size_t consumed, produced;
    for (int call = 0; call < calls; call++) {
        sink += (uint64_t)btls_conn_sleep(memory);
        sink += (uint64_t)btls_conn_wrap(memory, plain, 1, records, sizeof records, &consumed, &produced) + produced;
    }
}

static const struct row {
    const char *name;
    void (*prepare)(void);
    void (*run)(int calls);
} rows[] = {
    {"a call without an object: btls_log_line_level", nothing, without_object},
    {"NULL for an object: btls_conn_id", nothing, null_object},
    {"a fact: btls_conn_id", nothing, fact},
    {"a fact: btls_conn_wants_write", nothing, waits},
    {"an output: btls_conn_pending, nothing there", nothing, number},
    {"btls_conn_wrap, nothing to do", nothing, wrap},
    {"btls_conn_unwrap, no record", nothing, unwrap},
    {"btls_conn_read, a byte of what is decrypted", fill, read_byte},
    {"btls_conn_wrap, a record of one byte", nothing, seal},
    {"btls_conn_sleep, and a record of one byte", nothing, wake_and_seal},
};
#define ROWS (sizeof rows / sizeof *rows)

static int ascending(const void *one, const void *other) {
    double difference = *(const double *)one - *(const double *)other;
    return (difference > 0) - (difference < 0);
}

int main(int count, char **arguments) {
    EXPECT(count == 3);
    btls_context *shared = context(arguments[1], arguments[2]);
    connect_in_memory(shared);
    connect_by_sockets(shared);
    static double times[ROWS][ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t row = 0; row < ROWS; row++) {
            rows[row].prepare();
            double start = now();
            rows[row].run(CALLS);
            times[row][round] = (now() - start) / CALLS;
        }
    }
    printf("brokertls %s, processor time of a call, median of %d rounds of %d\n", btls_version(), ROUNDS, CALLS);
    for (size_t row = 0; row < ROWS; row++) {
        qsort(times[row], ROUNDS, sizeof(double), ascending);
        printf("%-48s%8.1f ns\n", rows[row].name, times[row][ROUNDS / 2]);
    }
    btls_conn_free(memory);
    btls_conn_free(stream);
    btls_conn_free(peer);
    btls_context_free(shared);
    return 0;
}

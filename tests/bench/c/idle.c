/* Makes idle connections of a server in memory, and prints what one takes.
 *
 *     idle FOLDER VERSION none|certificates GROUPS COUNT awake|asleep
 *
 * The client of a connection is freed after its handshake and one message each way. The output is one line of names and
 * numbers. */
#define _GNU_SOURCE
#include "client.h"
#include "memory.h"

#include <string.h>
#include <sys/mman.h>

/* Different clients: more than one, so that the certificate of each connection is its own. */
#define CLIENTS 64

/* A connection falls asleep when this number of others have come after it. */
#define IDLE_AFTER 1000

static void report(const char *state, const struct memory *before, size_t count) {
    struct memory after = memory_now();
    printf("%s_allocated %.1f %s_resident %.1f ", state, (double)(after.allocated - before->allocated) / (double)count,
           state, (double)(after.resident - before->resident) / (double)count);
}

int main(int argc, char **argv) {
    REQUIRE(argc == 7);
    bool sleeps = strcmp(argv[6], "asleep") == 0;
    bool asks_clients = strcmp(argv[3], "certificates") == 0;
    size_t count = strtoul(argv[5], NULL, 10), clients = asks_clients ? CLIENTS : 1;
    struct side_settings settings = {argv[1], argv[2], asks_clients, false};
    struct side_context *server = side_context_new(&settings);
    struct client_context *client[CLIENTS];
    for (size_t number = 0; number < clients; number++) {
        struct client_settings one = {argv[1], argv[2], argv[4], asks_clients, (unsigned)number, false};
        client[number] = client_context_new(&one);
    }
    /* The list is no part of a connection: it is mapped and touched before the count begins. */
    struct side_conn **conns = mmap(NULL, count * sizeof *conns, PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    REQUIRE(conns != MAP_FAILED);
    /* The first connections pay for what the thread and the contexts keep once. */
    struct server_time time = {0};
    for (size_t number = 0; number < 2 * clients; number++)
        side_free(client_connects(client[number % clients], server, &time));
    memset(&time, 0, sizeof time);
    struct memory before = memory_now();
    for (size_t number = 0; number < count; number++) {
        conns[number] = client_connects(client[number % clients], server, &time);
        /* As in a broker: the older ones are idle while new ones come. */
        if (sleeps && number >= IDLE_AFTER)
            side_sleep(conns[number - IDLE_AFTER]);
    }
    for (size_t number = count > IDLE_AFTER ? count - IDLE_AFTER : 0; sleeps && number < count; number++)
        side_sleep(conns[number]);
    printf("library %s\ncount %zu ", side_library(), count);
    report("idle", &before, count);
    printf("handshakes %.0f\n", (double)count / ((double)time.cpu_ns / 1e9));
    for (size_t number = 0; number < count; number++)
        side_free(conns[number]);
    munmap(conns, count * sizeof *conns);
    for (size_t number = 0; number < clients; number++)
        client_context_free(client[number]);
    side_context_free(server);
    return 0;
}

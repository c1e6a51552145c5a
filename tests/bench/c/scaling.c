/* Handshakes in memory over one shared context, by one thread and by two in turn.
 *
 *     scaling FOLDER full|resumed ROUNDS HANDSHAKES
 *
 * TLS 1.3, with tickets, client certificates and a revocation list. Each thread has a processor and a client of its
 * own, and only the time inside the calls of the server counts. The output has a line for each round: handshakes a
 * second of one thread and of both, by the clock and by the threads' processor time. */
#define _GNU_SOURCE
#include "client.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

#define THREADS 2

struct worker {
    pthread_t thread;
    pthread_barrier_t *start;
    struct side_context *server;
    struct client_context *client;
    struct server_time time;
    size_t handshakes;
    bool resumes;
    int processor;
};

static void *work(void *argument) {
    struct worker *worker = argument;
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(worker->processor, &cpus);
    REQUIRE(pthread_setaffinity_np(pthread_self(), sizeof cpus, &cpus) == 0);
    /* The first handshakes of a thread fill its caches, and give its client tickets. */
    for (size_t number = 0; number < 16; number++)
        side_free(client_connects(worker->client, worker->server, &worker->time));
    memset(&worker->time, 0, sizeof worker->time);
    pthread_barrier_wait(worker->start);
    for (size_t number = 0; number < worker->handshakes; number++) {
        struct side_conn *conn = client_connects(worker->client, worker->server, &worker->time);
        REQUIRE(side_is_resumed(conn) == worker->resumes);
        side_free(conn);
    }
    return NULL;
}

/* Runs the workers from `first` to before `end`, and gives their handshakes a second. */
static void run(struct worker *workers, int first, int end, double *wall, double *cpu) {
    pthread_barrier_t start;
    REQUIRE(pthread_barrier_init(&start, NULL, (unsigned)(end - first)) == 0);
    for (int number = first; number < end; number++) {
        workers[number].start = &start;
        REQUIRE(pthread_create(&workers[number].thread, NULL, work, &workers[number]) == 0);
    }
    *wall = *cpu = 0;
    for (int number = first; number < end; number++) {
        struct worker *worker = &workers[number];
        REQUIRE(pthread_join(worker->thread, NULL) == 0);
        *wall += (double)worker->handshakes / ((double)worker->time.wall_ns / 1e9);
        *cpu += (double)worker->handshakes / ((double)worker->time.cpu_ns / 1e9);
    }
    pthread_barrier_destroy(&start);
}

int main(int argc, char **argv) {
    REQUIRE(argc == 5);
    bool resumes = strcmp(argv[2], "resumed") == 0;
    struct side_settings settings = {argv[1], "TLSv1.3", true, true};
    struct side_context *server = side_context_new(&settings);
    struct worker workers[THREADS];
    for (int number = 0; number < THREADS; number++) {
        struct client_settings one = {argv[1], "TLSv1.3", "X25519", true, (unsigned)number, resumes};
        workers[number] = (struct worker){.server = server, .client = client_context_new(&one),
                                          .handshakes = strtoul(argv[4], NULL, 10), .resumes = resumes,
                                          .processor = number};
    }
    printf("library %s\n", side_library());
    for (int round = 0, rounds = atoi(argv[3]); round < rounds; round++) {
        double one_wall, one_cpu, both_wall, both_cpu;
        /* The single thread takes turns on the two processors, in case they are not alike. */
        int single = round % THREADS;
        run(workers, single, single + 1, &one_wall, &one_cpu);
        run(workers, 0, THREADS, &both_wall, &both_cpu);
        printf("one_wall %.1f one_cpu %.1f both_wall %.1f both_cpu %.1f\n", one_wall, one_cpu, both_wall, both_cpu);
    }
    for (int number = 0; number < THREADS; number++)
        client_context_free(workers[number].client);
    side_context_free(server);
    return 0;
}

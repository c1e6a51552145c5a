/* Connections that fall asleep by themselves, beside threads and in child processes. */
#include "harness.h"

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

enum { PAIRS = 50, FORKS = 20, PATIENCE_MS = 60000, STEP_MS = 20 };

static btls_context *context_that_asks(const char *name, const char *ca, const char *seconds, const char *versions) {
    btls_builder *builder = builder_with(name, ca);
    CHECK_BUILDER(builder, btls_builder_set(builder, "sleep-after-s", seconds), BTLS_OK);
    CHECK_BUILDER(builder, btls_builder_versions(builder, versions), BTLS_OK);
    return build(builder);
}

static void talk(struct pair *pair) {
    write_all(pair->client, "question", 8);
    read_all(pair->server, "question", 8);
    write_all(pair->server, "answer", 6);
    read_all(pair->client, "answer", 6);
}

static void time_that_is_no_number_of_seconds_up_to_a_day_is_refused(void) {
    static const char *const taken[] = {"0", "1", "86400"}, *const refused[] = {"86401", "-1", "", "1.5", "60s", "yes"};
    btls_builder *builder = btls_builder_new();
    for (size_t index = 0; index < sizeof taken / sizeof taken[0]; index++)
        CHECK_BUILDER(builder, btls_builder_set(builder, "sleep-after-s", taken[index]), BTLS_OK);
    for (size_t index = 0; index < sizeof refused / sizeof refused[0]; index++) {
        CHECK_STATUS(btls_builder_set(builder, "sleep-after-s", refused[index]), BTLS_INVALID_ARGUMENT);
        CHECK_HOLDS(btls_error_message(btls_builder_error(builder)), "sleep-after-s");
    }
    CHECK_STATUS(btls_builder_set(builder, "sleep-after", "60"), BTLS_UNKNOWN_OPTION);
    btls_builder_free(builder);
}

static size_t in_use(void) {
    struct mallinfo2 counts = mallinfo2();
    return counts.uordblks + counts.hblkhd;
}

/* The allocators of valgrind and of sanitizers do not count. */
static int is_counted(void) {
    size_t before = in_use();
    void *volatile piece = malloc(10000);
    int grows = in_use() >= before + 10000;
    free(piece);
    return grows;
}

/* Waits until all connections of both contexts have dropped their keys, 1.4 KiB each. */
static void await_sleep(size_t awake) {
    int waited = 0, patience = is_counted() ? PATIENCE_MS : 2500;
    while (waited < patience && (!is_counted() || in_use() + 2 * PAIRS * 1000 > awake)) {
        usleep(STEP_MS * 1000);
        waited += STEP_MS;
    }
    CHECK(!is_counted() || in_use() + 2 * PAIRS * 1000 <= awake);
}

static void idle_connections_fall_asleep_on_the_thread_of_maintenance_and_wake(const char *versions) {
    btls_context *server = context_that_asks("server", NULL, "1", versions);
    btls_context *client = context_that_asks(NULL, "ca.pem", "1", versions);
    struct pair pairs[PAIRS];
    for (int index = 0; index < PAIRS; index++) {
        pairs[index] = connected(server, client);
        talk(&pairs[index]);
    }
    size_t awake = in_use();
    CHECK_STATUS(btls_context_start_maintenance(server), BTLS_OK);
    CHECK_STATUS(btls_context_start_maintenance(client), BTLS_OK);
    for (int turn = 0; turn < 2; turn++) {
        await_sleep(awake);
        for (int index = 0; index < PAIRS; index++)
            talk(&pairs[index]);
    }
    for (int index = 0; index < PAIRS; index++)
        close_pair(&pairs[index]);
    btls_context_free(server);
    btls_context_free(client);
}

static void idle_connections_of_tls13_fall_asleep_and_wake(void) {
    idle_connections_fall_asleep_on_the_thread_of_maintenance_and_wake("TLSv1.3");
}

static void idle_connections_of_tls12_fall_asleep_and_wake(void) {
    idle_connections_fall_asleep_on_the_thread_of_maintenance_and_wake("TLSv1.2");
}

static void connections_of_a_context_that_does_not_ask_stay_awake(void) {
    btls_context *server = context_with("server", NULL), *client = context_with(NULL, "ca.pem");
    struct pair pair = connected(server, client);
    talk(&pair);
    size_t awake = in_use();
    uint64_t next_ms = 0;
    CHECK_STATUS(btls_context_maintain(server, &next_ms), BTLS_OK);
    CHECK(next_ms == 60000 && in_use() + 1000 > awake);
    close_pair(&pair);
    btls_context_free(server);
    btls_context_free(client);
}

/* The allocator of AddressSanitizer in gcc 12 keeps its locks over a fork. A child then waits in it for a thread that only
 * the parent has. The other three runs of this program have this case. */
#ifndef __SANITIZE_ADDRESS__
struct worker {
    btls_context *server, *client;
    atomic_int *is_over;
    pthread_t thread;
};

static void *maintain_again_and_again(void *argument) {
    struct worker *worker = (struct worker *)argument;
    uint64_t next_ms = 0;
    while (!atomic_load(worker->is_over)) {
        CHECK_STATUS(btls_context_maintain(worker->server, &next_ms), BTLS_OK);
        CHECK(next_ms == 1000);
    }
    return NULL;
}

static void *come_ask_and_go(void *argument) {
    struct worker *worker = (struct worker *)argument;
    while (!atomic_load(worker->is_over)) {
        struct pair pair = connected(worker->server, worker->client);
        talk(&pair);
        CHECK_TEXT(btls_conn_version(pair.server), "TLSv1.3");
        CHECK(btls_conn_cipher_suite(pair.client) != NULL && btls_conn_group(pair.client) != NULL);
        close_pair(&pair);
    }
    return NULL;
}

/* The work of a child that was made while other threads of its parent were in the library. It ends as another
 * program: a checker of leaks would report the memory of threads that it does not have. */
static void work_in_child(struct pair *pair, const struct worker *worker) {
    uint64_t next_ms = 0;
    alarm(60);
    talk(pair);
    CHECK_TEXT(btls_conn_version(pair->server), "TLSv1.3");
    CHECK_STATUS(btls_context_maintain(worker->server, &next_ms), BTLS_OK);
    struct pair another = connected(worker->server, worker->client);
    talk(&another);
    close_pair(&another);
    close_pair(pair);
    execl("/bin/sh", "sh", "-c", "exit 7", (char *)NULL);
    abort();
}

static void child_of_a_process_with_maintenance_in_progress_waits_for_no_thread_that_it_lacks(void) {
    atomic_int is_over = 0;
    btls_context *server = context_that_asks("server", NULL, "1", "TLSv1.3"), *client = context_with(NULL, "ca.pem");
    struct worker workers[3];
    struct pair idle[PAIRS];
    for (int index = 0; index < PAIRS; index++)
        idle[index] = connected(server, client);
    for (int index = 0; index < 3; index++) {
        /* The threads that come and go have contexts of their own: they hold locks at a fork that are not tested here. */
        workers[index].server = index < 2 ? server : context_with("server", NULL);
        workers[index].client = index < 2 ? client : context_with(NULL, "ca.pem");
        workers[index].is_over = &is_over;
        void *(*work)(void *) = index < 2 ? maintain_again_and_again : come_ask_and_go;
        CHECK(pthread_create(&workers[index].thread, NULL, work, &workers[index]) == 0);
    }
    for (int turn = 0; turn < FORKS; turn++) {
        struct pair pair = connected(server, client);
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0)
            work_in_child(&pair, &workers[0]);
        int status = 0;
        CHECK(waitpid(child, &status, 0) == child);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
        close_pair(&pair);
    }
    atomic_store(&is_over, 1);
    for (int index = 0; index < 3; index++)
        CHECK(pthread_join(workers[index].thread, NULL) == 0);
    for (int index = 0; index < PAIRS; index++) {
        talk(&idle[index]);
        close_pair(&idle[index]);
    }
    btls_context_free(workers[2].server);
    btls_context_free(workers[2].client);
    btls_context_free(server);
    btls_context_free(client);
}
#endif

int main(void) {
    RUN(time_that_is_no_number_of_seconds_up_to_a_day_is_refused);
    RUN(idle_connections_of_tls13_fall_asleep_and_wake);
    RUN(idle_connections_of_tls12_fall_asleep_and_wake);
    RUN(connections_of_a_context_that_does_not_ask_stay_awake);
#ifndef __SANITIZE_ADDRESS__
    RUN(child_of_a_process_with_maintenance_in_progress_waits_for_no_thread_that_it_lacks);
#endif
    return 0;
}

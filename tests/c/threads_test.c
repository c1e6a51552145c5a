/* One context on several threads at a time, and in a child process. */
#include "harness.h"

#include <pthread.h>
#include <sys/wait.h>

enum { ROUNDS = 20 };

struct worker {
    btls_context *server, *client;
    pthread_t thread;
};

/* Both sides of connections of its own, one after the other. */
static void *connect_and_talk(void *argument) {
    struct worker *worker = (struct worker *)argument;
    for (int round = 0; round < ROUNDS; round++) {
        struct pair pair = connected(worker->server, worker->client);
        write_all(pair.client, "question", 8);
        read_all(pair.server, "question", 8);
        write_all(pair.server, "answer", 6);
        read_all(pair.client, "answer", 6);
        CHECK_TEXT(btls_certificate_common_name(btls_conn_peer_certificate(pair.server)), "device-7");
        close_pair(&pair);
    }
    return NULL;
}

static void *reload_and_ask(void *argument) {
    struct worker *worker = (struct worker *)argument;
    for (int round = 0; round < ROUNDS; round++) {
        btls_list *list = NULL;
        CHECK_STATUS(btls_context_reload(worker->server), BTLS_OK);
        CHECK_STATUS(btls_context_cipher_suites(worker->server, &list), BTLS_OK);
        CHECK(btls_list_count(list) > 0);
        btls_list_free(list);
        btls_error_free(btls_context_error(worker->server));
    }
    return NULL;
}

static void two_threads_use_two_connections_of_one_context_while_a_third_reloads_it(void) {
    btls_context *server = server_asking(BTLS_CLIENT_AUTH_NEED), *client = context_with("client", "ca.pem");
    struct worker workers[3];
    for (int index = 0; index < 3; index++) {
        workers[index].server = server;
        workers[index].client = client;
        void *(*work)(void *) = index < 2 ? connect_and_talk : reload_and_ask;
        CHECK(pthread_create(&workers[index].thread, NULL, work, &workers[index]) == 0);
    }
    for (int index = 0; index < 3; index++)
        CHECK(pthread_join(workers[index].thread, NULL) == 0);
    btls_context_free(server);
    btls_context_free(client);
}

static void *finish_and_free(void *argument) {
    struct pair *pair = (struct pair *)argument;
    read_all(pair->server, "from here to there", 18);
    close_pair(pair);
    return NULL;
}

static void connection_may_move_to_another_thread(void) {
    btls_context *server = context_with("server", NULL), *client = context_with(NULL, "ca.pem");
    struct pair pair = connected(server, client);
    write_all(pair.client, "from here to there", 18);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, finish_and_free, &pair) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    btls_context_free(server);
    btls_context_free(client);
}

static void context_made_before_a_fork_works_after_it_in_both_processes(void) {
    btls_context *server = server_asking(BTLS_CLIENT_AUTH_NEED), *client = context_with("client", "ca.pem");
    struct worker worker;
    worker.server = server;
    worker.client = client;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        connect_and_talk(&worker);
        reload_and_ask(&worker);
        btls_context_free(server);
        btls_context_free(client);
        exit(0);
    }
    connect_and_talk(&worker);
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    btls_context_free(server);
    btls_context_free(client);
}

int main(void) {
    RUN(two_threads_use_two_connections_of_one_context_while_a_third_reloads_it);
    RUN(connection_may_move_to_another_thread);
    RUN(context_made_before_a_fork_works_after_it_in_both_processes);
    return 0;
}

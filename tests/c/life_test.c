/* The end of contexts, calls on objects in use, errors of several threads, and loading and unloading of the library. */
#include "harness.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

/* A log with a callback that calls back, and the objects it uses. */
static btls_context *used_by_log;
static atomic_int lines, is_over, lines_after_the_end, frees_itself, has_freed;
static atomic_int may_begin;

static void log_line(void *user, const btls_log_line *line) {
    (void)user;
    if (atomic_load(&is_over))
        atomic_fetch_add(&lines_after_the_end, 1);
    if (strncmp(btls_log_line_text(line), "staple", 6) != 0 || atomic_fetch_add(&lines, 1) != 0)
        return;
    while (!atomic_load(&may_begin))
        sched_yield();
    btls_context *context = used_by_log;
    uint64_t next_ms = 0;
    btls_list *list = NULL;
    btls_conn *conn = NULL;
    CHECK_STATUS(btls_context_maintain(context, &next_ms), BTLS_OK);
    CHECK_STATUS(btls_context_reload(context), BTLS_OK);
    CHECK_STATUS(btls_context_warnings(context, &list), BTLS_OK);
    btls_list_free(list);
    CHECK_STATUS(btls_context_start_maintenance(context), BTLS_OK);
    CHECK_STATUS(btls_conn_new_server(context, NULL, &conn, NULL), BTLS_OK);
    btls_conn_free(conn);
    btls_error_free(btls_context_error(context));
    btls_context_free(btls_context_ref(context));
    if (atomic_load(&frees_itself)) {
        btls_context_free(context);
        atomic_store(&has_freed, 1);
    }
}

/* A server with two identities, and no responder that gives staples: each fails at once and is logged. */
static btls_context *failing_server(void) {
    btls_builder *builder = builder_with("server", "ca.pem");
    CHECK_BUILDER(builder, btls_builder_identity_file(builder, fixture("client.pem"), fixture("client.key"), NULL, NULL, NULL),
                  BTLS_OK);
    CHECK_BUILDER(builder, btls_builder_set(builder, "staple", "on"), BTLS_OK);
    CHECK_BUILDER(builder, btls_builder_set(builder, "staple-responder", "http://127.0.0.1:1/"), BTLS_OK);
    CHECK_BUILDER(builder, btls_builder_log_callback(builder, log_line, NULL), BTLS_OK);
    atomic_store(&lines, 0);
    atomic_store(&is_over, 0);
    atomic_store(&may_begin, 0);
    used_by_log = build(builder);
    return used_by_log;
}

static void log_callback_may_use_its_context_while_it_is_maintained(void) {
    btls_context *context = failing_server();
    uint64_t next_ms = 0;
    atomic_store(&may_begin, 1);
    CHECK_STATUS(btls_context_maintain(context, &next_ms), BTLS_OK);
    CHECK(atomic_load(&lines) >= 2);
    btls_context_free(context);
}

static void no_callback_runs_after_the_last_reference_is_given_back(void) {
    for (int round = 0; round < 20; round++) {
        btls_context *context = failing_server();
        CHECK_STATUS(btls_context_start_maintenance(context), BTLS_OK);
        if (round % 2 == 0)
            while (atomic_load(&lines) == 0)
                sched_yield();
        atomic_store(&may_begin, 1);
        btls_context_free(context);
        atomic_store(&is_over, 1);
        for (int turn = 0; turn < 1000; turn++)
            sched_yield();
        CHECK(atomic_load(&lines_after_the_end) == 0);
    }
}

static void callback_of_maintenance_may_give_back_the_last_reference(void) {
    atomic_store(&frees_itself, 1);
    btls_context *context = failing_server();
    CHECK_STATUS(btls_context_start_maintenance(context), BTLS_OK);
    atomic_store(&may_begin, 1);
    while (!atomic_load(&has_freed))
        sched_yield();
    atomic_store(&frees_itself, 0);
}

static void child_frees_a_context_whose_thread_its_parent_has(void) {
    btls_context *context = failing_server();
    atomic_store(&may_begin, 1);
    CHECK_STATUS(btls_context_start_maintenance(context), BTLS_OK);
    while (atomic_load(&lines) < 2)
        sched_yield();
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        btls_context_free(context);
        /* Not by _exit: valgrind would then call lost what the threads of the parent hold. */
        raise(SIGKILL);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    btls_context_free(context);
}

/* A connection in the middle of a read, on a thread of its own. */
static atomic_int is_reading, may_read;

static ptrdiff_t wait_and_end(void *user, void *buffer, size_t length) {
    (void)user;
    (void)buffer;
    (void)length;
    atomic_store(&is_reading, 1);
    while (!atomic_load(&may_read))
        sched_yield();
    return 0;
}

static ptrdiff_t take_all(void *user, const void *buffer, size_t length) {
    (void)user;
    (void)buffer;
    return (ptrdiff_t)length;
}

static void *read_and_wait(void *conn) {
    CHECK_STATUS(read_status((btls_conn *)conn), BTLS_HANDSHAKE_EOF);
    return NULL;
}

static void facts_of_a_connection_in_use_are_told_from_those_that_are_not_there(void) {
    btls_context *context = context_with(NULL, "ca.pem");
    btls_conn *conn = NULL;
    pthread_t thread;
    size_t count = 0;
    char byte;
    CHECK_STATUS(btls_conn_new_client(context, "localhost", NULL, &conn, NULL), BTLS_OK);
    CHECK_STATUS(btls_conn_set_callbacks(conn, wait_and_end, take_all, NULL), BTLS_OK);
    CHECK(btls_conn_peer_certificate(conn) == NULL && btls_conn_error(conn) == NULL);
    CHECK(pthread_create(&thread, NULL, read_and_wait, conn) == 0);
    while (!atomic_load(&is_reading))
        sched_yield();
    CHECK(btls_conn_peer_certificate(conn) == NULL);
    CHECK_STATUS(btls_error_code(btls_conn_error(conn)), BTLS_BUSY);
    CHECK_STATUS(btls_conn_read(conn, &byte, 1, &count), BTLS_BUSY);
    CHECK_STATUS(btls_conn_pending(conn, &count), BTLS_BUSY);
    CHECK_TEXT(btls_error_name(btls_conn_error(conn)), "BTLS_BUSY");
    CHECK(btls_conn_version(conn) == NULL && !btls_conn_is_handshaking(conn));
    atomic_store(&may_read, 1);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK_STATUS(btls_error_code(btls_conn_error(conn)), BTLS_BUSY);
    CHECK(btls_conn_is_handshaking(conn));
    CHECK_STATUS(btls_error_code(btls_conn_error(conn)), BTLS_HANDSHAKE_EOF);
    btls_conn_free(conn);
    btls_context_free(context);
}

static void *fail_in_one_way(void *argument) {
    btls_context *context = (btls_context *)argument;
    btls_conn *conn = NULL;
    for (int round = 0; round < 2000; round++) {
        btls_error *error = NULL;
        CHECK_STATUS(btls_conn_new_client(context, "not a name", NULL, &conn, &error), BTLS_INVALID_SERVER_NAME);
        CHECK_STATUS(btls_error_code(error), BTLS_INVALID_SERVER_NAME);
        btls_error_free(error);
    }
    return NULL;
}

static void *fail_in_another_way(void *argument) {
    btls_context *context = (btls_context *)argument;
    for (int round = 0; round < 2000; round++) {
        CHECK_STATUS(btls_context_cipher_suites(context, NULL), BTLS_NULL_POINTER);
        btls_error *error = btls_context_error(context);
        CHECK_STATUS(btls_error_code(error), BTLS_NULL_POINTER);
        btls_error_free(error);
    }
    return NULL;
}

static void error_of_a_call_is_that_of_the_calling_thread(void) {
    btls_context *context = context_with(NULL, "ca.pem");
    pthread_t one, other;
    CHECK(pthread_create(&one, NULL, fail_in_one_way, context) == 0);
    CHECK(pthread_create(&other, NULL, fail_in_another_way, context) == 0);
    CHECK(pthread_join(one, NULL) == 0 && pthread_join(other, NULL) == 0);
    CHECK(btls_context_error(context) == NULL);
    btls_context_free(context);
}

int main(void) {
    RUN(log_callback_may_use_its_context_while_it_is_maintained);
    RUN(no_callback_runs_after_the_last_reference_is_given_back);
    RUN(callback_of_maintenance_may_give_back_the_last_reference);
    RUN(child_frees_a_context_whose_thread_its_parent_has);
    RUN(facts_of_a_connection_in_use_are_told_from_those_that_are_not_there);
    RUN(error_of_a_call_is_that_of_the_calling_thread);
    return 0;
}

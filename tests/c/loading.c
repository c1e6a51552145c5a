/* Loads and unloads the shared library $1 two thousand times, as a plug-in host does. Each time a thread uses it, and
 * every other time that thread ends only after the library was given back. Is linked without the library. */
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <brokertls.h>

enum { CYCLES = 2000 };

static void check(int holds, const char *what) {
    if (!holds) {
        const char *why = dlerror();
        fprintf(stderr, "not so: %s %s\n", what, why != NULL ? why : "");
        exit(1);
    }
}

/* The functions of the library that is loaded now. */
#define FUNCTION(name) __typeof__(&name) name##_ = (__typeof__(&name))(uintptr_t)dlsym(library, #name); check(name##_ != NULL, #name)

static ptrdiff_t end(void *user, void *buffer, size_t length) {
    (void)user;
    (void)buffer;
    (void)length;
    return 0;
}

static ptrdiff_t take(void *user, const void *buffer, size_t length) {
    (void)user;
    (void)buffer;
    return (ptrdiff_t)length;
}

static const char *trust;
static sem_t used, unloaded;
static int ends_late;

static void *use(void *library) {
    FUNCTION(btls_builder_new);
    FUNCTION(btls_builder_free);
    FUNCTION(btls_builder_trust_file);
    FUNCTION(btls_builder_build);
    FUNCTION(btls_context_free);
    FUNCTION(btls_conn_new_client);
    FUNCTION(btls_conn_set_callbacks);
    FUNCTION(btls_conn_handshake);
    FUNCTION(btls_conn_free);
    btls_builder *builder = btls_builder_new_();
    btls_context *context = NULL;
    btls_conn *conn = NULL;
    check(btls_builder_trust_file_(builder, trust, NULL) == BTLS_OK, "trust");
    check(btls_builder_build_(builder, &context) == BTLS_OK, "build");
    check(btls_conn_new_client_(context, "localhost", NULL, &conn, NULL) == BTLS_OK, "client");
    check(btls_conn_set_callbacks_(conn, end, take, NULL) == BTLS_OK, "callbacks");
    check(btls_conn_handshake_(conn) == BTLS_HANDSHAKE_EOF, "handshake");
    btls_conn_free_(conn);
    btls_context_free_(context);
    btls_builder_free_(builder);
    sem_post(&used);
    if (ends_late)
        sem_wait(&unloaded);
    return NULL;
}

/* The library has registered handlers of fork(2). They work although the program has given the library back. */
static void fork_after_the_library(void) {
    int status = 0;
    pid_t child = fork();
    if (child == 0)
        _exit(7);
    check(child > 0 && waitpid(child, &status, 0) == child, "fork");
    check(WIFEXITED(status) && WEXITSTATUS(status) == 7, "the child's end");
}

int main(int count, char **arguments) {
    check(count == 3 && sem_init(&used, 0, 0) == 0 && sem_init(&unloaded, 0, 0) == 0, "loading LIBRARY CA");
    trust = arguments[2];
    for (int cycle = 0; cycle < CYCLES; cycle++) {
        pthread_t thread;
        void *library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
        check(library != NULL, "dlopen");
        ends_late = cycle % 2;
        check(pthread_create(&thread, NULL, use, library) == 0, "pthread_create");
        sem_wait(&used);
        if (ends_late) {
            check(dlclose(library) == 0, "dlclose");
            sem_post(&unloaded);
            check(pthread_join(thread, NULL) == 0, "pthread_join");
        } else {
            check(pthread_join(thread, NULL) == 0, "pthread_join");
            check(dlclose(library) == 0, "dlclose");
        }
        if (cycle % 100 < 2)
            fork_after_the_library();
    }
    pthread_key_t key;
    check(pthread_key_create(&key, NULL) == 0, "keys are left");
    return 0;
}

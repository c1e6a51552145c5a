/* The stack that calls need. Each kind of work runs on a thread with a painted stack, and on one of the given size.
 *
 * Each runs in a process of its own, so that the work of the first use counts. The figures stand on
 * the manual's page on threads. Not for valgrind or sanitizers: their own frames would be measured. */
#include "harness.h"

#include <netinet/in.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>

/* The stack of the manual's page on threads, and the smaller one for peers with short chains. */
enum { DOCUMENTED_KIB = 64, SHORT_CHAIN_KIB = 48, PAINTED_KIB = 1024, PAINT = 0xa5, PATIENCE_S = 60 };

struct scene {
    const char *versions, *groups, *server, *client, *lists, *responses;
    btls_status expected;
    size_t kib;
};

static const struct scene *scene;
static btls_context *server, *client;

static void apply(btls_builder *builder) {
    if (scene->versions != NULL)
        CHECK_BUILDER(builder, btls_builder_versions(builder, scene->versions), BTLS_OK);
    if (scene->groups != NULL)
        CHECK_BUILDER(builder, btls_builder_groups(builder, scene->groups), BTLS_OK);
    if (scene->lists != NULL)
        CHECK_BUILDER(builder, btls_builder_crl_file(builder, fixture(scene->lists)), BTLS_OK);
    if (scene->responses != NULL)
        CHECK_BUILDER(builder, btls_builder_ocsp_file(builder, fixture(scene->responses)), BTLS_OK);
}

static void build_contexts(void) {
    btls_builder *builder = builder_with(scene->server, "trust-all.pem");
    CHECK_BUILDER(builder, btls_builder_client_auth(builder, BTLS_CLIENT_AUTH_NEED), BTLS_OK);
    apply(builder);
    server = build(builder);
    builder = builder_with(scene->client, "trust-all.pem");
    if (scene->versions != NULL)
        CHECK_BUILDER(builder, btls_builder_versions(builder, scene->versions), BTLS_OK);
    client = build(builder);
}

static void free_contexts(void) {
    btls_context_free(server);
    btls_context_free(client);
}

/* Asks for everything that is known of a peer. */
static void look_at(const btls_conn *conn) {
    const btls_certificate *peer = btls_conn_peer_certificate(conn);
    CHECK(peer != NULL && btls_certificate_subject(peer) != NULL && btls_certificate_issuer(peer) != NULL);
    CHECK(btls_certificate_serial(peer) != NULL && btls_certificate_key(peer) != NULL);
    for (size_t index = 0; index < btls_certificate_san_count(peer); index++)
        CHECK(btls_certificate_san(peer, index) != NULL);
    for (size_t index = 0; index < btls_certificate_attribute_count(peer); index++)
        CHECK(btls_certificate_attribute_text(peer, index) != NULL);
    CHECK(btls_conn_version(conn) != NULL && btls_conn_cipher_suite(conn) != NULL);
}

static void talk(const struct pair *pair) {
    static char data[100000];
    size_t pending;
    write_all(pair->client, data, sizeof data);
    read_all(pair->server, data, sizeof data);
    write_all(pair->server, data, sizeof data);
    read_all(pair->client, data, sizeof data);
    CHECK_CONN(pair->client, btls_conn_flush(pair->client), BTLS_OK);
    CHECK_CONN(pair->client, btls_conn_pending(pair->client, &pending), BTLS_OK);
    look_at(pair->server);
    look_at(pair->client);
    CHECK(waits(btls_conn_shutdown(pair->client)));
    CHECK(read_status(pair->server) == BTLS_CLOSED);
    CHECK_CONN(pair->server, btls_conn_shutdown(pair->server), BTLS_OK);
    CHECK_CONN(pair->client, btls_conn_shutdown(pair->client), BTLS_OK);
}

/* Twice, so that the second resumes. */
static void connect_and_talk(void) {
    for (int round = 0; round < 2; round++) {
        btls_status client_status, server_status;
        struct pair pair = pair_of(server, client);
        shake(&pair, &client_status, &server_status);
        check_status(server_status, scene->expected, btls_conn_error(pair.server), __FILE__, __LINE__, "the server");
        if (server_status == BTLS_OK) {
            CHECK(btls_conn_is_resumed(pair.client) == (round > 0));
            talk(&pair);
        } else {
            CHECK(btls_error_message(btls_conn_error(pair.server)) != NULL);
            read_status(pair.client);
            CHECK(btls_error_hint(btls_conn_error(pair.client)) != NULL);
        }
        close_pair(&pair);
    }
}

/* Answers each request on a descriptor with what the CA says of the client. */
static void *respond(void *argument) {
    int listener = *(int *)argument;
    size_t length;
    char *response = content_of(fixture("client.ocsp"), &length), request[4096], head[128];
    for (int fd; (fd = accept(listener, NULL, NULL)) >= 0; close(fd)) {
        size_t filled = 0;
        while (memmem(request, filled, "\r\n\r\n", 4) == NULL) {
            ssize_t count = read(fd, request + filled, sizeof request - filled);
            CHECK(count > 0);
            filled += (size_t)count;
        }
        int size = snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
                            length);
        CHECK(write(fd, head, (size_t)size) == size && write(fd, response, length) == (ssize_t)length);
    }
    return NULL;
}

/* A server that asks a responder on loopback about its clients; the process ends with both. */
static void build_with_responder(void) {
    static int listener;
    struct sockaddr_in address = {0};
    socklen_t size = sizeof address;
    pthread_t thread;
    char url[64];
    listener = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(bind(listener, (struct sockaddr *)&address, size) == 0 && listen(listener, 8) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&address, &size) == 0);
    CHECK(pthread_create(&thread, NULL, respond, &listener) == 0);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", ntohs(address.sin_port));
    btls_builder *builder = builder_with(scene->server, "ca.pem");
    CHECK_BUILDER(builder, btls_builder_client_auth(builder, BTLS_CLIENT_AUTH_NEED), BTLS_OK);
    CHECK_BUILDER(builder, btls_builder_set(builder, "fetch", "yes"), BTLS_OK);
    CHECK_BUILDER(builder, btls_builder_set(builder, "ocsp-responder", url), BTLS_OK);
    CHECK_BUILDER(builder, btls_builder_set(builder, "ocsp-mode", "require"), BTLS_OK);
    CHECK_BUILDER(builder, btls_builder_set(builder, "crl-mode", "off"), BTLS_OK);
    server = build(builder);
    client = context_with(scene->client, "ca.pem");
}

static void reload_and_maintain(void) {
    uint64_t next_ms;
    CHECK_STATUS(btls_context_reload(server), BTLS_OK);
    CHECK_STATUS(btls_context_maintain(server, &next_ms), BTLS_OK);
    btls_list *list = NULL;
    CHECK_STATUS(btls_context_warnings(server, &list), BTLS_OK);
    btls_list_free(list);
}

static void build_and_free(void) {
    build_contexts();
    free_contexts();
}

static void build_from_stores(void) {
    btls_builder *builder = btls_builder_new();
    const char *const identities[][4] = {{"server.p12", NULL, "password", NULL},
                                         {"server.jks", NULL, "password", "keypassword"},
                                         {"server.pem", "server-locked.key", "secret", NULL}};
    for (int index = 0; index < 3; index++) {
        const char *const *of = identities[index], *key = of[1] != NULL ? fixture(of[1]) : NULL;
        CHECK_BUILDER(builder, btls_builder_identity_file(builder, fixture(of[0]), key, NULL, of[2], of[3]), BTLS_OK);
    }
    CHECK_BUILDER(builder, btls_builder_trust_file(builder, fixture("trust.jks"), "password"), BTLS_OK);
    CHECK_BUILDER(builder, btls_builder_trust_directory(builder, fixture("trust")), BTLS_OK);
    CHECK_BUILDER(builder, btls_builder_crl_directory(builder, fixture("crls")), BTLS_OK);
    btls_context_free(build(builder));
}

static void *on_thread(void *work) {
    (*(void (**)(void))work)();
    return NULL;
}

/* Runs work on a thread with this stack, NULL for one of the C library, and waits for its end. */
static void run_on(void *stack, size_t size, void (*work)(void)) {
    pthread_attr_t attributes;
    pthread_t thread;
    CHECK(pthread_attr_init(&attributes) == 0);
    if (stack != NULL)
        CHECK(pthread_attr_setstack(&attributes, stack, size) == 0);
    else
        CHECK(pthread_attr_setstacksize(&attributes, size) == 0);
    CHECK(pthread_create(&thread, &attributes, on_thread, &work) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    pthread_attr_destroy(&attributes);
}

/* The bytes of a thread's stack that work touches, with what the C library has at its top. */
static size_t touched_by(void (*work)(void)) {
    size_t size = (size_t)PAINTED_KIB << 10, free_bytes = 0;
    void *region = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(region != MAP_FAILED);
    unsigned char *stack = (unsigned char *)region;
    memset(stack, PAINT, size);
    run_on(stack, size, work);
    while (free_bytes < size && stack[free_bytes] == PAINT)
        free_bytes++;
    munmap(stack, size);
    return size - free_bytes;
}

/* Runs one kind of work in two processes: on a painted stack, which gives the figure, and on one of the size. */
static void measure(const char *name, const struct scene *of, void (*prepare)(void), void (*work)(void), size_t kib) {
    size_t *touched = (size_t *)mmap(NULL, sizeof *touched, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(touched != MAP_FAILED);
    for (int is_painted = 1; is_painted >= 0; is_painted--) {
        fflush(stdout);
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            alarm(PATIENCE_S);
            scene = of;
            if (prepare != NULL)
                prepare();
            if (is_painted)
                *touched = touched_by(work);
            else
                run_on(NULL, kib << 10, work);
            exit(0);
        }
        int status = 0;
        CHECK(waitpid(child, &status, 0) == child);
        if (is_painted)
            printf("%-60s %4zu bytes, %2zu KiB of %zu\n", name, *touched, (*touched + 1023) >> 10, kib);
        fflush(stdout);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    CHECK(*touched <= kib << 10);
    munmap(touched, sizeof *touched);
}

static const struct {
    const char *name;
    struct scene scene;
} scenes[] = {
    {"EC, TLS 1.3",
     {"TLSv1.3", "X25519", "server", "client", NULL, NULL, BTLS_OK, SHORT_CHAIN_KIB}},
    {"EC, TLS 1.2",
     {"TLSv1.2", "secp256r1", "server", "client", NULL, NULL, BTLS_OK, SHORT_CHAIN_KIB}},
    {"EC, P-384, TLS 1.3",
     {"TLSv1.3", "secp384r1", "server", "client", NULL, NULL, BTLS_OK, SHORT_CHAIN_KIB}},
    {"ML-KEM",
     {"TLSv1.3", "X25519MLKEM768", "server", "client", NULL, NULL, BTLS_OK, SHORT_CHAIN_KIB}},
    {"RSA 4096, six intermediates, TLS 1.3",
     {"TLSv1.3", NULL, "deep-rsa", "deep-rsa", NULL, NULL, BTLS_OK, DOCUMENTED_KIB}},
    {"RSA 4096, six intermediates, TLS 1.2",
     {"TLSv1.2", NULL, "deep-rsa", "deep-rsa", NULL, NULL, BTLS_OK, DOCUMENTED_KIB}},
    {"P-521, six intermediates, TLS 1.3",
     {"TLSv1.3", NULL, "deep-p521", "deep-p521", NULL, NULL, BTLS_OK, DOCUMENTED_KIB}},
    {"Ed25519, six intermediates, TLS 1.3",
     {"TLSv1.3", NULL, "deep-ed25519", "deep-ed25519", NULL, NULL, BTLS_OK, DOCUMENTED_KIB}},
    {"P-521, seven intermediates, TLS 1.3",
     {"TLSv1.3", NULL, "server", "too-deep", NULL, NULL, BTLS_CERT_TOO_COMPLEX, DOCUMENTED_KIB}},
    {"list and responses, TLS 1.3",
     {"TLSv1.3", NULL, "server", "client", "ca.crl", "client.ocsp", BTLS_OK, SHORT_CHAIN_KIB}},
    {"list and responses, TLS 1.2",
     {"TLSv1.2", NULL, "server", "client", "ca.crl", "client.ocsp", BTLS_OK, SHORT_CHAIN_KIB}},
    {"revoked by list, TLS 1.3",
     {"TLSv1.3", NULL, "server", "revoked", "ca.crl", NULL, BTLS_CERT_REVOKED, SHORT_CHAIN_KIB}},
    {"revoked by response, TLS 1.2",
     {"TLSv1.2", NULL, "server", "revoked", NULL, "revoked.ocsp", BTLS_CERT_REVOKED, SHORT_CHAIN_KIB}},
    {"unknown issuer, TLS 1.3",
     {"TLSv1.3", NULL, "server", "stranger", NULL, NULL, BTLS_CERT_UNKNOWN_ISSUER, SHORT_CHAIN_KIB}},
};
enum { SCENES = sizeof scenes / sizeof *scenes };

static void connections_need_no_more_stack_than_documented(void) {
    for (int index = 0; index < SCENES; index++)
        measure(scenes[index].name, &scenes[index].scene, build_contexts, connect_and_talk, scenes[index].scene.kib);
    measure("a responder that is asked", &scenes[0].scene, build_with_responder, connect_and_talk, DOCUMENTED_KIB);
}

static void builds_and_reloads_need_no_more_stack_than_documented(void) {
    for (int index = 0; index < SCENES; index++) {
        measure(scenes[index].name, &scenes[index].scene, NULL, build_and_free, SHORT_CHAIN_KIB);
        measure("  reload", &scenes[index].scene, build_contexts, reload_and_maintain, SHORT_CHAIN_KIB);
    }
    measure("stores", &scenes[0].scene, NULL, build_from_stores, SHORT_CHAIN_KIB);
}

int main(void) {
    RUN(connections_need_no_more_stack_than_documented);
    RUN(builds_and_reloads_need_no_more_stack_than_documented);
    return 0;
}

/* Peers that are checked for revocation: lists and responses from files, memory and a responder, and the sight of them. */
#include "harness.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/wait.h>
#include <time.h>

/* A server that needs certificates of its clients. */
static btls_builder *asking_builder(void) {
    btls_builder *builder = builder_with("server", "ca.pem");
    CHECK_BUILDER(builder, btls_builder_client_auth(builder, BTLS_CLIENT_AUTH_NEED), BTLS_OK);
    return builder;
}

/* What a server makes of the client NAME; the connection stays for a look at its error. `tasks` counts what it had run. */
static struct pair judged(const btls_context *server, const char *name, btls_status *verdict, int *tasks) {
    btls_context *client = context_with(name, "ca.pem");
    struct pair pair = pair_of(server, client);
    btls_context_free(client);
    btls_status status = BTLS_WANT_READ;
    *verdict = BTLS_WANT_READ;
    *tasks = 0;
    for (int turns = 0; waits(*verdict); turns++) {
        CHECK(turns < 1000);
        if (waits(status))
            status = step(pair.client);
        *verdict = btls_conn_handshake(pair.server);
        for (; *verdict == BTLS_WANT_TASK; ++*tasks) {
            CHECK_CONN(pair.server, btls_conn_task_run(pair.server), BTLS_OK);
            *verdict = btls_conn_handshake(pair.server);
        }
    }
    return pair;
}

static btls_status verdict_of(const btls_context *server, const char *name) {
    btls_status verdict;
    int tasks;
    struct pair pair = judged(server, name, &verdict, &tasks);
    /* Nothing is asked of others here, so that nothing may block. */
    CHECK(tasks == 0);
    close_pair(&pair);
    return verdict;
}

static void revoked_client_is_refused_by_the_list_in_a_file(void) {
    btls_builder *builder = asking_builder();
    CHECK_BUILDER(builder, btls_builder_crl_file(builder, fixture("ca.crl")), BTLS_OK);
    btls_context *server = build(builder);
    btls_status verdict;
    int tasks;
    struct pair pair = judged(server, "revoked", &verdict, &tasks);
    CHECK_STATUS(verdict, BTLS_CERT_REVOKED);
    const btls_error *error = btls_conn_error(pair.server);
    CHECK(btls_error_category(error) == BTLS_CATEGORY_REVOCATION);
    CHECK_HOLDS(btls_error_message(error), "CN=device-8");
    CHECK_HOLDS(btls_error_message(error), "ca.crl");
    CHECK_STATUS(read_status(pair.client), BTLS_ALERT_CERTIFICATE_REVOKED);
    CHECK(tasks == 0);
    close_pair(&pair);
    CHECK_STATUS(verdict_of(server, "client"), BTLS_OK);
    btls_context_free(server);
}

static void revoked_server_is_refused_by_its_clients(void) {
    btls_builder *builder = builder_with(NULL, "ca.pem");
    CHECK_BUILDER(builder, btls_builder_crl_directory(builder, fixture("crls")), BTLS_OK);
    btls_context *client = build(builder), *revoked = context_with("revoked", NULL), *good = context_with("server", NULL);
    struct pair pair = pair_of(revoked, client);
    btls_status client_status, server_status;
    shake(&pair, &client_status, &server_status);
    CHECK_STATUS(client_status, BTLS_CERT_REVOKED);
    CHECK_STATUS(server_status, BTLS_ALERT_CERTIFICATE_REVOKED);
    close_pair(&pair);
    pair = connected(good, client);
    close_pair(&pair);
    btls_context_free(client);
    btls_context_free(revoked);
    btls_context_free(good);
}

static void list_in_memory_serves_as_one_in_a_file(void) {
    size_t length;
    char *list = content_of(fixture("ca.crl"), &length);
    btls_builder *builder = asking_builder();
    CHECK_BUILDER(builder, btls_builder_crl_memory(builder, "config: crl", list, length), BTLS_OK);
    /* The bytes were copied. */
    memset(list, 0, length);
    free(list);
    btls_context *server = build(builder);
    CHECK_STATUS(verdict_of(server, "revoked"), BTLS_CERT_REVOKED);
    CHECK_STATUS(verdict_of(server, "client"), BTLS_OK);
    btls_context_free(server);
}

static void list_that_is_none_is_refused_by_its_name(void) {
    btls_builder *builder = asking_builder();
    CHECK_STATUS(btls_builder_crl_memory(builder, "config: crl", "rubbish", 7), BTLS_CRL_MALFORMED);
    CHECK_HOLDS(btls_error_message(btls_builder_error(builder)), "config: crl");
    btls_builder_free(builder);

    builder = asking_builder();
    CHECK_STATUS(btls_builder_crl_file(builder, "/nonexistent/ca.crl"), BTLS_FILE_UNREADABLE);
    btls_builder_free(builder);

    builder = asking_builder();
    CHECK_STATUS(btls_builder_ocsp_memory(builder, "config: ocsp", "rubbish", 7), BTLS_OCSP_MALFORMED);
    CHECK_HOLDS(btls_error_message(btls_builder_error(builder)), "config: ocsp");
    btls_builder_free(builder);
}

static void client_that_nobody_knows_is_refused_or_counted(void) {
    const int32_t modes[] = {BTLS_REVOCATION_REQUIRE, BTLS_REVOCATION_PREFER, BTLS_REVOCATION_OFF};
    const btls_status expected[] = {BTLS_REVOCATION_UNKNOWN, BTLS_OK, BTLS_OK};
    for (int i = 0; i < 3; i++) {
        size_t length;
        char *response = content_of(fixture("revoked.ocsp"), &length);
        btls_builder *builder = asking_builder();
        CHECK_BUILDER(builder, btls_builder_ocsp_file(builder, fixture("client.ocsp")), BTLS_OK);
        CHECK_BUILDER(builder, btls_builder_ocsp_memory(builder, "config: ocsp", response, length), BTLS_OK);
        CHECK_BUILDER(builder, btls_builder_revocation(builder, modes[i]), BTLS_OK);
        free(response);
        btls_context *server = build(builder);
        CHECK_STATUS(verdict_of(server, "client"), BTLS_OK);
        CHECK_STATUS(verdict_of(server, "admin"), expected[i]);
        CHECK_STATUS(verdict_of(server, "revoked"), modes[i] == BTLS_REVOCATION_OFF ? BTLS_OK : BTLS_CERT_REVOKED);
        CHECK(btls_context_revocation_unknown_accepted(server) == (modes[i] == BTLS_REVOCATION_PREFER ? 1 : 0));
        btls_context_free(server);
    }
}

static void reload_reads_a_list_that_was_replaced(void) {
    char list[1100];
    snprintf(list, sizeof list, "%s", fixture("live.crl"));
    copy(fixture("empty.crl"), list);
    btls_builder *builder = asking_builder();
    CHECK_BUILDER(builder, btls_builder_crl_file(builder, list), BTLS_OK);
    btls_context *server = build(builder);
    CHECK_STATUS(verdict_of(server, "revoked"), BTLS_OK);
    copy(fixture("ca.crl"), list);
    CHECK_STATUS(verdict_of(server, "revoked"), BTLS_OK);
    CHECK_STATUS(btls_context_reload(server), BTLS_OK);
    CHECK_STATUS(verdict_of(server, "revoked"), BTLS_CERT_REVOKED);
    /* What is no list leaves the last one in use. */
    copy(fixture("ca.pem"), list);
    CHECK_STATUS(btls_context_reload(server), BTLS_CRL_MALFORMED);
    CHECK_STATUS(verdict_of(server, "revoked"), BTLS_CERT_REVOKED);
    btls_context_free(server);
    unlink(list);
}

static btls_revocation_sources *sources_of(const btls_context *context) {
    btls_revocation_sources *sources = NULL;
    CHECK_STATUS(btls_context_revocation_sources(context, &sources), BTLS_OK);
    return sources;
}

static void files_are_told_with_what_they_hold(void) {
    btls_context *unchecked = context_with("server", NULL);
    btls_revocation_sources *sources = sources_of(unchecked);
    CHECK(btls_revocation_sources_count(sources) == 0 && btls_revocation_sources_get(sources, 0) == NULL);
    btls_revocation_sources_free(sources);
    btls_context_free(unchecked);

    btls_builder *builder = asking_builder();
    CHECK_BUILDER(builder, btls_builder_crl_file(builder, fixture("ca.crl")), BTLS_OK);
    CHECK_BUILDER(builder, btls_builder_ocsp_file(builder, fixture("client.ocsp")), BTLS_OK);
    btls_context *server = build(builder);
    sources = sources_of(server);
    btls_context_free(server);
    CHECK(btls_revocation_sources_count(sources) == 2 && btls_revocation_sources_get(sources, 2) == NULL);
    for (size_t index = 0; index < 2; index++) {
        const btls_revocation_source *source = btls_revocation_sources_get(sources, index);
        int is_list = btls_revocation_source_kind(source) == BTLS_SOURCE_CRL;
        CHECK(is_list || btls_revocation_source_kind(source) == BTLS_SOURCE_OCSP);
        CHECK_HOLDS(btls_revocation_source_place(source), is_list ? "ca.crl" : "client.ocsp");
        CHECK(btls_revocation_source_entries(source) == 1 && btls_revocation_source_failures(source) == 0);
        CHECK(btls_revocation_source_last_success(source) > (int64_t)time(NULL) - 600);
        CHECK(btls_revocation_source_next_refresh(source) == 0 && btls_revocation_source_last_error(source) == NULL);
    }
    CHECK(btls_revocation_source_kind(btls_revocation_sources_get(sources, 0)) != btls_revocation_source_kind(btls_revocation_sources_get(sources, 1)));
    btls_revocation_sources_free(sources);
}

/* A responder on loopback that gives every request the same answer. */
struct responder {
    int fd, status;
    const char *content;
    size_t length;
    int asked;
    pthread_t thread;
    char url[64];
};

/* Reads one request: a GET ends with its head, a POST has a body behind it. */
static void read_request(int fd) {
    char text[4097];
    size_t filled = 0, wanted = 0;
    while (wanted == 0 || filled < wanted) {
        CHECK(filled < sizeof text - 1);
        ssize_t count = read(fd, text + filled, sizeof text - 1 - filled);
        CHECK(count > 0);
        filled += (size_t)count;
        text[filled] = '\0';
        const char *end = strstr(text, "\r\n\r\n");
        const char *length = strstr(text, "ontent-");
        if (end != NULL) {
            wanted = (size_t)(end - text) + 4;
            for (; length != NULL && length < end; length = strstr(length + 1, "ontent-"))
                if (memcmp(length, "ontent-Length:", 14) == 0 || memcmp(length, "ontent-length:", 14) == 0)
                    wanted += strtoul(length + 14, NULL, 10);
        }
    }
    CHECK(memcmp(text, "GET /", 5) == 0 || memcmp(text, "POST /", 6) == 0);
}

static void *respond(void *argument) {
    struct responder *responder = (struct responder *)argument;
    for (int fd; (fd = accept(responder->fd, NULL, NULL)) >= 0; close(fd)) {
        char head[128];
        read_request(fd);
        __atomic_add_fetch(&responder->asked, 1, __ATOMIC_SEQ_CST);
        int length = snprintf(head, sizeof head, "HTTP/1.1 %d Told\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
                              responder->status, responder->length);
        CHECK(write(fd, head, (size_t)length) == length);
        CHECK(write(fd, responder->content, responder->length) == (ssize_t)responder->length);
    }
    return NULL;
}

static void start_responder(struct responder *responder, int status, const char *content, size_t length) {
    struct sockaddr_in address = {0};
    socklen_t size = sizeof address;
    memset(responder, 0, sizeof *responder);
    responder->status = status;
    responder->content = content;
    responder->length = length;
    responder->fd = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(bind(responder->fd, (struct sockaddr *)&address, size) == 0 && listen(responder->fd, 8) == 0);
    CHECK(getsockname(responder->fd, (struct sockaddr *)&address, &size) == 0);
    snprintf(responder->url, sizeof responder->url, "http://127.0.0.1:%d/", ntohs(address.sin_port));
    CHECK(pthread_create(&responder->thread, NULL, respond, responder) == 0);
}

static void stop_responder(struct responder *responder) {
    shutdown(responder->fd, SHUT_RDWR);
    CHECK(pthread_join(responder->thread, NULL) == 0);
    close(responder->fd);
}

/* A server that asks a responder about its clients and has no other source. */
static btls_context *server_with_responder(const struct responder *responder) {
    btls_builder *builder = asking_builder();
    CHECK_BUILDER(builder, btls_builder_set(builder, "fetch", "yes"), BTLS_OK);
    CHECK_BUILDER(builder, btls_builder_set(builder, "ocsp-responder", responder->url), BTLS_OK);
    CHECK_BUILDER(builder, btls_builder_set(builder, "ocsp-mode", "require"), BTLS_OK);
    CHECK_BUILDER(builder, btls_builder_set(builder, "crl-mode", "off"), BTLS_OK);
    return build(builder);
}

static void responder_is_asked_in_a_task_and_only_once(void) {
    const char *names[] = {"client", "revoked"};
    for (int i = 0; i < 2; i++) {
        btls_status expected = i == 0 ? BTLS_OK : BTLS_CERT_REVOKED, verdict;
        size_t length;
        char *response = content_of(fixture(i == 0 ? "client.ocsp" : "revoked.ocsp"), &length);
        struct responder responder;
        start_responder(&responder, 200, response, length);
        btls_context *server = server_with_responder(&responder);
        for (int turn = 0; turn < 3; turn++) {
            int tasks;
            struct pair pair = judged(server, names[i], &verdict, &tasks);
            check_status(verdict, expected, btls_conn_error(pair.server), __FILE__, __LINE__, names[i]);
            CHECK(tasks > 0);
            close_pair(&pair);
        }
        uint64_t next_ms = 0;
        CHECK_STATUS(btls_context_maintain(server, &next_ms), BTLS_OK);
        CHECK(next_ms > 0 && next_ms <= 60000);
        CHECK(__atomic_load_n(&responder.asked, __ATOMIC_SEQ_CST) == 1);

        btls_revocation_sources *sources = sources_of(server);
        CHECK(btls_revocation_sources_count(sources) == 1);
        const btls_revocation_source *source = btls_revocation_sources_get(sources, 0);
        CHECK(btls_revocation_source_kind(source) == BTLS_SOURCE_OCSP);
        CHECK_HOLDS(btls_revocation_source_place(source), responder.url);
        CHECK(btls_revocation_source_entries(source) == 1 && btls_revocation_source_last_success(source) > 0);
        CHECK(btls_revocation_source_next_refresh(source) > btls_revocation_source_last_success(source));
        btls_revocation_sources_free(sources);
        btls_context_free(server);
        stop_responder(&responder);
        free(response);
    }
}

static void responder_that_fails_is_told_with_its_error(void) {
    struct responder responder;
    start_responder(&responder, 500, "", 0);
    btls_context *server = server_with_responder(&responder);
    btls_status verdict;
    int tasks;
    struct pair pair = judged(server, "client", &verdict, &tasks);
    CHECK_STATUS(verdict, BTLS_REVOCATION_UNREACHABLE);
    CHECK(tasks > 0);
    /* By GET, then by POST. */
    CHECK(__atomic_load_n(&responder.asked, __ATOMIC_SEQ_CST) == 2);
    close_pair(&pair);
    btls_revocation_sources *sources = sources_of(server);
    CHECK(btls_revocation_sources_count(sources) == 1);
    const btls_revocation_source *source = btls_revocation_sources_get(sources, 0);
    CHECK(btls_revocation_source_failures(source) > 0 && btls_revocation_source_entries(source) == 0);
    CHECK(btls_revocation_source_last_success(source) == 0);
    CHECK_HOLDS(btls_revocation_source_last_error(source), "500");
    btls_revocation_sources_free(sources);
    btls_context_free(server);
    stop_responder(&responder);
}

/* How many threads for maintenance this process has. */
static int maintenance_threads(void) {
    DIR *tasks = opendir("/proc/self/task");
    CHECK(tasks != NULL);
    int count = 0;
    for (struct dirent *task; (task = readdir(tasks)) != NULL;) {
        char path[300], name[32] = "";
        snprintf(path, sizeof path, "/proc/self/task/%s/comm", task->d_name);
        FILE *file = fopen(path, "r");
        /* One that has ended meanwhile has no name. */
        if (file == NULL)
            continue;
        count += fgets(name, sizeof name, file) != NULL && strcmp(name, "brokertls-renew\n") == 0;
        fclose(file);
    }
    closedir(tasks);
    return count;
}

/* A thread names itself once it runs, and is there for a moment after it ended. */
static void await_maintenance_threads(int count) {
    for (int turns = 0; maintenance_threads() != count; turns++) {
        CHECK(turns < 10000);
        usleep(1000);
    }
}

static void thread_for_maintenance_ends_with_its_context(void) {
    btls_builder *builder = asking_builder();
    CHECK_BUILDER(builder, btls_builder_set(builder, "fetch", "yes"), BTLS_OK);
    btls_context *server = build(builder);
    CHECK_STATUS(btls_context_start_maintenance(server), BTLS_OK);
    CHECK_STATUS(btls_context_start_maintenance(server), BTLS_OK);
    uint64_t next_ms = 0;
    CHECK_STATUS(btls_context_maintain(server, &next_ms), BTLS_OK);
    /* Nothing was asked for, so that nothing is due. */
    CHECK(next_ms == 60000);
    await_maintenance_threads(1);
    btls_context_free(server);
    await_maintenance_threads(0);
}

static void check_that_the_client_comes_in(const btls_context *server) {
    btls_status verdict;
    int tasks;
    struct pair pair = judged(server, "client", &verdict, &tasks);
    check_status(verdict, BTLS_OK, btls_conn_error(pair.server), __FILE__, __LINE__, "client");
    close_pair(&pair);
}

/* As a broker needs it that becomes a daemon: made before, asked and maintained after. */
static void context_that_fetches_works_after_a_fork_in_both_processes(void) {
    size_t length;
    char *response = content_of(fixture("client.ocsp"), &length);
    struct responder responder;
    start_responder(&responder, 200, response, length);
    btls_context *server = server_with_responder(&responder);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        CHECK_STATUS(btls_context_start_maintenance(server), BTLS_OK);
        check_that_the_client_comes_in(server);
        btls_context_free(server);
        await_maintenance_threads(0);
        free(response);
        exit(0);
    }
    check_that_the_client_comes_in(server);
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(__atomic_load_n(&responder.asked, __ATOMIC_SEQ_CST) == 2);
    btls_context_free(server);
    stop_responder(&responder);
    free(response);
}

static void null_and_nonsense_are_refused(void) {
    btls_revocation_sources *sources = NULL;
    uint64_t next_ms = 77;
    btls_builder *builder = btls_builder_new();
    CHECK_STATUS(btls_builder_crl_file(NULL, "ca.crl"), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_crl_file(builder, NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_crl_directory(builder, NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_crl_memory(builder, NULL, "x", 1), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_crl_memory(builder, "crl", NULL, 1), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_ocsp_file(builder, NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_ocsp_memory(builder, "ocsp", NULL, 1), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_revocation(builder, 3), BTLS_INVALID_ARGUMENT);
    CHECK_STATUS(btls_builder_revocation(builder, -1), BTLS_INVALID_ARGUMENT);
    CHECK_STATUS(btls_builder_set(builder, "ocsp-responder", "https://ocsp.example/"), BTLS_OK);
    CHECK_STATUS(btls_builder_set(builder, "revocation", "maybe"), BTLS_INVALID_ARGUMENT);
    btls_builder_free(builder);

    CHECK_STATUS(btls_context_maintain(NULL, &next_ms), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_context_start_maintenance(NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_context_revocation_sources(NULL, &sources), BTLS_NULL_POINTER);
    CHECK(btls_context_revocation_unknown_accepted(NULL) == 0);
    btls_context *context = context_with("server", NULL);
    CHECK_STATUS(btls_context_maintain(context, NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_context_revocation_sources(context, NULL), BTLS_NULL_POINTER);
    btls_context_free(context);
    CHECK(sources == NULL && next_ms == 77);
    btls_revocation_sources_free(NULL);
    CHECK(btls_revocation_sources_count(NULL) == 0 && btls_revocation_sources_get(NULL, 0) == NULL);
    CHECK(btls_revocation_source_kind(NULL) == -1 && btls_revocation_source_place(NULL) == NULL && btls_revocation_source_last_error(NULL) == NULL);
    CHECK(btls_revocation_source_last_success(NULL) == 0 && btls_revocation_source_next_refresh(NULL) == 0);
    CHECK(btls_revocation_source_entries(NULL) == 0 && btls_revocation_source_failures(NULL) == 0);
}

int main(void) {
    RUN(revoked_client_is_refused_by_the_list_in_a_file);
    RUN(revoked_server_is_refused_by_its_clients);
    RUN(list_in_memory_serves_as_one_in_a_file);
    RUN(list_that_is_none_is_refused_by_its_name);
    RUN(client_that_nobody_knows_is_refused_or_counted);
    RUN(reload_reads_a_list_that_was_replaced);
    RUN(files_are_told_with_what_they_hold);
    RUN(responder_is_asked_in_a_task_and_only_once);
    RUN(responder_that_fails_is_told_with_its_error);
    RUN(thread_for_maintenance_ends_with_its_context);
    RUN(context_that_fetches_works_after_a_fork_in_both_processes);
    RUN(null_and_nonsense_are_refused);
    return 0;
}

/* EMQX's "OCSP Stapling" and "CRL Check" of a listener, set by the names of options: with the real responder, a server for
 * the list that the devices' certificates name, and `openssl s_client`. */
#include "harness.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/* Nothing here is waited for longer, in seconds; under valgrind it takes a few. */
#define PATIENCE_S 180

static const char *const VERSIONS[] = {"TLSv1.2", "TLSv1.3"};

/* A program under way, and what it prints. */
struct program {
    pid_t pid;
    FILE *output;
};

static char folder[] = "/tmp/brokertls-emqx-XXXXXX";
static struct program list_server, responder;
static char responder_url[64];

/* Starts a shell command in the folder; it ends with this program at the latest. */
static struct program start(const char *command) {
    struct program program;
    int ends[2];
    CHECK(pipe(ends) == 0);
    program.pid = fork();
    CHECK(program.pid >= 0);
    if (program.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        if (chdir(folder) == 0)
            execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    program.output = fdopen(ends[0], "r");
    CHECK(program.output != NULL);
    return program;
}

/* Reads its output up to the first line with this text, and gives what stands after it. */
static const char *line_with(struct program *program, const char *text) {
    static char line[1024];
    while (fgets(line, sizeof line, program->output) != NULL) {
        const char *found = strstr(line, text);
        if (found != NULL)
            return found + strlen(text);
    }
    fprintf(stderr, "a program never printed \"%s\"\n", text);
    exit(1);
}

/* Reads the rest of its output, and waits for its end. */
static const char *finish(struct program *program) {
    static char output[1 << 16];
    size_t length = fread(output, 1, sizeof output - 1, program->output);
    output[length] = '\0';
    fclose(program->output);
    CHECK(waitpid(program->pid, NULL, 0) == program->pid);
    return output;
}

static const char *end(struct program *program) {
    kill(program->pid, SIGTERM);
    return finish(program);
}

/* A file of the folder; good for the next three calls. */
static const char *file(const char *name) {
    static char paths[4][1024];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void set(btls_builder *builder, const char *option, const char *value) {
    CHECK_BUILDER(builder, btls_builder_set(builder, option, value), BTLS_OK);
}

/* A side with this certificate, unless NULL. */
static btls_builder *side(const char *name, const char *versions) {
    char certificate[64], key[64];
    btls_builder *builder = btls_builder_new();
    CHECK(builder != NULL);
    if (name != NULL) {
        snprintf(certificate, sizeof certificate, "%s.pem", name);
        snprintf(key, sizeof key, "%s.key", name);
        set(builder, "cert", file(certificate));
        set(builder, "key", file(key));
    }
    set(builder, "trust", file("ca.pem"));
    set(builder, "versions", versions);
    return builder;
}

/* verify = verify_peer, enable_crl_check = true */
static btls_context *listener_with_crl_check(const char *versions) {
    btls_builder *builder = side("server", versions);
    set(builder, "client-auth", "need");
    set(builder, "fetch", "yes");
    set(builder, "crl-mode", "require");
    set(builder, "ocsp-mode", "off");
    set(builder, "revocation-depth", "leaf");
    /* This machine's own address is what a certificate may not name otherwise. */
    set(builder, "fetch-private-addresses", "yes");
    return build(builder);
}

/* ocsp { enable_ocsp_stapling = true, issuer_pem, responder_url, refresh_interval = 15m, refresh_http_timeout = 15s } */
static btls_context *listener_with_stapling(void) {
    btls_builder *builder = side("server", "TLSv1.2,TLSv1.3");
    set(builder, "staple", "yes");
    set(builder, "staple-issuer", file("ca.pem"));
    set(builder, "staple-responder", responder_url);
    set(builder, "staple-refresh-s", "900");
    set(builder, "staple-timeout-s", "15");
    return build(builder);
}

/* Runs both sides; gives how the server ended, and how many tasks it wanted. */
static btls_status serve(const struct pair *pair, int *tasks) {
    btls_status client = BTLS_WANT_READ, server = BTLS_WANT_READ;
    for (int turns = 0; waits(client) || waits(server); turns++) {
        CHECK(turns < 1000);
        if (waits(client))
            client = step(pair->client);
        if (!waits(server))
            continue;
        server = btls_conn_handshake(pair->server);
        if (server == BTLS_WANT_TASK) {
            *tasks += 1;
            CHECK_CONN(pair->server, btls_conn_task_run(pair->server), BTLS_OK);
        }
    }
    return server;
}

static void emqx_listener_checks_devices_by_the_list_that_their_certificates_name(void) {
    for (size_t at = 0; at < 2; at++) {
        btls_context *listener = listener_with_crl_check(VERSIONS[at]);
        btls_context *good = build(side("device-1", VERSIONS[at])), *revoked = build(side("device-2", VERSIONS[at]));
        int tasks = 0;
        struct pair pair = pair_of(listener, good);
        CHECK_CONN(pair.server, serve(&pair, &tasks), BTLS_OK);
        CHECK(tasks > 0);
        write_all(pair.client, "temperature", 11);
        read_all(pair.server, "temperature", 11);
        close_pair(&pair);

        tasks = 0;
        pair = pair_of(listener, revoked);
        CHECK_CONN(pair.server, serve(&pair, &tasks), BTLS_CERT_REVOKED);
        CHECK(tasks > 0);
        CHECK_HOLDS(btls_error_message(btls_conn_error(pair.server)), "keyCompromise");
        CHECK_HOLDS(btls_error_message(btls_conn_error(pair.server)), "/ca.crl");
        CHECK_CONN(pair.client, read_status(pair.client), BTLS_ALERT_CERTIFICATE_REVOKED);
        close_pair(&pair);

        btls_revocation_sources *sources = NULL;
        CHECK_STATUS(btls_context_revocation_sources(listener, &sources), BTLS_OK);
        CHECK(btls_revocation_sources_count(sources) == 1);
        const btls_revocation_source *list = btls_revocation_sources_get(sources, 0);
        CHECK(btls_revocation_source_kind(list) == BTLS_SOURCE_CRL && btls_revocation_source_entries(list) == 1);
        CHECK_HOLDS(btls_revocation_source_place(list), "/ca.crl");
        btls_revocation_sources_free(sources);
        btls_context_free(listener);
        btls_context_free(good);
        btls_context_free(revoked);
    }
}

static void the_list_was_fetched_once_for_each_listener(void) {
    const char *requests = end(&list_server);
    int fetches = 0;
    for (const char *at = requests; (at = strstr(at, "GET /ca.crl")) != NULL; at++)
        fetches++;
    CHECK(fetches == 2);
}

static void a_device_is_refused_where_its_list_cannot_be_fetched(void) {
    /* The server has ended. */
    btls_context *listener = listener_with_crl_check("TLSv1.3"), *good = build(side("device-1", "TLSv1.3"));
    int tasks = 0;
    struct pair pair = pair_of(listener, good);
    CHECK_CONN(pair.server, serve(&pair, &tasks), BTLS_REVOCATION_UNREACHABLE);
    close_pair(&pair);
    btls_context_free(listener);
    btls_context_free(good);
}

static int listen_here(int *port) {
    struct sockaddr_in address = {0};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 8) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&address, &length) == 0);
    *port = ntohs(address.sin_port);
    return fd;
}

/* Serves one connection of `openssl s_client` with these arguments, and gives what that printed. */
static const char *seen_by_s_client(const btls_context *listener, const char *arguments) {
    char command[512];
    int port, listening = listen_here(&port);
    snprintf(command, sizeof command, "exec openssl s_client -connect 127.0.0.1:%d -CAfile ca.pem -verify_return_error %s",
             port, arguments);
    struct program client = start(command);
    int fd = accept(listening, NULL, NULL);
    CHECK(fd >= 0);
    btls_conn *conn;
    CHECK_STATUS(btls_conn_new_server(listener, NULL, &conn, NULL), BTLS_OK);
    CHECK_STATUS(btls_conn_set_fd(conn, fd, fd), BTLS_OK);
    CHECK_CONN(conn, step(conn), BTLS_OK);
    /* It has nothing to say, as its input has ended. */
    CHECK_CONN(conn, read_status(conn), BTLS_CLOSED);
    btls_conn_free(conn);
    close(fd);
    close(listening);
    return finish(&client);
}

static size_t staples(const btls_context *listener) {
    btls_revocation_sources *sources = NULL;
    CHECK_STATUS(btls_context_revocation_sources(listener, &sources), BTLS_OK);
    CHECK(btls_revocation_sources_count(sources) == 1);
    const btls_revocation_source *staple = btls_revocation_sources_get(sources, 0);
    CHECK(btls_revocation_source_kind(staple) == BTLS_SOURCE_STAPLE);
    CHECK_HOLDS(btls_revocation_source_place(staple), responder_url);
    size_t entries = btls_revocation_source_entries(staple);
    btls_revocation_sources_free(sources);
    return entries;
}

static void s_client_sees_the_staple_of_an_emqx_listener(void) {
    btls_context *listener = listener_with_stapling();
    const char *status[] = {"-status -tls1_2 < /dev/null", "-status -tls1_3 < /dev/null"};
    for (size_t at = 0; at < 2; at++)
        CHECK_HOLDS(seen_by_s_client(listener, status[at]), "OCSP response: no response sent");
    uint64_t next_ms = 0;
    CHECK_STATUS(btls_context_maintain(listener, &next_ms), BTLS_OK);
    CHECK(next_ms > 0 && next_ms <= 60000);
    CHECK(staples(listener) == 1);
    for (size_t at = 0; at < 2; at++) {
        const char *printed = seen_by_s_client(listener, status[at]);
        CHECK_HOLDS(printed, "OCSP Response Status: successful (0x0)");
        CHECK_HOLDS(printed, "Cert Status: good");
        CHECK_HOLDS(printed, "Verify return code: 0 (ok)");
    }
    btls_context_free(listener);
}

static void maintenance_of_an_emqx_listener_asks_as_soon_as_it_is_started(void) {
    btls_context *listener = listener_with_stapling();
    CHECK_STATUS(btls_context_start_maintenance(listener), BTLS_OK);
    CHECK_STATUS(btls_context_start_maintenance(listener), BTLS_OK);
    while (staples(listener) == 0)
        usleep(2000);
    CHECK_HOLDS(seen_by_s_client(listener, "-status < /dev/null"), "Cert Status: good");
    btls_context_free(listener);
}

static void an_emqx_listener_goes_on_without_its_responder(void) {
    end(&responder);
    btls_context *listener = listener_with_stapling();
    uint64_t next_ms = 0;
    CHECK_STATUS(btls_context_maintain(listener, &next_ms), BTLS_OK);
    CHECK(staples(listener) == 0);
    CHECK_HOLDS(seen_by_s_client(listener, "-status < /dev/null"), "OCSP response: no response sent");
    btls_context_free(listener);
}

static void prepare(void) {
    char here[512], command[2048];
    alarm(PATIENCE_S);
    CHECK(mkdtemp(folder) != NULL && getcwd(here, sizeof here) != NULL);
    snprintf(command, sizeof command, "exec node '%s/tests/c/list_server.js' ca.crl", here);
    list_server = start(command);
    int port = atoi(line_with(&list_server, "listens at "));
    snprintf(command, sizeof command, "'%s/tests/c/emqx_certificates.sh' . %d > log 2>&1 || cat log", here, port);
    struct program made = start(command);
    CHECK_TEXT(finish(&made), "");
    responder = start("exec openssl ocsp -port 0 -index index.txt -CA ca.pem -rsigner ca.pem -rkey ca.key -ndays 1");
    /* ACCEPT [::]:PORT PID=NUMBER */
    port = atoi(strrchr(strtok((char *)line_with(&responder, "ACCEPT "), " "), ':') + 1);
    CHECK(port > 0);
    snprintf(responder_url, sizeof responder_url, "http://127.0.0.1:%d", port);
}

int main(void) {
    prepare();
    RUN(emqx_listener_checks_devices_by_the_list_that_their_certificates_name);
    RUN(the_list_was_fetched_once_for_each_listener);
    RUN(a_device_is_refused_where_its_list_cannot_be_fetched);
    RUN(s_client_sees_the_staple_of_an_emqx_listener);
    RUN(maintenance_of_an_emqx_listener_asks_as_soon_as_it_is_started);
    RUN(an_emqx_listener_goes_on_without_its_responder);
    struct program removed = start("rm -r \"$PWD\"");
    finish(&removed);
    return 0;
}

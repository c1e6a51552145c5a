/* Cases of tests/fixtures/cases that show at the C interface: facts of certificates, calls that are refused, writes
 * that are taken in part, and a goodbye that comes with data. */
#include "harness.h"

#include <poll.h>
#include <sys/uio.h>

enum { PACKET = 16000, PACKETS = 64 };

static btls_certificate *kept(const char *name) {
    char path[512];
    size_t length;
    snprintf(path, sizeof path, "tests/fixtures/cases/%s.der", name);
    char *der = content_of(path, &length);
    btls_certificate *certificate = NULL;
    CHECK_STATUS(btls_certificate_parse((const uint8_t *)der, length, &certificate), BTLS_OK);
    free(der);
    return certificate;
}

static void check_subject(const char *name, const char *subject, const char *common_name) {
    btls_certificate *certificate = kept(name);
    CHECK_TEXT(btls_certificate_subject(certificate), subject);
    CHECK_TEXT(btls_certificate_common_name(certificate), common_name);
    btls_certificate_free(certificate);
}

static void subjects_that_differ_have_texts_that_differ(void) {
    check_subject("05-subject-text-not-escaped/a4-cn-comma", "CN=alice\\, O\\=Admins", "alice, O=Admins");
    check_subject("05-subject-text-not-escaped/a4-plain-two", "O=Admins,CN=alice", "alice");
    check_subject("05b-plus-and-directory-name-not-escaped/a4-cn-plus", "CN=alice \\+ OU\\=root", "alice + OU=root");
    check_subject("06-subjects-in-teletex-collapse/a3-cn-bmp", "CN=ger\xc3\xa4t-1,O=Example", "ger\xc3\xa4t-1");
    check_subject("06-subjects-in-teletex-collapse/one", "CN=M\xc3\xbcller,O=Example", "M\xc3\xbcller");
    check_subject("06-subjects-in-teletex-collapse/two", "CN=Jos\xc3\xa9,O=Example", "Jos\xc3\xa9");
}

static void alternative_names_are_readable(void) {
    static const char *const expected[] = {"UPN:pump7@corp.example", "email:pump7@corp.example", "registeredID:1.2.3.4",
                                           "dirName:CN=x\\, y"};
    btls_certificate *certificate = kept("25-user-principal-name/a8-upn");
    CHECK(btls_certificate_san_count(certificate) == 4);
    for (size_t i = 0; i < 4; i++)
        CHECK_TEXT(btls_certificate_san(certificate, i), expected[i]);
    btls_certificate_free(certificate);
}

static void handshake_without_a_transport_loses_no_client_hello(void) {
    btls_context *client = context_with(NULL, "ca.pem");
    btls_conn *conn = NULL;
    uint8_t record[20000];
    size_t used = 0, filled = 0;
    CHECK_STATUS(btls_conn_new_client(client, "localhost", NULL, &conn, NULL), BTLS_OK);
    CHECK_CONN(conn, btls_conn_handshake(conn), BTLS_WRONG_STATE);
    CHECK_CONN(conn, btls_conn_wrap(conn, NULL, 0, record, sizeof record, &used, &filled), BTLS_WANT_READ);
    CHECK(filled > 0 && record[0] == 22);
    btls_conn_free(conn);

    int fds[2];
    CHECK_STATUS(btls_conn_new_client(client, "localhost", NULL, &conn, NULL), BTLS_OK);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    CHECK_CONN(conn, btls_conn_handshake(conn), BTLS_WRONG_STATE);
    CHECK_CONN(conn, btls_conn_set_fd(conn, fds[0], fds[0]), BTLS_OK);
    CHECK_CONN(conn, btls_conn_handshake(conn), BTLS_WANT_READ);
    CHECK(read(fds[1], record, sizeof record) > 0 && record[0] == 22);
    btls_conn_free(conn);
    close(fds[0]);
    close(fds[1]);
    btls_context_free(client);
}

static size_t read_what_came(btls_conn *conn) {
    static char sink[1 << 20];
    size_t sum = 0, count = 0;
    while (btls_conn_read(conn, sink, sizeof sink, &count) == BTLS_OK)
        sum += count;
    return sum;
}

static void write_that_is_taken_in_part_owes_nothing(void) {
    static char data[PACKETS * PACKET], urgent[200];
    btls_context *server = context_with("server", NULL), *client = context_with(NULL, "ca.pem");
    struct pair pair = connected(server, client);
    size_t taken = 0, more = 0;
    CHECK_CONN(pair.server, btls_conn_write(pair.server, data, sizeof data, &taken), BTLS_OK);
    CHECK(taken > 0 && taken < sizeof data);
    size_t received = read_what_came(pair.client);
    CHECK_CONN(pair.server, btls_conn_flush(pair.server), BTLS_OK);
    received += read_what_came(pair.client);
    CHECK(received == taken);

    /* The packet that has begun is finished, the next one is left out. */
    size_t rest = PACKET - taken % PACKET;
    struct iovec parts[2] = {{data + taken, rest}, {urgent, sizeof urgent}};
    CHECK_CONN(pair.server, btls_conn_writev(pair.server, parts, 2, &more), BTLS_OK);
    CHECK(more == rest + sizeof urgent);
    CHECK(read_what_came(pair.client) == more);
    close_pair(&pair);
    btls_context_free(server);
    btls_context_free(client);
}

static void goodbye_that_came_with_data_is_pending(void) {
    btls_context *server = context_with("server", NULL), *client = context_with(NULL, "ca.pem");
    struct pair pair = connected(server, client);
    size_t pending = 0;
    write_all(pair.client, "last", 4);
    CHECK_CONN(pair.client, btls_conn_shutdown(pair.client), BTLS_WANT_READ);
    read_all(pair.server, "last", 4);
    struct pollfd idle = {pair.server_fd, POLLIN, 0};
    CHECK(poll(&idle, 1, 0) == 0);
    CHECK_CONN(pair.server, btls_conn_pending(pair.server, &pending), BTLS_OK);
    CHECK(pending == 1);
    CHECK_CONN(pair.server, read_status(pair.server), BTLS_CLOSED);
    CHECK_CONN(pair.server, btls_conn_pending(pair.server, &pending), BTLS_OK);
    CHECK(pending == 0);
    close_pair(&pair);
    btls_context_free(server);
    btls_context_free(client);
}

int main(void) {
    RUN(subjects_that_differ_have_texts_that_differ);
    RUN(alternative_names_are_readable);
    RUN(handshake_without_a_transport_loses_no_client_hello);
    RUN(write_that_is_taken_in_part_owes_nothing);
    RUN(goodbye_that_came_with_data_is_pending);
    return 0;
}

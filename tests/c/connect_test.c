/* Accepted peers and their facts: server only, mutual, two contexts, refusals and their messages. */
#include "harness.h"

#include <pthread.h>

static void server_alone_shows_its_certificate_and_both_sides_the_same_facts(void) {
    btls_context *server = context_with("server", NULL), *client = context_with(NULL, "ca.pem");
    struct pair pair = connected(server, client);
    CHECK_TEXT(btls_conn_version(pair.client), "TLSv1.3");
    CHECK_TEXT(btls_conn_group(pair.client), "X25519MLKEM768");
    CHECK_TEXT(btls_conn_cipher_suite(pair.client), btls_conn_cipher_suite(pair.server));
    CHECK_TEXT(btls_conn_server_name(pair.server), "localhost");
    CHECK(!btls_conn_is_resumed(pair.client) && !btls_conn_is_handshaking(pair.client));
    CHECK(btls_conn_version(pair.client) == btls_conn_version(pair.client));
    const btls_certificate *peer = btls_conn_peer_certificate(pair.client);
    CHECK_HOLDS(btls_certificate_subject(peer), "CN=broker");
    CHECK_HOLDS(btls_certificate_issuer(peer), "CN=Test CA");
    CHECK_TEXT(btls_certificate_common_name(peer), "broker");
    CHECK_TEXT(btls_certificate_key(peer), "EC P-256");
    CHECK(btls_certificate_san_count(peer) == 3 && btls_certificate_san(peer, 3) == NULL);
    CHECK_TEXT(btls_certificate_san(peer, 0), "DNS:localhost");
    CHECK_TEXT(btls_certificate_san(peer, 2), "IP:127.0.0.1");
    CHECK(strlen(btls_certificate_sha256(peer)) == 64 && strlen(btls_certificate_serial(peer)) > 0);
    CHECK(btls_certificate_x509_version(peer) == 3 && !btls_certificate_is_ca(peer));
    CHECK(btls_certificate_not_after(peer) - btls_certificate_not_before(peer) == 30 * 24 * 3600);
    CHECK(btls_conn_peer_certificate(pair.server) == NULL && btls_conn_peer_chain_count(pair.server) == 0);
    close_pair(&pair);
    btls_context_free(server);
    btls_context_free(client);
}

static void client_with_a_certificate_is_known_to_the_server(void) {
    btls_context *server = server_asking(BTLS_CLIENT_AUTH_NEED), *client = context_with("client", "ca.pem");
    struct pair pair = connected(server, client);
    const btls_certificate *peer = btls_conn_peer_certificate(pair.server);
    CHECK_TEXT(btls_certificate_common_name(peer), "device-7");
    CHECK_TEXT(btls_certificate_san(peer, 0), "URI:urn:device:7");
    CHECK(btls_conn_peer_chain_count(pair.server) == 1 && btls_conn_deviation_count(pair.server) == 0);
    const uint8_t *der;
    size_t length;
    CHECK_CONN(pair.server, btls_conn_peer_chain(pair.server, 0, &der, &length), BTLS_OK);
    btls_certificate *parsed = NULL;
    CHECK_STATUS(btls_certificate_parse(der, length, &parsed), BTLS_OK);
    CHECK_TEXT(btls_certificate_sha256(parsed), btls_certificate_sha256(peer));
    btls_certificate_free(parsed);
    CHECK_STATUS(btls_conn_peer_chain(pair.server, 1, &der, &length), BTLS_INVALID_ARGUMENT);
    close_pair(&pair);
    btls_context_free(server);
    btls_context_free(client);
}

static void client_is_known_by_its_facts_where_no_chain_is_kept(void) {
    btls_builder *builder = builder_with("server", "ca.pem");
    CHECK_BUILDER(builder, btls_builder_client_auth(builder, BTLS_CLIENT_AUTH_NEED), BTLS_OK);
    CHECK_BUILDER(builder, btls_builder_set(builder, "keep-peer-chain", "maybe"), BTLS_INVALID_ARGUMENT);
    CHECK_BUILDER(builder, btls_builder_set(builder, "keep-peer-chain", "no"), BTLS_OK);
    btls_context *server = build(builder), *keeps = server_asking(BTLS_CLIENT_AUTH_NEED);
    btls_context *client = context_with("client", "ca.pem");
    struct pair pair = connected(server, client), other = connected(keeps, client);
    const btls_certificate *peer = btls_conn_peer_certificate(pair.server);
    const btls_certificate *whole = btls_conn_peer_certificate(other.server);
    CHECK_TEXT(btls_certificate_common_name(peer), "device-7");
    CHECK_TEXT(btls_certificate_san(peer, 0), "URI:urn:device:7");
    CHECK_TEXT(btls_certificate_issuer(peer), btls_certificate_issuer(whole));
    CHECK_TEXT(btls_certificate_serial(peer), btls_certificate_serial(whole));
    CHECK_TEXT(btls_certificate_sha256(peer), btls_certificate_sha256(whole));
    const uint8_t *der;
    size_t length;
    CHECK(btls_conn_peer_chain_count(pair.server) == 0 && btls_conn_peer_chain_count(other.server) == 1);
    CHECK_STATUS(btls_conn_peer_chain(pair.server, 0, &der, &length), BTLS_INVALID_ARGUMENT);
    close_pair(&pair);
    close_pair(&other);
    btls_context_free(server);
    btls_context_free(keeps);
    btls_context_free(client);
}

static void client_without_a_certificate_is_refused_and_told(void) {
    btls_context *server = server_asking(BTLS_CLIENT_AUTH_NEED), *client = context_with(NULL, "ca.pem");
    struct pair pair = pair_of(server, client);
    btls_status client_status, server_status;
    shake(&pair, &client_status, &server_status);
    CHECK_STATUS(server_status, BTLS_CERT_MISSING);
    CHECK(btls_error_alert(btls_conn_error(pair.server)) == 116);
    CHECK_STATUS(client_status, BTLS_OK);
    CHECK_STATUS(read_status(pair.client), BTLS_ALERT_CERTIFICATE_REQUIRED);
    CHECK(btls_error_alert(btls_conn_error(pair.client)) == 116);
    CHECK_HOLDS(btls_error_hint(btls_conn_error(pair.client)), "identity");
    close_pair(&pair);
    btls_context_free(server);
    btls_context_free(client);
}

static void client_of_another_ca_is_refused_by_name(void) {
    btls_context *server = server_asking(BTLS_CLIENT_AUTH_NEED), *client = context_with("stranger", "ca.pem");
    struct pair pair = pair_of(server, client);
    btls_status client_status, server_status;
    shake(&pair, &client_status, &server_status);
    CHECK_STATUS(server_status, BTLS_CERT_UNKNOWN_ISSUER);
    const btls_error *error = btls_conn_error(pair.server);
    CHECK_HOLDS(btls_error_message(error), "CN=stranger");
    CHECK_HOLDS(btls_error_message(error), "CN=Other CA");
    CHECK(btls_error_category(error) == BTLS_CATEGORY_CERTIFICATE && btls_error_alert(error) == 48);
    CHECK_TEXT(btls_error_name(error), "BTLS_CERT_UNKNOWN_ISSUER");
    CHECK(strlen(btls_error_hint(error)) > 0);
    CHECK_STATUS(read_status(pair.client), BTLS_ALERT_UNKNOWN_CA);
    close_pair(&pair);
    btls_context_free(server);
    btls_context_free(client);
}

static void wanted_certificate_may_be_left_out_but_not_be_wrong(void) {
    btls_context *server = server_asking(BTLS_CLIENT_AUTH_WANT);
    btls_context *without = context_with(NULL, "ca.pem"), *wrong = context_with("stranger", "ca.pem");
    struct pair pair = connected(server, without);
    CHECK(btls_conn_peer_certificate(pair.server) == NULL);
    close_pair(&pair);
    pair = pair_of(server, wrong);
    btls_status client_status, server_status;
    shake(&pair, &client_status, &server_status);
    CHECK_STATUS(server_status, BTLS_CERT_UNKNOWN_ISSUER);
    close_pair(&pair);
    btls_context_free(server);
    btls_context_free(without);
    btls_context_free(wrong);
}

static void two_contexts_of_one_process_do_not_know_each_other(void) {
    btls_context *open = context_with("server", NULL), *strict = server_asking(BTLS_CLIENT_AUTH_NEED);
    btls_builder *builder = builder_with(NULL, "ca.pem");
    CHECK_BUILDER(builder, btls_builder_preset(builder, "modern"), BTLS_OK);
    btls_context *client = build(builder);
    struct pair first = connected(open, client), second = pair_of(strict, client);
    btls_status client_status, server_status;
    shake(&second, &client_status, &server_status);
    CHECK_STATUS(server_status, BTLS_CERT_MISSING);
    write_all(first.client, "one listener's refusal is not the other's", 41);
    read_all(first.server, "one listener's refusal is not the other's", 41);
    close_pair(&first);
    close_pair(&second);
    btls_context_free(open);
    btls_context_free(strict);
    btls_context_free(client);
}

/* A client for another host; NULL for a context that does not check the name. */
static btls_status connect_to(const btls_context *server, const btls_context *client, const char *host) {
    struct pair pair = pair_of(server, client);
    btls_conn_free(pair.client);
    CHECK_STATUS(btls_conn_new_client(client, host, NULL, &pair.client, NULL), BTLS_OK);
    CHECK_STATUS(btls_conn_set_fd(pair.client, pair.client_fd, pair.client_fd), BTLS_OK);
    btls_status client_status, server_status;
    shake(&pair, &client_status, &server_status);
    if (client_status == BTLS_CERT_NAME_MISMATCH)
        CHECK_HOLDS(btls_error_message(btls_conn_error(pair.client)), "broker.example");
    close_pair(&pair);
    return client_status;
}

static void server_name_is_checked_unless_it_is_switched_off(void) {
    btls_context *server = context_with("server", NULL), *client = context_with(NULL, "ca.pem");
    CHECK_STATUS(connect_to(server, client, "broker.example"), BTLS_OK);
    CHECK_STATUS(connect_to(server, client, "127.0.0.1"), BTLS_OK);
    CHECK_STATUS(connect_to(server, client, "other.example"), BTLS_CERT_NAME_MISMATCH);
    CHECK_STATUS(connect_to(server, client, "127.0.0.2"), BTLS_CERT_NAME_MISMATCH);
    btls_builder *builder = builder_with(NULL, "ca.pem");
    CHECK_BUILDER(builder, btls_builder_insecure_skip_server_name(builder, true), BTLS_OK);
    btls_context *careless = build(builder);
    CHECK_STATUS(connect_to(server, careless, "other.example"), BTLS_OK);
    CHECK_STATUS(connect_to(server, careless, NULL), BTLS_OK);
    builder = btls_builder_new();
    CHECK_BUILDER(builder, btls_builder_insecure_accept_any_server(builder, true), BTLS_OK);
    btls_context *blind = build(builder);
    CHECK_STATUS(connect_to(server, blind, "other.example"), BTLS_OK);
    btls_context_free(server);
    btls_context_free(client);
    btls_context_free(careless);
    btls_context_free(blind);
}

static void deviation_is_refused_unless_its_switch_is_on_and_then_told(void) {
    btls_context *server = context_with("named", NULL), *client = context_with(NULL, "ca.pem");
    struct pair pair = pair_of(server, client);
    btls_status client_status, server_status;
    shake(&pair, &client_status, &server_status);
    CHECK_STATUS(client_status, BTLS_CERT_NO_NAME);
    close_pair(&pair);
    btls_builder *builder = builder_with(NULL, "ca.pem");
    CHECK_BUILDER(builder, btls_builder_insecure_allow(builder, "insecure-common-name", true), BTLS_OK);
    btls_context *lenient = build(builder);
    pair = connected(server, lenient);
    CHECK(btls_conn_deviation_count(pair.client) == 1 && btls_conn_deviation(pair.client, 1) == NULL);
    CHECK_TEXT(btls_conn_deviation(pair.client, 0), "insecure-common-name");
    close_pair(&pair);
    btls_context_free(server);
    btls_context_free(client);
    btls_context_free(lenient);
}

static btls_context *speaking(const char *identity, const char *ca, const char *versions, const char *protocol) {
    btls_builder *builder = builder_with(identity, ca);
    CHECK_BUILDER(builder, btls_builder_versions(builder, versions), BTLS_OK);
    if (protocol != NULL)
        CHECK_BUILDER(builder, btls_builder_alpn(builder, protocol), BTLS_OK);
    return build(builder);
}

static void application_protocol_is_agreed_on_or_refused(void) {
    btls_context *server = speaking("server", NULL, "TLSv1.2", "mqtt");
    btls_context *mqtt = speaking(NULL, "ca.pem", "TLSv1.2", "mqtt"), *amqp = speaking(NULL, "ca.pem", "TLSv1.2", "amqp");
    btls_context *none = speaking(NULL, "ca.pem", "TLSv1.2", NULL);
    const uint8_t *protocol;
    size_t length;
    struct pair pair = connected(server, mqtt);
    CHECK_CONN(pair.server, btls_conn_alpn(pair.server, &protocol, &length), BTLS_OK);
    CHECK(length == 4 && memcmp(protocol, "mqtt", 4) == 0);
    CHECK_TEXT(btls_conn_version(pair.client), "TLSv1.2");
    close_pair(&pair);
    pair = connected(server, none);
    CHECK_CONN(pair.server, btls_conn_alpn(pair.server, &protocol, &length), BTLS_OK);
    CHECK(protocol == NULL && length == 0);
    close_pair(&pair);
    pair = pair_of(server, amqp);
    btls_status client_status, server_status;
    shake(&pair, &client_status, &server_status);
    CHECK_STATUS(server_status, BTLS_NO_COMMON_ALPN);
    CHECK_STATUS(client_status, BTLS_ALERT_NO_APPLICATION_PROTOCOL);
    close_pair(&pair);
    btls_context_free(server);
    btls_context_free(mqtt);
    btls_context_free(amqp);
    btls_context_free(none);
}

static void versions_without_a_common_one_are_refused_on_both_sides(void) {
    btls_context *server = speaking("server", NULL, "TLSv1.3", NULL), *client = speaking(NULL, "ca.pem", "TLSv1.2", NULL);
    struct pair pair = pair_of(server, client);
    btls_status client_status, server_status;
    shake(&pair, &client_status, &server_status);
    CHECK_STATUS(server_status, BTLS_NO_COMMON_VERSION);
    CHECK_STATUS(client_status, BTLS_ALERT_PROTOCOL_VERSION);
    close_pair(&pair);
    btls_context_free(server);
    btls_context_free(client);
}

static void session_is_resumed_unless_it_is_switched_off(void) {
    btls_builder *builder = builder_with("server", NULL);
    CHECK_BUILDER(builder, btls_builder_resumption(builder, false), BTLS_OK);
    btls_context *servers[] = {context_with("server", NULL), build(builder)};
    for (int index = 0; index < 2; index++) {
        btls_context *client = context_with(NULL, "ca.pem");
        for (int round = 0; round < 2; round++) {
            struct pair pair = connected(servers[index], client);
            /* The tickets come with the first bytes that the server sends. */
            write_all(pair.server, "hello", 5);
            read_all(pair.client, "hello", 5);
            CHECK(btls_conn_is_resumed(pair.client) == (index == 0 && round == 1));
            CHECK(btls_conn_is_resumed(pair.server) == btls_conn_is_resumed(pair.client));
            CHECK_HOLDS(btls_certificate_subject(btls_conn_peer_certificate(pair.client)), "CN=broker");
            close_pair(&pair);
        }
        btls_context_free(client);
        btls_context_free(servers[index]);
    }
}

static void identity_is_chosen_by_the_name_that_the_client_asks_for(void) {
    btls_builder *builder = builder_with("server", NULL);
    CHECK_BUILDER(builder, btls_builder_identity_file(builder, fixture("admin.pem"), fixture("admin.key"), NULL, NULL, NULL),
                  BTLS_OK);
    btls_context *server = build(builder), *client = context_with(NULL, "ca.pem");
    CHECK_STATUS(connect_to(server, client, "localhost"), BTLS_OK);
    CHECK_STATUS(connect_to(server, client, "admin.example"), BTLS_OK);
    CHECK_STATUS(connect_to(server, client, "third.example"), BTLS_CERT_NAME_MISMATCH);
    btls_context_free(server);
    btls_context_free(client);
}

struct blocking_side {
    btls_conn *conn;
    btls_status status;
};

static void *echo_once(void *argument) {
    struct blocking_side *side = (struct blocking_side *)argument;
    char buffer[64];
    size_t count = 0, written = 0;
    side->status = btls_conn_handshake(side->conn);
    if (side->status == BTLS_OK)
        side->status = btls_conn_read(side->conn, buffer, sizeof buffer, &count);
    if (side->status == BTLS_OK)
        side->status = btls_conn_write(side->conn, buffer, count, &written);
    if (side->status == BTLS_OK)
        side->status = btls_conn_shutdown(side->conn);
    return NULL;
}

static void blocking_sockets_never_have_to_wait_for_themselves(void) {
    btls_context *server = server_asking(BTLS_CLIENT_AUTH_NEED), *client = context_with("client", "ca.pem");
    struct pair pair = pair_of(server, client);
    CHECK(fcntl(pair.client_fd, F_SETFL, 0) == 0 && fcntl(pair.server_fd, F_SETFL, 0) == 0);
    struct blocking_side side = {pair.server, BTLS_INTERNAL};
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, echo_once, &side) == 0);
    CHECK_CONN(pair.client, btls_conn_handshake(pair.client), BTLS_OK);
    write_all(pair.client, "ping", 4);
    read_all(pair.client, "ping", 4);
    CHECK_CONN(pair.client, btls_conn_shutdown(pair.client), BTLS_OK);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK_CONN(pair.server, side.status, BTLS_OK);
    close_pair(&pair);
    btls_context_free(server);
    btls_context_free(client);
}

int main(void) {
    RUN(server_alone_shows_its_certificate_and_both_sides_the_same_facts);
    RUN(client_with_a_certificate_is_known_to_the_server);
    RUN(client_is_known_by_its_facts_where_no_chain_is_kept);
    RUN(client_without_a_certificate_is_refused_and_told);
    RUN(client_of_another_ca_is_refused_by_name);
    RUN(wanted_certificate_may_be_left_out_but_not_be_wrong);
    RUN(two_contexts_of_one_process_do_not_know_each_other);
    RUN(server_name_is_checked_unless_it_is_switched_off);
    RUN(deviation_is_refused_unless_its_switch_is_on_and_then_told);
    RUN(application_protocol_is_agreed_on_or_refused);
    RUN(versions_without_a_common_one_are_refused_on_both_sides);
    RUN(session_is_resumed_unless_it_is_switched_off);
    RUN(identity_is_chosen_by_the_name_that_the_client_asks_for);
    RUN(blocking_sockets_never_have_to_wait_for_themselves);
    return 0;
}

/* Statuses and their texts; calls with NULL, in the wrong state and after an error give codes. */
#include "harness.h"

static void every_status_has_a_name_a_message_and_a_category(void) {
    int known = 0;
    for (btls_status status = -10; status < 1300; status++) {
        const char *name = btls_status_name(status);
        CHECK(strncmp(name, "BTLS_", 5) == 0);
        CHECK(btls_status_message(status)[0] != '\0');
        CHECK(btls_status_hint(status) != NULL);
        int32_t category = btls_status_category(status);
        if (strcmp(name, "BTLS_UNKNOWN") == 0) {
            CHECK(category == BTLS_CATEGORY_UNKNOWN);
        } else {
            CHECK(category == (status < 1000 ? status / 100 : BTLS_CATEGORY_ALERT));
            known++;
        }
    }
    CHECK(known > 100);
    CHECK_TEXT(btls_status_name(BTLS_OK), "BTLS_OK");
    CHECK_TEXT(btls_status_name(BTLS_CERT_EXPIRED), "BTLS_CERT_EXPIRED");
    CHECK_TEXT(btls_status_message(BTLS_CERT_EXPIRED), "the peer certificate has expired");
    CHECK(btls_status_category(BTLS_ALERT_UNKNOWN_CA) == BTLS_CATEGORY_ALERT);
}

static void freeing_null_does_nothing(void) {
    btls_builder_free(NULL);
    btls_context_free(NULL);
    btls_conn_free(NULL);
    btls_error_free(NULL);
    btls_list_free(NULL);
    btls_certificate_free(NULL);
}

static void null_builder_is_refused_by_every_call(void) {
    btls_context *context = NULL;
    CHECK_STATUS(btls_builder_build(NULL, &context), BTLS_NULL_POINTER);
    CHECK(context == NULL);
    CHECK_STATUS(btls_builder_set(NULL, "versions", "TLS"), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_identity_file(NULL, "a", NULL, NULL, NULL, NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_identity_memory(NULL, "a", "b", 1, NULL, 0, NULL, NULL, NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_trust_file(NULL, "a", NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_trust_memory(NULL, "a", "b", 1, NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_trust_directory(NULL, "a"), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_trust_system(NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_password_callback(NULL, NULL, NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_store_type(NULL, BTLS_STORE_ANY), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_limits(NULL, 0, 0, 0), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_insecure_allow_missing_mac(NULL, true), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_preset(NULL, "modern"), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_versions(NULL, "TLS"), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_cipher_suites(NULL, "ALL"), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_groups(NULL, "X25519"), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_client_auth(NULL, BTLS_CLIENT_AUTH_NONE), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_send_ca_names(NULL, true), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_log_refusals(NULL, true), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_alpn(NULL, "mqtt"), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_resumption(NULL, true), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_verify_callback(NULL, NULL, NULL, false), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_log_callback(NULL, NULL, NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_insecure_allow(NULL, "insecure-x509-v1", true), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_insecure_skip_server_name(NULL, true), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_insecure_accept_any_server(NULL, true), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_insecure_key_log_file(NULL, "a"), BTLS_NULL_POINTER);
    CHECK(btls_builder_error(NULL) == NULL);
}

static void null_arguments_of_a_builder_are_refused_and_named(void) {
    btls_builder *builder = btls_builder_new();
    CHECK(btls_builder_error(builder) == NULL);
    CHECK_STATUS(btls_builder_identity_file(builder, NULL, NULL, NULL, NULL, NULL), BTLS_NULL_POINTER);
    CHECK_TEXT(btls_error_message(btls_builder_error(builder)), "a required pointer was NULL: file");
    CHECK_STATUS(btls_builder_identity_memory(builder, "a", NULL, 1, NULL, 0, NULL, NULL, NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_identity_memory(builder, "a", "b", 1, NULL, 1, NULL, NULL, NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_identity_memory(builder, "a", "b", SIZE_MAX, NULL, 0, NULL, NULL, NULL),
                 BTLS_INVALID_ARGUMENT);
    CHECK_STATUS(btls_builder_trust_file(builder, NULL, NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_trust_memory(builder, NULL, "b", 1, NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_trust_directory(builder, NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_set(builder, NULL, "x"), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_set(builder, "versions", NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_preset(builder, NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_versions(builder, NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_cipher_suites(builder, NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_groups(builder, NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_alpn(builder, NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_password_callback(builder, NULL, NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_verify_callback(builder, NULL, NULL, false), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_log_callback(builder, NULL, NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_insecure_allow(builder, NULL, true), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_insecure_key_log_file(builder, NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_build(builder, NULL), BTLS_NULL_POINTER);
    CHECK_TEXT(btls_error_message(btls_builder_error(builder)), "a required pointer was NULL: context");
    btls_builder_free(builder);
}

static void arguments_out_of_range_are_refused_with_their_value(void) {
    btls_builder *builder = btls_builder_new();
    CHECK_STATUS(btls_builder_client_auth(builder, 3), BTLS_INVALID_ARGUMENT);
    CHECK_HOLDS(btls_error_message(btls_builder_error(builder)), "client_auth 3");
    CHECK_STATUS(btls_builder_store_type(builder, -1), BTLS_INVALID_ARGUMENT);
    CHECK_STATUS(btls_builder_preset(builder, "fast"), BTLS_INVALID_ARGUMENT);
    CHECK_STATUS(btls_builder_alpn(builder, ""), BTLS_INVALID_ALPN);
    CHECK_STATUS(btls_builder_versions(builder, "\xff\xfe"), BTLS_INVALID_TEXT);
    CHECK_STATUS(btls_builder_insecure_allow(builder, "insecure-everything", true), BTLS_UNKNOWN_OPTION);
    CHECK_HOLDS(btls_error_hint(btls_builder_error(builder)), "insecure-common-name");
    CHECK_STATUS(btls_builder_set(builder, "verions", "TLS"), BTLS_UNKNOWN_OPTION);
    CHECK_HOLDS(btls_error_message(btls_builder_error(builder)), "versions");
    btls_builder_free(builder);
}

static void null_context_is_refused_by_every_call(void) {
    btls_conn *conn = NULL;
    btls_list *list = NULL;
    CHECK_STATUS(btls_conn_new_server(NULL, NULL, &conn, NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_conn_new_client(NULL, "localhost", NULL, &conn, NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_context_reload(NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_context_warnings(NULL, &list), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_context_cipher_suites(NULL, &list), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_context_not_served(NULL, &list), BTLS_NULL_POINTER);
    CHECK(conn == NULL && list == NULL);
    CHECK(btls_context_ref(NULL) == NULL && btls_context_error(NULL) == NULL);
}

static void null_arguments_of_a_context_are_refused(void) {
    btls_context *context = context_with("server", NULL);
    CHECK_STATUS(btls_conn_new_server(context, NULL, NULL, NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_context_warnings(context, NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_context_cipher_suites(context, NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_context_not_served(context, NULL), BTLS_NULL_POINTER);
    btls_error *error = btls_context_error(context);
    CHECK_TEXT(btls_error_name(error), "BTLS_NULL_POINTER");
    btls_error_free(error);
    btls_context_free(context);
}

static void null_connection_is_refused_by_every_call(void) {
    char buffer[4];
    size_t count, other;
    const uint8_t *bytes;
    CHECK_STATUS(btls_conn_set_fd(NULL, 0, 0), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_conn_set_callbacks(NULL, NULL, NULL, NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_conn_handshake(NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_conn_read(NULL, buffer, 4, &count), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_conn_write(NULL, buffer, 4, &count), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_conn_writev(NULL, NULL, 0, &count), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_conn_flush(NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_conn_pending(NULL, &count), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_conn_sleep(NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_conn_close_write(NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_conn_shutdown(NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_conn_task_run(NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_conn_wrap(NULL, NULL, 0, buffer, 4, &count, &other), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_conn_unwrap(NULL, buffer, 4, NULL, 0, &count, &other), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_conn_end_of_input(NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_conn_alpn(NULL, &bytes, &count), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_conn_peer_chain(NULL, 0, &bytes, &count), BTLS_NULL_POINTER);
    CHECK(btls_conn_error(NULL) == NULL && btls_conn_peer_certificate(NULL) == NULL);
    CHECK(btls_conn_version(NULL) == NULL && btls_conn_cipher_suite(NULL) == NULL && btls_conn_group(NULL) == NULL);
    CHECK(btls_conn_server_name(NULL) == NULL && btls_conn_deviation(NULL, 0) == NULL);
    CHECK(btls_conn_deviation_count(NULL) == 0 && btls_conn_peer_chain_count(NULL) == 0);
    CHECK(!btls_conn_wants_write(NULL) && !btls_conn_is_resumed(NULL) && !btls_conn_is_handshaking(NULL));
}

static void null_facts_of_a_certificate_and_list_are_nothing(void) {
    btls_certificate *certificate = NULL;
    const uint8_t junk[] = {0x30, 0x82, 0xff, 0xff};
    CHECK_STATUS(btls_certificate_parse(NULL, 4, &certificate), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_certificate_parse(junk, sizeof junk, NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_certificate_parse(junk, sizeof junk, &certificate), BTLS_CERTIFICATE_MALFORMED);
    CHECK_STATUS(btls_certificate_parse(junk, 0, &certificate), BTLS_CERTIFICATE_MALFORMED);
    CHECK(certificate == NULL);
    CHECK(btls_certificate_subject(NULL) == NULL && btls_certificate_issuer(NULL) == NULL);
    CHECK(btls_certificate_common_name(NULL) == NULL && btls_certificate_serial(NULL) == NULL);
    CHECK(btls_certificate_sha256(NULL) == NULL && btls_certificate_key(NULL) == NULL);
    CHECK(btls_certificate_san_count(NULL) == 0 && btls_certificate_san(NULL, 0) == NULL);
    CHECK(btls_certificate_x509_version(NULL) == 0 && !btls_certificate_is_ca(NULL));
    CHECK(btls_certificate_not_before(NULL) == 0 && btls_certificate_not_after(NULL) == 0);
    CHECK(btls_list_count(NULL) == 0 && btls_list_get(NULL, 0) == NULL && btls_list_note(NULL, 0) == NULL);
    CHECK(btls_error_code(NULL) == BTLS_OK && btls_error_alert(NULL) == -1);
    CHECK_TEXT(btls_error_message(NULL), "");
    CHECK_STATUS(btls_options(NULL), BTLS_NULL_POINTER);
}

static void null_arguments_of_a_connection_are_refused_and_leave_it_usable(void) {
    btls_context *server = context_with("server", NULL), *client = context_with(NULL, "ca.pem");
    struct pair pair = connected(server, client);
    char buffer[4];
    size_t count = 77, other = 77;
    CHECK_STATUS(btls_conn_read(pair.client, NULL, 4, &count), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_conn_read(pair.client, buffer, 4, NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_conn_read(pair.client, buffer, 0, &count), BTLS_INVALID_ARGUMENT);
    CHECK_STATUS(btls_conn_read(pair.client, buffer, SIZE_MAX, &count), BTLS_INVALID_ARGUMENT);
    CHECK_STATUS(btls_conn_write(pair.client, NULL, 4, &count), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_conn_write(pair.client, "abc", 3, NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_conn_writev(pair.client, NULL, 3, &count), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_conn_pending(pair.client, NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_conn_set_callbacks(pair.client, NULL, NULL, NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_conn_wrap(pair.client, NULL, 0, buffer, 4, NULL, &other), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_conn_unwrap(pair.client, buffer, 4, NULL, 0, &count, NULL), BTLS_NULL_POINTER);
    CHECK(count == 77 && other == 77);
    write_all(pair.client, "fine", 4);
    read_all(pair.server, "fine", 4);
    CHECK_STATUS(btls_conn_write(pair.client, NULL, 0, &count), BTLS_OK);
    CHECK(count == 0);
    close_pair(&pair);
    btls_context_free(server);
    btls_context_free(client);
}

static void calls_in_the_wrong_state_are_refused_with_wrong_state(void) {
    btls_context *server = context_with("server", NULL), *client = context_with(NULL, "ca.pem");
    btls_conn *conn = NULL;
    char buffer[64];
    size_t count, other;
    CHECK_STATUS(btls_conn_new_server(server, NULL, &conn, NULL), BTLS_OK);
    CHECK_STATUS(btls_conn_handshake(conn), BTLS_WRONG_STATE);
    CHECK_STATUS(btls_conn_read(conn, buffer, 64, &count), BTLS_WRONG_STATE);
    CHECK_STATUS(btls_conn_set_fd(conn, -1, 5), BTLS_INVALID_ARGUMENT);
    int fds[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    CHECK_STATUS(btls_conn_set_fd(conn, fds[0], fds[0]), BTLS_OK);
    CHECK_STATUS(btls_conn_set_fd(conn, fds[0], fds[0]), BTLS_WRONG_STATE);
    CHECK_STATUS(btls_conn_wrap(conn, NULL, 0, buffer, 64, &count, &other), BTLS_WRONG_STATE);
    CHECK_STATUS(btls_conn_end_of_input(conn), BTLS_WRONG_STATE);
    btls_conn_free(conn);
    close(fds[0]);
    close(fds[1]);

    struct pair pair = connected(server, client);
    CHECK_CONN(pair.client, btls_conn_close_write(pair.client), BTLS_OK);
    CHECK_STATUS(btls_conn_write(pair.client, "late", 4, &count), BTLS_WRONG_STATE);
    close_pair(&pair);
    btls_context_free(server);
    btls_context_free(client);
}

static void context_makes_only_the_sides_it_was_built_for(void) {
    btls_context *server = context_with("server", NULL), *client = context_with(NULL, "ca.pem");
    btls_conn *conn = NULL;
    CHECK_STATUS(btls_conn_new_client(server, "localhost", NULL, &conn, NULL), BTLS_NO_TRUST);
    CHECK_STATUS(btls_conn_new_server(client, NULL, &conn, NULL), BTLS_NO_IDENTITY);
    CHECK_STATUS(btls_conn_new_client(client, NULL, NULL, &conn, NULL), BTLS_INVALID_SERVER_NAME);
    CHECK_STATUS(btls_conn_new_client(client, "no such host!", NULL, &conn, NULL), BTLS_INVALID_SERVER_NAME);
    btls_error *error = NULL;
    CHECK_STATUS(btls_conn_new_client(client, "no such host!", NULL, &conn, &error), BTLS_INVALID_SERVER_NAME);
    CHECK(btls_error_code(error) == BTLS_INVALID_SERVER_NAME && btls_error_category(error) == BTLS_CATEGORY_USAGE);
    CHECK_HOLDS(btls_error_message(error), "no such host!");
    btls_error_free(error);
    CHECK(conn == NULL && btls_context_error(client) == NULL);
    CHECK_STATUS(btls_conn_new_server(NULL, NULL, &conn, &error), BTLS_NULL_POINTER);
    CHECK_HOLDS(btls_error_message(error), "context");
    btls_error_free(error);
    CHECK_STATUS(btls_conn_new_client(client, "localhost", NULL, &conn, &error), BTLS_OK);
    CHECK(conn != NULL && error == NULL);
    btls_conn_free(conn);
    btls_context_free(server);
    btls_context_free(client);
}

static void failed_connection_gives_the_same_error_on_every_further_call(void) {
    btls_context *server = context_with("server", NULL), *client = context_with(NULL, "other-ca.pem");
    struct pair pair = pair_of(server, client);
    btls_status client_status, server_status;
    char buffer[8];
    size_t count;
    shake(&pair, &client_status, &server_status);
    CHECK_STATUS(client_status, BTLS_CERT_UNKNOWN_ISSUER);
    CHECK_STATUS(server_status, BTLS_ALERT_UNKNOWN_CA);
    for (int again = 0; again < 2; again++) {
        CHECK_STATUS(btls_conn_handshake(pair.client), BTLS_CERT_UNKNOWN_ISSUER);
        CHECK_STATUS(btls_conn_read(pair.client, buffer, 8, &count), BTLS_CERT_UNKNOWN_ISSUER);
        CHECK_STATUS(btls_conn_write(pair.client, "late", 4, &count), BTLS_CERT_UNKNOWN_ISSUER);
        CHECK_STATUS(btls_conn_close_write(pair.client), BTLS_CERT_UNKNOWN_ISSUER);
        CHECK_STATUS(btls_conn_shutdown(pair.client), BTLS_CERT_UNKNOWN_ISSUER);
    }
    close_pair(&pair);
    btls_context_free(server);
    btls_context_free(client);
}

static void header_and_library_have_one_version(void) {
    char numbers[64];
    snprintf(numbers, sizeof numbers, "%d.%d.%d", BTLS_VERSION_MAJOR, BTLS_VERSION_MINOR, BTLS_VERSION_PATCH);
    CHECK_TEXT(btls_version(), BTLS_VERSION_TEXT);
    CHECK(strncmp(BTLS_VERSION_TEXT, numbers, strlen(numbers)) == 0);
    CHECK(BTLS_VERSION_NUMBER == BTLS_VERSION_MAJOR * 10000 + BTLS_VERSION_MINOR * 100 + BTLS_VERSION_PATCH);
    CHECK(btls_abi_version() == BTLS_ABI_VERSION);
}

int main(void) {
    RUN(every_status_has_a_name_a_message_and_a_category);
    RUN(freeing_null_does_nothing);
    RUN(null_builder_is_refused_by_every_call);
    RUN(null_arguments_of_a_builder_are_refused_and_named);
    RUN(arguments_out_of_range_are_refused_with_their_value);
    RUN(null_context_is_refused_by_every_call);
    RUN(null_arguments_of_a_context_are_refused);
    RUN(null_connection_is_refused_by_every_call);
    RUN(null_facts_of_a_certificate_and_list_are_nothing);
    RUN(null_arguments_of_a_connection_are_refused_and_leave_it_usable);
    RUN(calls_in_the_wrong_state_are_refused_with_wrong_state);
    RUN(context_makes_only_the_sides_it_was_built_for);
    RUN(failed_connection_gives_the_same_error_on_every_further_call);
    RUN(header_and_library_have_one_version);
    return 0;
}

/* Contexts from every kind of source, what their errors say, and what can be asked of them. */
#include "harness.h"

#include <sys/stat.h>

/* Builds with one identity; gives the status, and checks that the message has a part. */
static btls_status build_identity(const char *file, const char *key, const char *alias, const char *password,
                                  const char *key_password, const char *part) {
    btls_builder *builder = btls_builder_new();
    btls_context *context = NULL;
    btls_status status = btls_builder_identity_file(builder, file, key, alias, password, key_password);
    if (status == BTLS_OK)
        CHECK_BUILDER(builder, btls_builder_build(builder, &context), BTLS_OK);
    if (part != NULL)
        CHECK_HOLDS(btls_error_message(btls_builder_error(builder)), part);
    btls_builder_free(builder);
    btls_context_free(context);
    return status;
}

static void identity_is_taken_from_every_kind_of_file(void) {
    CHECK_STATUS(build_identity(fixture("server.pem"), fixture("server.key"), NULL, NULL, NULL, NULL), BTLS_OK);
    CHECK_STATUS(build_identity(fixture("server-both.pem"), NULL, NULL, NULL, NULL, NULL), BTLS_OK);
    CHECK_STATUS(build_identity(fixture("server.pem"), fixture("server-locked.key"), NULL, "secret", NULL, NULL), BTLS_OK);
    CHECK_STATUS(build_identity(fixture("server.p12"), NULL, NULL, "password", NULL, NULL), BTLS_OK);
    CHECK_STATUS(build_identity(fixture("server.p12"), NULL, "broker", "password", NULL, NULL), BTLS_OK);
    CHECK_STATUS(build_identity(fixture("server.jks"), NULL, "broker", "password", "keypassword", NULL), BTLS_OK);
}

static void identity_that_cannot_be_used_is_refused_with_file_and_alias(void) {
    CHECK_STATUS(build_identity(fixture("server.p12"), NULL, NULL, "wrong", NULL, "server.p12"),
                 BTLS_STORE_PASSWORD_WRONG);
    CHECK_STATUS(build_identity(fixture("server.jks"), NULL, NULL, "password", "wrong", "alias broker"),
                 BTLS_KEY_PASSWORD_WRONG);
    CHECK_STATUS(build_identity(fixture("server.p12"), NULL, "brokr", "password", NULL, "broker"), BTLS_ALIAS_NOT_FOUND);
    CHECK_STATUS(build_identity(fixture("server.pem"), NULL, NULL, NULL, NULL, "server.pem"), BTLS_NO_PRIVATE_KEY);
    CHECK_STATUS(build_identity(fixture("server.pem"), fixture("client.key"), NULL, NULL, NULL, "client.key"),
                 BTLS_KEY_MISMATCH);
    CHECK_STATUS(build_identity(fixture("server.pem"), fixture("server-locked.key"), NULL, NULL, NULL, "server-locked.key"),
                 BTLS_KEY_PASSWORD_MISSING);
    CHECK_STATUS(build_identity("/nonexistent/broker.ks", NULL, NULL, NULL, NULL, "/nonexistent/broker.ks"),
                 BTLS_FILE_UNREADABLE);
    CHECK_STATUS(build_identity(fixture("server.csr"), NULL, NULL, NULL, NULL, "server.csr"), BTLS_NO_PRIVATE_KEY);
}

static void identity_and_trust_are_taken_from_memory(void) {
    size_t certificate_length, key_length, ca_length;
    char *certificate = content_of(fixture("server.pem"), &certificate_length);
    char *key = content_of(fixture("server.key"), &key_length);
    char *ca = content_of(fixture("ca.pem"), &ca_length);
    btls_builder *builder = btls_builder_new();
    CHECK_BUILDER(builder,
                  btls_builder_identity_memory(builder, "config: cert", certificate, certificate_length, key, key_length,
                                               NULL, NULL, NULL),
                  BTLS_OK);
    CHECK_BUILDER(builder, btls_builder_trust_memory(builder, "config: ca", ca, ca_length, NULL), BTLS_OK);
    /* The bytes were copied. */
    memset(certificate, 0, certificate_length);
    memset(key, 0, key_length);
    memset(ca, 0, ca_length);
    btls_context_free(build(builder));

    builder = btls_builder_new();
    CHECK_STATUS(btls_builder_trust_memory(builder, "config: ca", "rubbish", 7, NULL), BTLS_STORE_FORMAT_UNKNOWN);
    CHECK_HOLDS(btls_error_message(btls_builder_error(builder)), "config: ca");
    btls_builder_free(builder);
    free(certificate);
    free(key);
    free(ca);
}

static void trust_is_taken_from_stores_directories_and_the_system(void) {
    btls_builder *builder = btls_builder_new();
    CHECK_BUILDER(builder, btls_builder_trust_file(builder, fixture("trust.jks"), "password"), BTLS_OK);
    CHECK_BUILDER(builder, btls_builder_trust_directory(builder, fixture("trust")), BTLS_OK);
    btls_context_free(build(builder));

    builder = btls_builder_new();
    btls_context *context = NULL;
    CHECK_STATUS(btls_builder_trust_directory(builder, "/nonexistent"), BTLS_FILE_UNREADABLE);
    btls_builder_free(builder);

    /* Whichever roots this machine has, the two outcomes are the only ones. */
    builder = btls_builder_new();
    btls_status status = btls_builder_trust_system(builder);
    if (status == BTLS_OK)
        CHECK_BUILDER(builder, btls_builder_build(builder, &context), BTLS_OK);
    CHECK(status == BTLS_OK || status == BTLS_SYSTEM_ROOTS_UNAVAILABLE);
    btls_context_free(context);
    btls_builder_free(builder);
}

static void given_type_and_limits_hold_for_the_sources_after_them(void) {
    btls_builder *builder = btls_builder_new();
    CHECK_BUILDER(builder, btls_builder_store_type(builder, BTLS_STORE_PEM), BTLS_OK);
    CHECK_STATUS(btls_builder_identity_file(builder, fixture("server.p12"), NULL, NULL, "password", NULL),
                 BTLS_STORE_TYPE_MISMATCH);
    btls_builder_free(builder);

    builder = btls_builder_new();
    CHECK_BUILDER(builder, btls_builder_limits(builder, 100, 0, 0), BTLS_OK);
    CHECK_STATUS(btls_builder_trust_file(builder, fixture("ca.pem"), NULL), BTLS_STORE_TOO_LARGE);
    btls_builder_free(builder);

    builder = btls_builder_new();
    CHECK_BUILDER(builder, btls_builder_limits(builder, 0, 10, 0), BTLS_OK);
    CHECK_STATUS(btls_builder_identity_file(builder, fixture("server.p12"), NULL, NULL, "password", NULL),
                 BTLS_COST_TOO_HIGH);
    btls_builder_free(builder);
}

static void builder_without_what_a_context_needs_is_refused(void) {
    btls_builder *builder = btls_builder_new();
    btls_context *context = NULL;
    CHECK_STATUS(btls_builder_build(builder, &context), BTLS_NO_IDENTITY);
    CHECK_BUILDER(builder, btls_builder_client_auth(builder, BTLS_CLIENT_AUTH_NEED), BTLS_OK);
    CHECK_BUILDER(builder, btls_builder_identity_file(builder, fixture("server-both.pem"), NULL, NULL, NULL, NULL), BTLS_OK);
    CHECK_STATUS(btls_builder_build(builder, &context), BTLS_NO_TRUST);
    CHECK_BUILDER(builder, btls_builder_trust_file(builder, fixture("ca.pem"), NULL), BTLS_OK);
    CHECK_BUILDER(builder, btls_builder_build(builder, &context), BTLS_OK);
    btls_context *again = NULL;
    CHECK_BUILDER(builder, btls_builder_build(builder, &again), BTLS_OK);
    CHECK(again != context);
    btls_builder_free(builder);
    btls_context_free(context);
    btls_context_free(again);
}

static void policy_that_leaves_nothing_is_refused_by_name(void) {
    btls_builder *builder = builder_with("server", NULL);
    btls_context *context = NULL;
    CHECK_BUILDER(builder, btls_builder_versions(builder, "TLSv1.1"), BTLS_OK);
    CHECK_STATUS(btls_builder_build(builder, &context), BTLS_VERSION_NOT_SUPPORTED);
    CHECK_BUILDER(builder, btls_builder_versions(builder, "TLSv1.2"), BTLS_OK);
    CHECK_BUILDER(builder, btls_builder_cipher_suites(builder, "AES256-SHA"), BTLS_OK);
    CHECK_STATUS(btls_builder_build(builder, &context), BTLS_NO_CIPHER_SUITE);
    CHECK_HOLDS(btls_error_message(btls_builder_error(builder)), "AES256-SHA");
    btls_builder_free(builder);
}

static void context_tells_its_suites_and_what_it_does_not_serve(void) {
    btls_builder *builder = builder_with("server", NULL);
    CHECK_BUILDER(builder, btls_builder_preset(builder, "intermediate"), BTLS_OK);
    CHECK_BUILDER(builder, btls_builder_versions(builder, "TLSv1.2"), BTLS_OK);
    CHECK_BUILDER(builder, btls_builder_cipher_suites(builder, "ECDHE-ECDSA-AES128-GCM-SHA256,AES256-SHA"), BTLS_OK);
    CHECK_BUILDER(builder, btls_builder_groups(builder, "X25519"), BTLS_OK);
    btls_context *context = build(builder);
    btls_list *list = NULL;
    CHECK_STATUS(btls_context_cipher_suites(context, &list), BTLS_OK);
    CHECK(btls_list_count(list) == 1);
    CHECK_TEXT(btls_list_get(list, 0), "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
    CHECK(btls_list_note(list, 0) == NULL && btls_list_get(list, 1) == NULL);
    btls_list_free(list);
    CHECK_STATUS(btls_context_not_served(context, &list), BTLS_OK);
    CHECK(btls_list_count(list) == 1);
    CHECK_TEXT(btls_list_get(list, 0), "AES256-SHA");
    CHECK(strlen(btls_list_note(list, 0)) > 0);
    btls_list_free(list);
    CHECK_STATUS(btls_context_warnings(context, &list), BTLS_OK);
    CHECK_HOLDS(btls_list_get(list, 0), "AES256-SHA");
    btls_list_free(list);
    btls_context_free(context);
}

static void options_by_name_do_what_the_functions_do(void) {
    btls_builder *builder = btls_builder_new();
    CHECK_BUILDER(builder, btls_builder_set(builder, "cert", fixture("server.p12")), BTLS_OK);
    CHECK_BUILDER(builder, btls_builder_set(builder, "password", "pass:password"), BTLS_OK);
    CHECK_BUILDER(builder, btls_builder_set(builder, "trust", fixture("ca.pem")), BTLS_OK);
    CHECK_BUILDER(builder, btls_builder_set(builder, "client-auth", "need"), BTLS_OK);
    btls_context_free(build(builder));

    btls_list *options = NULL;
    CHECK_STATUS(btls_options(&options), BTLS_OK);
    CHECK_TEXT(btls_list_get(options, 0), "cert");
    CHECK(btls_list_count(options) > 10);
    for (size_t index = 0; index < btls_list_count(options); index++)
        CHECK(strlen(btls_list_note(options, index)) > 0);
    btls_list_free(options);
}

static void reload_takes_new_files_whole_or_keeps_the_last_good_ones(void) {
    char certificate[1100], key[1100];
    snprintf(certificate, sizeof certificate, "%s", fixture("live.pem"));
    snprintf(key, sizeof key, "%s", fixture("live.key"));
    copy(fixture("server.pem"), certificate);
    copy(fixture("server.key"), key);
    btls_context *server = context_with("live", NULL), *client = context_with(NULL, "ca.pem");
    copy(fixture("misused.pem"), certificate);
    CHECK_STATUS(btls_context_reload(server), BTLS_KEY_MISMATCH);
    btls_error *error = btls_context_error(server);
    CHECK_HOLDS(btls_error_message(error), "live.key");
    btls_error_free(error);
    struct pair pair = connected(server, client);
    CHECK_HOLDS(btls_certificate_subject(btls_conn_peer_certificate(pair.client)), "CN=broker");
    copy(fixture("misused.key"), key);
    CHECK_STATUS(btls_context_reload(server), BTLS_OK);
    /* The open connection continues; the next one shows the new certificate. */
    write_all(pair.client, "still", 5);
    read_all(pair.server, "still", 5);
    close_pair(&pair);
    pair = pair_of(server, client);
    btls_status client_status, server_status;
    shake(&pair, &client_status, &server_status);
    CHECK_STATUS(client_status, BTLS_CERT_PURPOSE_MISMATCH);
    CHECK_HOLDS(btls_error_message(btls_conn_error(pair.client)), "CN=misused");
    close_pair(&pair);
    btls_context_free(server);
    btls_context_free(client);
    unlink(certificate);
    unlink(key);
}

static void reference_keeps_a_context_that_was_freed_elsewhere(void) {
    btls_context *context = context_with("server", NULL);
    CHECK(btls_context_ref(context) == context);
    btls_context_free(context);
    btls_conn *conn = NULL;
    CHECK_STATUS(btls_conn_new_server(context, NULL, &conn, NULL), BTLS_OK);
    btls_context_free(context);
    CHECK(btls_conn_is_handshaking(conn));
    btls_conn_free(conn);
}

static void key_log_is_written_for_its_owner_alone(void) {
    char path[1100];
    snprintf(path, sizeof path, "%s", fixture("keys.log"));
    unlink(path);
    btls_builder *builder = builder_with("server", NULL);
    CHECK_BUILDER(builder, btls_builder_insecure_key_log_file(builder, path), BTLS_OK);
    btls_context *server = build(builder), *client = context_with(NULL, "ca.pem");
    struct pair pair = connected(server, client);
    close_pair(&pair);
    size_t length;
    char *content = content_of(path, &length);
    content[length] = '\0';
    CHECK_HOLDS(content, "CLIENT_TRAFFIC_SECRET_0 ");
    free(content);
    struct stat status;
    CHECK(stat(path, &status) == 0 && (status.st_mode & 0777) == 0600);
    btls_context_free(server);
    btls_context_free(client);
    unlink(path);
}

static void fault_of_a_source_is_told_when_it_is_added_and_loses_nothing(void) {
    btls_builder *builder = builder_with("server", "ca.pem");
    CHECK_STATUS(btls_builder_identity_file(builder, "/nonexistent", NULL, NULL, NULL, NULL), BTLS_FILE_UNREADABLE);
    CHECK_STATUS(btls_builder_identity_file(builder, fixture("server.p12"), NULL, NULL, "wrong", NULL),
                 BTLS_STORE_PASSWORD_WRONG);
    CHECK_STATUS(btls_builder_identity_memory(builder, "config", "rubbish", 7, NULL, 0, NULL, NULL, NULL),
                 BTLS_STORE_FORMAT_UNKNOWN);
    CHECK_STATUS(btls_builder_trust_file(builder, fixture("trust.jks"), "wrong"), BTLS_STORE_PASSWORD_WRONG);
    CHECK_STATUS(btls_builder_trust_file(builder, "/nonexistent", NULL), BTLS_FILE_UNREADABLE);
    CHECK_STATUS(btls_builder_crl_memory(builder, "config", "rubbish", 7), BTLS_CRL_MALFORMED);
    CHECK_STATUS(btls_builder_crl_directory(builder, "/nonexistent"), BTLS_FILE_UNREADABLE);
    CHECK_STATUS(btls_builder_ocsp_file(builder, "/nonexistent"), BTLS_FILE_UNREADABLE);
    CHECK_HOLDS(btls_error_message(btls_builder_error(builder)), "/nonexistent");
    btls_context *server = build(builder), *client = context_with(NULL, "ca.pem");
    struct pair pair = connected(server, client);
    close_pair(&pair);
    btls_context_free(server);
    btls_context_free(client);
}

static void list_that_is_too_long_by_a_limit_set_later_is_told_when_the_context_is_built(void) {
    btls_builder *builder = builder_with("server", "ca.pem");
    btls_context *context = NULL;
    CHECK_BUILDER(builder, btls_builder_set(builder, "max-crl-bytes", "10"), BTLS_OK);
    CHECK_BUILDER(builder, btls_builder_crl_file(builder, fixture("ca.crl")), BTLS_OK);
    CHECK_STATUS(btls_builder_build(builder, &context), BTLS_STORE_TOO_LARGE);
    CHECK_BUILDER(builder, btls_builder_set(builder, "max-crl-bytes", "100000"), BTLS_OK);
    btls_context_free(build(builder));
}

static void insecure_switch_that_is_taken_back_leaves_no_trace(void) {
    for (int round = 0; round < 2; round++) {
        btls_builder *builder = builder_with(NULL, "ca.pem");
        CHECK_BUILDER(builder, btls_builder_insecure_allow(builder, "insecure-x509-v1", true), BTLS_OK);
        CHECK_BUILDER(builder, btls_builder_insecure_skip_server_name(builder, true), BTLS_OK);
        CHECK_BUILDER(builder, btls_builder_insecure_accept_any_server(builder, true), BTLS_OK);
        CHECK_BUILDER(builder, btls_builder_insecure_allow(builder, "insecure-x509-v1", round == 0), BTLS_OK);
        CHECK_BUILDER(builder, btls_builder_insecure_skip_server_name(builder, round == 0), BTLS_OK);
        CHECK_BUILDER(builder, btls_builder_insecure_accept_any_server(builder, round == 0), BTLS_OK);
        btls_context *context = build(builder);
        btls_list *warnings = NULL;
        CHECK_STATUS(btls_context_warnings(context, &warnings), BTLS_OK);
        CHECK(btls_list_count(warnings) == (round == 0 ? 3u : 0u));
        btls_list_free(warnings);
        btls_context_free(context);
    }
}

static void choice_of_no_known_number_is_refused(void) {
    btls_builder *builder = btls_builder_new();
    const int32_t numbers[] = {-1, 77, INT32_MIN, INT32_MAX};
    for (int index = 0; index < 4; index++) {
        CHECK_BUILDER(builder, btls_builder_client_auth(builder, numbers[index]), BTLS_INVALID_ARGUMENT);
        CHECK_BUILDER(builder, btls_builder_store_type(builder, numbers[index]), BTLS_INVALID_ARGUMENT);
        CHECK_BUILDER(builder, btls_builder_revocation(builder, numbers[index]), BTLS_INVALID_ARGUMENT);
    }
    btls_builder_free(builder);
}

int main(void) {
    RUN(identity_is_taken_from_every_kind_of_file);
    RUN(identity_that_cannot_be_used_is_refused_with_file_and_alias);
    RUN(identity_and_trust_are_taken_from_memory);
    RUN(trust_is_taken_from_stores_directories_and_the_system);
    RUN(given_type_and_limits_hold_for_the_sources_after_them);
    RUN(builder_without_what_a_context_needs_is_refused);
    RUN(policy_that_leaves_nothing_is_refused_by_name);
    RUN(context_tells_its_suites_and_what_it_does_not_serve);
    RUN(options_by_name_do_what_the_functions_do);
    RUN(reload_takes_new_files_whole_or_keeps_the_last_good_ones);
    RUN(reference_keeps_a_context_that_was_freed_elsewhere);
    RUN(key_log_is_written_for_its_owner_alone);
    RUN(fault_of_a_source_is_told_when_it_is_added_and_loses_nothing);
    RUN(list_that_is_too_long_by_a_limit_set_later_is_told_when_the_context_is_built);
    RUN(insecure_switch_that_is_taken_back_leaves_no_trace);
    RUN(choice_of_no_known_number_is_refused);
    return 0;
}

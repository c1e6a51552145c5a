/* brokertls: TLS for message brokers.
 *
 * Generated from src/ffi; `make bless` rewrites it.
 *
 * A btls_builder collects files and settings and makes a btls_context. A context makes connections,
 * each a btls_conn, which run over the caller's descriptors, functions or buffers.
 *
 * Rules for every function:
 *
 * - A function that can fail returns a btls_status: 0 is success, and 1 to 99 ask the caller to do
 *   something and to call again. Every other status is an error. Its details are in
 *   btls_builder_error, btls_context_error, btls_conn_error, btls_conn_options_error or
 *   btls_conversion_error of the object of the call. Comments leave out BTLS_NULL_POINTER,
 *   BTLS_INVALID_ARGUMENT for a value out of range, BTLS_BUSY and BTLS_PANIC.
 * - A function without an object may be called from any thread at any time.
 * - Outputs are the last parameters. They are written if the status is below 100, and not touched
 *   otherwise. A count is exactly what was taken or given: the caller never offers these bytes
 *   again. A read or write that must be made again gives 0.
 * - NULL for a required object, text or output gives BTLS_NULL_POINTER. Bytes of length 0 may be
 *   NULL. Freeing NULL does nothing. A function that returns a value and no status returns NULL, 0
 *   or false for NULL and for an index out of range, unless its comment says otherwise. Indexes
 *   start at 0.
 * - Texts are UTF-8 and end with a NUL. The library copies all that it keeps.
 * - A text or object that a function returns lives as long as the object it belongs to, unless the
 *   caller must free it.
 * - A builder, a conversion and a connection are used by one thread at a time. A second call at the
 *   same time, from another thread or from a callback, gives BTLS_BUSY. A function without a status
 *   then returns NULL, 0 or false, and btls_conn_error on that thread gives BTLS_BUSY until a call
 *   of the thread succeeds. Neither is freed while another thread is in a call on it; freed by a
 *   callback, it lives until its call returns. A context may be used by any number of threads.
 * - A call refused with an error of usage (100 to 199) has no effect.
 * - A call does a bounded amount of work, whatever the peer sends. It receives at most 256 KiB that
 *   carry no data for the caller, then returns BTLS_WANT_READ, with a blocking transport too. To
 *   bound the wait of a blocking socket, set SO_RCVTIMEO and SO_SNDTIMEO.
 * - A callback must return: it may neither throw nor longjmp. The library holds no lock while it
 *   calls one.
 * - A defect in the library gives BTLS_PANIC and makes its object unusable; every other object
 *   continues. Only exhausted memory ends the process.
 * - Times are seconds since 1970-01-01 00:00:00 UTC.
 *
 * The manual page of each chapter has the details: man 3 btls_builder, man 3 btls_conn_read. */

#ifndef BROKERTLS_H
#define BROKERTLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "brokertls_errors.h"

/* The version of this header. btls_version gives that of the library. */
#define BTLS_VERSION_MAJOR 0
#define BTLS_VERSION_MINOR 1
#define BTLS_VERSION_PATCH 0
/* 10000 * major + 100 * minor + patch */
#define BTLS_VERSION_NUMBER 100
#define BTLS_VERSION_TEXT "0.1.0"

/* BTLS_ENUM(name) { ... }: a type of 32 bits and its values. Later versions may add values. */
#if defined(__cplusplus) && __cplusplus >= 201103L
#define BTLS_ENUM(name) enum name : int32_t
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 202311L
#define BTLS_ENUM(name) enum name : int32_t; typedef enum name name; enum name : int32_t
#else
#define BTLS_ENUM(name) typedef int32_t name; enum
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ===== 1. LIBRARY ================================================================================
 *
 * The version of the library, and the types that all chapters share. */

/* --- Library: Version --- */

/* The ABI of this header. A program is compiled again if btls_abi_version is another one. */
#define BTLS_ABI_VERSION 0
/* Returns the ABI number of the library: the number in its SONAME. */
uint32_t btls_abi_version(void);
/* Returns the version of the library, e.g. "0.1.0". The text is constant. */
const char *btls_version(void);

/* --- Library: Objects --- */

/* An error: a status, texts that name the file, alias or certificate, and a hint. No secrets. */
typedef struct btls_error btls_error;
/* The settings of a context. A builder is used by one thread at a time. */
typedef struct btls_builder btls_builder;
/* The settings, identities and trust of a broker or listener. Any number of threads may use it. */
typedef struct btls_context btls_context;
/* A TLS connection of a client or a server. One thread at a time uses it; it may change threads. */
typedef struct btls_conn btls_conn;
/* The settings of one connection in place of its context's. One thread at a time uses them. */
typedef struct btls_conn_options btls_conn_options;
/* The facts of a certificate. They never change; several threads may read them. */
typedef struct btls_certificate btls_certificate;
/* A list of texts, each with an optional note. It never changes; several threads may read it. */
typedef struct btls_list btls_list;
/* The revocation sources of a context at one moment. Several threads may read them. */
typedef struct btls_revocation_sources btls_revocation_sources;
/* A revocation source: a file, a list's URL or a responder, with its last result. */
typedef struct btls_revocation_source btls_revocation_source;
/* A connected peer with a revoked certificate in its chain. Valid during btls_revoked_fn. */
typedef struct btls_revoked_peer btls_revoked_peer;
/* A peer with an accepted certificate. Valid during btls_verify_fn. */
typedef struct btls_verify_request btls_verify_request;
/* A request for a password. Valid during btls_password_fn. */
typedef struct btls_password_request btls_password_request;
/* A line of the log. Valid during btls_log_fn. */
typedef struct btls_log_line btls_log_line;

/* --- Library: Lists of texts --- */

/* Returns the number of texts. */
size_t btls_list_count(const btls_list *list);
/* Returns a text. */
const char *btls_list_get(const btls_list *list, size_t index);
/* Returns the note of a text, e.g. a reason, or NULL if it has none. */
const char *btls_list_note(const btls_list *list, size_t index);
/* Frees a list. */
void btls_list_free(btls_list *list);

/* ===== 2. ERRORS =================================================================================
 *
 * A status is a number of brokertls_errors.h. An error has a status, and texts that name the file,
 * alias or certificate. */

/* --- Errors: Statuses --- */

/* The subject of a status. Branch on it: later versions add statuses, not categories. */
BTLS_ENUM(btls_category) {
    BTLS_CATEGORY_PROGRESS = 0, /* No error. The caller does what the status asks for. */
    BTLS_CATEGORY_USAGE = 1, /* The call or the configuration is wrong. */
    BTLS_CATEGORY_KEYSTORE = 2, /* A file or store of keys or certificates cannot be used. */
    BTLS_CATEGORY_CERTIFICATE = 3, /* The peer's certificate was refused. */
    BTLS_CATEGORY_REVOCATION = 4, /* The peer's revocation status is bad or unknown. */
    BTLS_CATEGORY_PROTOCOL = 5, /* The peer broke the protocol, or nothing in common. */
    BTLS_CATEGORY_IO = 7, /* The operating system reported an error. */
    BTLS_CATEGORY_INTERNAL = 9, /* A defect in the library. */
    BTLS_CATEGORY_ALERT = 10, /* The peer ended the connection with an alert. */
    BTLS_CATEGORY_UNKNOWN = -1 /* A number that is no status of this version. */
};

/* Returns the category of a status. */
btls_category btls_status_category(btls_status status);
/* Returns the name of a status, e.g. "BTLS_CERT_EXPIRED", or "BTLS_UNKNOWN"; constant. */
const char *btls_status_name(btls_status status);
/* Returns the meaning of a status: a clause without a full stop; constant. */
const char *btls_status_message(btls_status status);
/* Returns a sentence that says what to do, or an empty text; constant. */
const char *btls_status_hint(btls_status status);

/* --- Errors: Errors --- */

/* Returns the status of an error, or BTLS_OK for NULL. */
btls_status btls_error_code(const btls_error *error);
/* Returns the name of the status, e.g. "BTLS_CERT_EXPIRED". The text is constant. */
const char *btls_error_name(const btls_error *error);
/* Returns the meaning of the status, then the file, alias or certificate and its fault. */
const char *btls_error_message(const btls_error *error);
/* Returns a sentence that says what to do; empty if there is no advice, and for NULL. */
const char *btls_error_hint(const btls_error *error);
/* Returns the TLS alert that was received, or the one that goes with the status, or -1. */
int32_t btls_error_alert(const btls_error *error);
/* Returns the category of an error, or BTLS_CATEGORY_PROGRESS for NULL. */
btls_category btls_error_category(const btls_error *error);
/* Frees an error that the caller owns. A builder and a connection free theirs. */
void btls_error_free(btls_error *error);

/* ===== 3. BUILDER ================================================================================
 *
 * A builder collects the settings, identities and trust of a broker or of one of its listeners. A
 * function that adds a source opens it: a fault that no later setting can change is the error of
 * that call, and the builder stays as it was. btls_builder_set opens nothing. A build and a reload
 * read all sources again. They alone ask password callbacks, and judge what a password opens. */

/* --- Builder: Life --- */

/* Makes a builder without trust and identity. The caller frees it with btls_builder_free. */
btls_builder *btls_builder_new(void);
/* Frees a builder. Contexts made from it stay valid. */
void btls_builder_free(btls_builder *builder);
/* Returns the error of the last failed call on this builder, valid until the next one, or NULL. */
const btls_error *btls_builder_error(const btls_builder *builder);

/* Reads every source and makes a context. The error names the first source or setting that cannot
 * be used. The caller gives its reference back with btls_context_free. */
btls_status btls_builder_build(btls_builder *builder, btls_context **context);

/* --- Builder: Options by name --- */

/* Sets an option by its name, as in a configuration file: "versions", "trust". btls_options lists
 * them. Returns BTLS_UNKNOWN_OPTION with the nearest names. */
btls_status btls_builder_set(btls_builder *builder, const char *option, const char *value);

/* Gives the names of all options, with descriptions as notes. Free with btls_list_free. */
btls_status btls_options(btls_list **options);

/* --- Builder: Identity --- */

/* Adds the identity in a file: a store (PKCS#12, JKS, JCEKS), or certificates in PEM or DER. The
 * order of calls is the order of preference.
 *
 * `key_file` is NULL if the key is in `file`. `alias` selects one entry of a store; NULL selects
 * every key. `password` opens the store or an encrypted PEM key. `key_password` opens the key
 * inside; NULL stands for `password`. */
btls_status btls_builder_identity_file(
    btls_builder *builder, const char *file, const char *key_file, const char *alias,
    const char *password, const char *key_password);

/* Adds the identity in memory, as btls_builder_identity_file does. Messages call it `label`. `key`
 * is NULL if the key is in `certificates`. */
btls_status btls_builder_identity_memory(
    btls_builder *builder, const char *label, const void *certificates, size_t certificates_length,
    const void *key, size_t key_length, const char *alias, const char *password,
    const char *key_password);

/* --- Builder: Trust --- */

/* Trusts the certificates in a file: a store, or PEM or DER. A CA is trusted as an issuer, and
 * every certificate as the peer's own. A needed `password` that is NULL comes from the password
 * callback. */
btls_status btls_builder_trust_file(btls_builder *builder, const char *file, const char *password);

/* Trusts the certificates in memory, as btls_builder_trust_file does. Messages call it `label`. */
btls_status btls_builder_trust_memory(
    btls_builder *builder, const char *label, const void *data, size_t length,
    const char *password);
/* Trusts the certificates in each visible file (PEM or DER) of a directory, not of its folders. */
btls_status btls_builder_trust_directory(btls_builder *builder, const char *directory);
/* Trusts the roots of the system. */
btls_status btls_builder_trust_system(btls_builder *builder);

/* --- Builder: Stores and passwords --- */

/* The type of a store of keys or certificates. */
BTLS_ENUM(btls_store_type) {
    BTLS_STORE_ANY = 0, /* Detected from the content. The default. */
    BTLS_STORE_PEM = 1, /* Text with "-----BEGIN ...-----" blocks. */
    BTLS_STORE_DER = 2, /* DER: a certificate, a private key, or certificates in PKCS#7. */
    BTLS_STORE_PKCS12 = 3, /* PKCS#12, as keytool and openssl pkcs12 write it. */
    BTLS_STORE_JKS = 4, /* Java's JKS. */
    BTLS_STORE_JCEKS = 5 /* Java's JCEKS. */
};

/* Sets the type that the sources added after this call must have. */
btls_status btls_builder_store_type(btls_builder *builder, btls_store_type store_type);

/* The purpose of a password. */
BTLS_ENUM(btls_password_usage) {
    BTLS_PASSWORD_STORE = 0, /* Opens a store. */
    BTLS_PASSWORD_KEY = 1 /* Decrypts one private key. */
};

/* Writes a password of at most `capacity` bytes. Returns its length without NUL, or -1 for none. */
typedef ptrdiff_t (*btls_password_fn)(
    void *user, const btls_password_request *request, char *buffer, size_t capacity);
/* Returns the purpose of the password. */
btls_password_usage btls_password_request_usage(const btls_password_request *request);
/* Returns the file, or the label of the memory, that the password is for. */
const char *btls_password_request_label(const btls_password_request *request);
/* Returns the alias of the private key, or NULL. */
const char *btls_password_request_alias(const btls_password_request *request);

/* Sets a function that gives the passwords of the sources added after this call without one. It is
 * called at each build and reload. `user` must outlive the builder and its contexts. */
btls_status btls_builder_password_callback(
    btls_builder *builder, btls_password_fn function, void *user);

/* Limits the cost of each source added after this call. 0 selects the default. */
btls_status btls_builder_limits(
    btls_builder *builder, size_t max_content_bytes, uint64_t max_kdf_iterations,
    uint64_t max_kdf_memory_bytes);
/* Allows PKCS#12 stores without an integrity check from now on. Default: false. INSECURE. */
btls_status btls_builder_insecure_allow_missing_mac(btls_builder *builder, bool allows);

/* --- Builder: Policy --- */

/* Selects a preset: "modern" (TLS 1.3) or "intermediate" (TLS 1.2 and 1.3, the default). */
btls_status btls_builder_preset(btls_builder *builder, const char *name);
/* Sets the protocol versions, e.g. "TLSv1.2,TLSv1.3". */
btls_status btls_builder_versions(btls_builder *builder, const char *names);
/* Sets the cipher suites in order of preference: names, or an OpenSSL cipher string. */
btls_status btls_builder_cipher_suites(btls_builder *builder, const char *names);
/* Sets the key exchange groups in order of preference, e.g. "X25519MLKEM768:X25519:P-256". */
btls_status btls_builder_groups(btls_builder *builder, const char *names);
/* Adds an application protocol (ALPN), e.g. "mqtt", in order of preference. */
btls_status btls_builder_alpn(btls_builder *builder, const char *protocol);
/* Adds the pre-shared key of a client, for a context with the option legacy-engine. */
btls_status btls_builder_psk(
    btls_builder *builder, const void *identity, size_t identity_length, const void *secret,
    size_t secret_length);
/* Writes a secret. Returns its length, 0 for an unknown identity, or -1 if that cannot be told. */
typedef ptrdiff_t (*btls_psk_fn)(
    void *user, void *conn_user, const uint8_t *identity, size_t length, uint8_t *secret,
    size_t capacity);
/* Sets a function that gives further secrets. The rest is as for btls_builder_verify_callback. */
btls_status btls_builder_psk_callback(
    btls_builder *builder, btls_psk_fn function, void *user, bool may_block);

/* --- Builder: Verification --- */

/* The request of a server for a client's certificate. */
BTLS_ENUM(btls_client_auth) {
    BTLS_CLIENT_AUTH_NONE = 0, /* Not requested. The default. */
    BTLS_CLIENT_AUTH_WANT = 1, /* Requested. A client without one is accepted. */
    BTLS_CLIENT_AUTH_NEED = 2 /* Required. */
};

/* Sets if a server requests or requires a client's certificate. */
btls_status btls_builder_client_auth(btls_builder *builder, btls_client_auth client_auth);
/* Sets if a server that requests a certificate names its trusted CAs. Default: true. */
btls_status btls_builder_send_ca_names(btls_builder *builder, bool sends);

/* Tolerates one deviation in peer certificates, or no longer. Default: none. Each use is logged.
 * The names are "insecure-x509-v1", "insecure-ca-as-end-entity", "insecure-common-name",
 * "insecure-rsa-1024" and "insecure-key-usage"; BTLS_UNKNOWN_OPTION for others. */
btls_status btls_builder_insecure_allow(btls_builder *builder, const char *name, bool allows);

/* Lets clients accept a certificate for another host. Default: false. INSECURE: impersonation. */
btls_status btls_builder_insecure_skip_server_name(btls_builder *builder, bool skips);
/* Lets clients accept a server with any certificate. Default: false. INSECURE: anyone can be it. */
btls_status btls_builder_insecure_accept_any_server(btls_builder *builder, bool accepts);

/* --- Builder: Verify callback --- */

/* The decision about a peer. */
BTLS_ENUM(btls_verify_decision) {
    BTLS_VERIFY_ACCEPT = 0, /* Accepts the peer. */
    BTLS_VERIFY_REFUSE = 1 /* Refuses the peer. */
};

/* Decides about a peer with an accepted certificate. All but BTLS_VERIFY_ACCEPT refuse it. */
typedef btls_verify_decision (*btls_verify_fn)(void *user, btls_verify_request *request);

/* Sets a function that may refuse a peer with an accepted certificate. If `may_block` is true,
 * connections return BTLS_WANT_TASK and call it from btls_conn_task_run only. `user` must stay
 * valid as long as the context and its connections. */
btls_status btls_builder_verify_callback(
    btls_builder *builder, btls_verify_fn function, void *user, bool may_block);

/* The role of a peer. */
BTLS_ENUM(btls_peer_role) {
    BTLS_PEER_SERVER = 0, /* The peer is a server. */
    BTLS_PEER_CLIENT = 1 /* The peer is a client. */
};

/* Returns the role of the peer. */
btls_peer_role btls_verify_request_role(const btls_verify_request *request);
/* Returns the number of the connection (btls_conn_id). */
uint64_t btls_verify_request_conn_id(const btls_verify_request *request);
/* Returns the user pointer of the connection (btls_conn_options_user). */
void *btls_verify_request_conn_user(const btls_verify_request *request);
/* Returns the protocol version, e.g. "TLSv1.3", as btls_conn_version does. */
const char *btls_verify_request_version(const btls_verify_request *request);
/* Returns the name that the client sent (SNI), or on a client the host, or NULL. */
const char *btls_verify_request_server_name(const btls_verify_request *request);
/* Returns true if the call is about the resumption of an earlier session. */
bool btls_verify_request_is_resumed(const btls_verify_request *request);
/* Returns the peer's own certificate. */
const btls_certificate *btls_verify_request_certificate(const btls_verify_request *request);
/* Returns the number of certificates that the peer sent. */
size_t btls_verify_request_chain_count(const btls_verify_request *request);
/* Gives one of these certificates in DER; 0 is the peer's own. */
btls_status btls_verify_request_chain(
    const btls_verify_request *request, size_t index, const uint8_t **der, size_t *length);
/* Sets the reason of a refusal, for the error and the log. */
btls_status btls_verify_request_set_reason(btls_verify_request *request, const char *reason);

/* --- Builder: Revocation --- */

/* The answer if no source has the revocation status of a peer. */
BTLS_ENUM(btls_revocation_mode) {
    BTLS_REVOCATION_OFF = 0, /* Peers are not checked for revocation. */
    BTLS_REVOCATION_PREFER = 1, /* A peer with an unknown status is accepted and counted. */
    BTLS_REVOCATION_REQUIRE = 2 /* A peer with an unknown status is refused. */
};

/* Sets the answer if no source has the revocation status of a peer. */
btls_status btls_builder_revocation(btls_builder *builder, btls_revocation_mode revocation);
/* Adds the revocation lists (CRL) in a file, PEM or DER. Listed peers get BTLS_CERT_REVOKED. */
btls_status btls_builder_crl_file(btls_builder *builder, const char *file);
/* Adds the revocation lists in memory. Messages call it `label`. */
btls_status btls_builder_crl_memory(
    btls_builder *builder, const char *label, const void *data, size_t length);
/* Adds the revocation lists in each visible file of a directory. */
btls_status btls_builder_crl_directory(btls_builder *builder, const char *directory);
/* Adds the OCSP responses about peers in a file, DER or PEM. */
btls_status btls_builder_ocsp_file(btls_builder *builder, const char *file);
/* Adds OCSP responses about peers in memory. Messages call them `label`. */
btls_status btls_builder_ocsp_memory(
    btls_builder *builder, const char *label, const void *data, size_t length);

/* --- Builder: Peers revoked while connected --- */

/* The action for a connection with a revoked peer. */
BTLS_ENUM(btls_revoked_action) {
    BTLS_REVOKED_KEEP = 0, /* The connection continues and is not reported again. */
    BTLS_REVOKED_CLOSE = 1 /* The connection ends at its next call with BTLS_CERT_REVOKED. */
};

/* Called once for each open connection with a revoked certificate in the peer's chain. Any result
 * but BTLS_REVOKED_KEEP closes the connection at its next call. */
typedef btls_revoked_action (*btls_revoked_fn)(void *user, const btls_revoked_peer *peer);

/* Sets the function for open connections with a revoked peer. Without one, they only are logged. */
btls_status btls_builder_on_revoked(btls_builder *builder, btls_revoked_fn function, void *user);
/* Returns the number of the connection, see btls_conn_id. */
uint64_t btls_revoked_peer_conn_id(const btls_revoked_peer *peer);
/* Returns the user pointer of the connection (btls_conn_options_user). */
void *btls_revoked_peer_conn_user(const btls_revoked_peer *peer);
/* Returns the subject of the revoked certificate, as btls_certificate_subject does. */
const char *btls_revoked_peer_subject(const btls_revoked_peer *peer);
/* Returns the issuer of the revoked certificate. */
const char *btls_revoked_peer_issuer(const btls_revoked_peer *peer);
/* Returns the serial number of the revoked certificate, as btls_certificate_serial does. */
const char *btls_revoked_peer_serial(const btls_revoked_peer *peer);
/* Returns the reason by its name in RFC 5280 section 5.3.1: "keyCompromise", "unspecified". */
const char *btls_revoked_peer_reason(const btls_revoked_peer *peer);
/* Returns the time of the revocation. */
int64_t btls_revoked_peer_time(const btls_revoked_peer *peer);

/* --- Builder: Sessions --- */

/* Sets if sessions are resumed. Default: true. See the options "session-*" and "tls13-tickets". */
btls_status btls_builder_resumption(btls_builder *builder, bool resumes);

/* --- Builder: Logs --- */

/* The importance of a line of the log. */
BTLS_ENUM(btls_log_level) {
    BTLS_LOG_ERROR = 1, /* Something was refused or failed. */
    BTLS_LOG_WARN = 2, /* Something works and should be changed. */
    BTLS_LOG_INFO = 3 /* A fact worth knowing. */
};

/* Takes a line of the log. */
typedef void (*btls_log_fn)(void *user, const btls_log_line *line);
/* Sets a function that takes the context's log. Without one, nothing is logged. */
btls_status btls_builder_log_callback(btls_builder *builder, btls_log_fn function, void *user);
/* Sets if each refusal, by this side or the peer, is logged at BTLS_LOG_ERROR. Default: true. */
btls_status btls_builder_log_refusals(btls_builder *builder, bool logs);
/* Returns the importance of the line. */
btls_log_level btls_log_line_level(const btls_log_line *line);
/* Returns the text without a line break at its end. */
const char *btls_log_line_text(const btls_log_line *line);
/* Returns the number of the connection (btls_conn_id) that the line is about, or 0. */
uint64_t btls_log_line_conn_id(const btls_log_line *line);
/* Appends the secrets of all connections to a file (Wireshark). INSECURE: its reader reads all. */
btls_status btls_builder_insecure_key_log_file(btls_builder *builder, const char *file);

/* ===== 4. CONTEXT ================================================================================
 *
 * A context holds the settings, identities and trust that a builder collected. It is counted by
 * references, and any number of threads may use it at the same time. */

/* --- Context: References --- */

/* Takes another reference and returns the same pointer. */
btls_context *btls_context_ref(btls_context *context);

/* Gives a reference back. The last one ends the context and waits for the thread of
 * btls_context_start_maintenance, which takes as long as a fetch in progress. The caller must not
 * hold a lock that a callback takes. */
void btls_context_free(btls_context *context);

/* Returns a copy of the thread's last error on this context, or NULL. Free with btls_error_free. */
btls_error *btls_context_error(const btls_context *context);

/* --- Context: Reload and maintenance --- */

/* Reads every source again, for new connections. On a failure, the context keeps what it had. */
btls_status btls_context_reload(btls_context *context);

/* Does the due work: fetches staples, lists and OCSP responses before they expire, and reports
 * revoked peers. Gives the milliseconds until the next call, at most 60,000. */
btls_status btls_context_maintain(btls_context *context, uint64_t *next_ms);

/* Starts a thread that calls btls_context_maintain until the context ends, if there is none yet. */
btls_status btls_context_start_maintenance(btls_context *context);

/* --- Context: Facts --- */

/* Gives the warnings of the last load. Free the list with btls_list_free. */
btls_status btls_context_warnings(const btls_context *context, btls_list **warnings);
/* Gives the IANA names of the active cipher suites in order. Free with btls_list_free. */
btls_status btls_context_cipher_suites(const btls_context *context, btls_list **names);
/* Gives the configured names that are not supported, with reasons. Free with btls_list_free. */
btls_status btls_context_not_served(const btls_context *context, btls_list **names);
/* Returns the number of peers with a part of the second engine, by its name ("TLSv1"). */
uint64_t btls_context_legacy_uses(const btls_context *context, const char *name);

/* --- Context: Revocation sources --- */

/* Returns the number of accepted certificates with an unknown status since the last reload. */
uint64_t btls_context_revocation_unknown_accepted(const btls_context *context);
/* Gives the revocation sources: files, fetched lists, responders. */
btls_status btls_context_revocation_sources(
    const btls_context *context, btls_revocation_sources **sources);
/* Returns the number of sources. */
size_t btls_revocation_sources_count(const btls_revocation_sources *sources);
/* Returns a source. */
const btls_revocation_source *btls_revocation_sources_get(
    const btls_revocation_sources *sources, size_t index);
/* Frees the result of btls_context_revocation_sources. */
void btls_revocation_sources_free(btls_revocation_sources *sources);

/* The kind of a revocation source. Later versions may add kinds. */
BTLS_ENUM(btls_source_kind) {
    BTLS_SOURCE_CRL = 0, /* Revocation lists (CRL), from a file or fetched. */
    BTLS_SOURCE_OCSP = 1, /* OCSP responses about peers, from a file or fetched. */
    BTLS_SOURCE_STAPLE = 2, /* The OCSP response for an own certificate. */
    BTLS_SOURCE_UNKNOWN = -1 /* No source. */
};

/* Returns the kind of a source. */
btls_source_kind btls_revocation_source_kind(const btls_revocation_source *source);
/* Returns the file, label or URL of a source. */
const char *btls_revocation_source_place(const btls_revocation_source *source);
/* Returns the time of the last successful read or fetch, or 0 if there was none. */
int64_t btls_revocation_source_last_success(const btls_revocation_source *source);
/* Returns the time of the next fetch by btls_context_maintain, or 0 for a file. */
int64_t btls_revocation_source_next_refresh(const btls_revocation_source *source);
/* Returns the number of revoked certificates or of responses. */
size_t btls_revocation_source_entries(const btls_revocation_source *source);
/* Returns the number of failed reads and fetches. */
uint64_t btls_revocation_source_failures(const btls_revocation_source *source);
/* Returns the message of the last read or fetch if it failed, or NULL. */
const char *btls_revocation_source_last_error(const btls_revocation_source *source);

/* ===== 5. CONNECTION =============================================================================
 *
 * A connection is one TLS session, of a client or of a server. It has one transport: descriptors
 * (btls_conn_set_fd), functions (btls_conn_set_callbacks), or none. Without one, the caller moves
 * the bytes with btls_conn_wrap and btls_conn_unwrap. */

/* --- Connection: Options of one connection --- */

/* Makes options without a setting. Any number of connections may use them. */
btls_conn_options *btls_conn_options_new(void);
/* Frees options. Their connections stay valid. */
void btls_conn_options_free(btls_conn_options *options);
/* Returns the error of the last failed call on the options, or NULL. */
const btls_error *btls_conn_options_error(const btls_conn_options *options);
/* Sets if a server requests or requires a client's certificate. */
btls_status btls_conn_options_client_auth(btls_conn_options *options, btls_client_auth client_auth);
/* Adds an application protocol (ALPN). The list replaces that of the context. */
btls_status btls_conn_options_alpn(btls_conn_options *options, const char *protocol);
/* Removes all application protocols, also those of the context. */
btls_status btls_conn_options_clear_alpn(btls_conn_options *options);
/* Sets the server name (SNI) of a client, or NULL for none. Default: the host. */
btls_status btls_conn_options_server_name(btls_conn_options *options, const char *name);
/* Sets the pointer that btls_conn_user and callbacks give back. Default: NULL. */
btls_status btls_conn_options_user(btls_conn_options *options, void *user);

/* --- Connection: Set-up --- */

/* Makes the server's side of a connection. Free it with btls_conn_free. `options` and `error` may
 * be NULL; `error` becomes the error of a failed call, which the caller frees, or NULL. */
btls_status btls_conn_new_server(
    const btls_context *context, const btls_conn_options *options, btls_conn **conn,
    btls_error **error);

/* Makes the client's side of a connection, as btls_conn_new_server does. The server's certificate
 * must be for `host`, a DNS name or an IP address, or NULL if the context checks none. */
btls_status btls_conn_new_client(
    const btls_context *context, const char *host, const btls_conn_options *options,
    btls_conn **conn, btls_error **error);

/* Frees a connection and sends nothing: call btls_conn_shutdown first. Descriptors stay open. */
void btls_conn_free(btls_conn *conn);
/* Returns the error of the last failed call on this connection, valid until the next, or NULL. */
const btls_error *btls_conn_error(const btls_conn *conn);

/* Sets the descriptors, blocking or not; both may be the same. The caller keeps them open until the
 * connection is freed, and closes them. BTLS_WRONG_STATE if a transport is set. */
btls_status btls_conn_set_fd(btls_conn *conn, int read_fd, int write_fd);

/* Reads ciphertext as read(2) does: 0 at the end, -1 with EAGAIN if there is nothing now. */
typedef ptrdiff_t (*btls_read_fn)(void *user, void *buffer, size_t length);
/* Writes ciphertext as write(2) does: -1 with EAGAIN if none can be taken now. */
typedef ptrdiff_t (*btls_write_fn)(void *user, const void *buffer, size_t length);
/* Sets functions as the transport. BTLS_WRONG_STATE if a transport is set. */
btls_status btls_conn_set_callbacks(
    btls_conn *conn, btls_read_fn read, btls_write_fn write, void *user);

/* --- Connection: Handshake and I/O --- */

/* Continues the handshake. Reading and writing also do so.
 *
 * Returns BTLS_OK when it is complete. Returns BTLS_WANT_READ or BTLS_WANT_WRITE: call again when
 * the transport is readable or writable. Returns BTLS_WANT_TASK: call btls_conn_task_run, then call
 * again. Any other status ends the connection, except an error of usage. */
btls_status btls_conn_handshake(btls_conn *conn);

/* Reads up to `length` bytes of plaintext into `buffer`, and sets `read` to the number of bytes.
 *
 * Returns BTLS_OK with at least one byte, BTLS_CLOSED after the peer's close_notify, BTLS_TRUNCATED
 * if the transport ended without one and data may be missing, or as btls_conn_handshake. */
btls_status btls_conn_read(btls_conn *conn, void *buffer, size_t length, size_t *read);

/* Writes plaintext, and sets `written` to the number of bytes taken, which may be less than
 * `length`. After BTLS_OK, do not offer these bytes again. After BTLS_WANT_WRITE, the next write
 * must begin with the same bytes.
 *
 * Returns as btls_conn_handshake does. */
btls_status btls_conn_write(btls_conn *conn, const void *data, size_t length, size_t *written);

/* Writes `count` pieces as one, as btls_conn_write does. Small pieces share a record. */
btls_status btls_conn_writev(
    btls_conn *conn, const struct iovec *pieces, size_t count, size_t *written);
/* Sends the bytes that wait to be sent. Returns BTLS_OK, BTLS_WANT_WRITE or an error. */
btls_status btls_conn_flush(btls_conn *conn);
/* Returns true if bytes wait to be sent: wait until the transport is writable. */
bool btls_conn_wants_write(const btls_conn *conn);

/* Gives the number of plaintext bytes that can be read without the transport. Read until it is 0:
 * the descriptor does not become readable for bytes that have arrived already. */
btls_status btls_conn_pending(btls_conn *conn, size_t *pending);

/* Drops the expanded keys of an idle connection, 1.4 KiB. The next record makes them again. */
btls_status btls_conn_sleep(btls_conn *conn);

/* Runs the task of BTLS_WANT_TASK, a verification that may wait. It may run on any thread, while no
 * other thread uses the connection. The next call on the connection returns the result. */
btls_status btls_conn_task_run(btls_conn *conn);

/* Sends close_notify: this side writes no more. Reading stays possible. */
btls_status btls_conn_close_write(btls_conn *conn);

/* Sends close_notify and waits for the peer's. Data that arrives before it is dropped; read it
 * first if it matters. The descriptors stay open. Returns BTLS_OK when both are done,
 * BTLS_WANT_READ or BTLS_WANT_WRITE to call again, BTLS_TRUNCATED if the peer ends without
 * close_notify, or another error. */
btls_status btls_conn_shutdown(btls_conn *conn);

/* --- Connection: Buffers of the caller --- */

/* The size of the largest record: an output of this size is enough for btls_conn_wrap. */
#define BTLS_MAX_RECORD_BYTES 18437
/* The size of the largest plaintext of a record: enough for an output of btls_conn_unwrap. */
#define BTLS_MAX_PLAINTEXT_BYTES 16384

/* Decrypts the whole records of `records` into `plain`, as far as they fit, and sets the numbers of
 * bytes consumed and produced. It may change all of both buffers. They must not overlap.
 *
 * Returns BTLS_OK; BTLS_WANT_READ if `records` has no whole record; BTLS_WANT_WRITE to call
 * btls_conn_wrap first; BTLS_WANT_TASK; BTLS_CLOSED; or BTLS_BUFFER_TOO_SMALL. */
btls_status btls_conn_unwrap(
    btls_conn *conn, void *records, size_t records_length, void *plain, size_t plain_length,
    size_t *consumed, size_t *produced);

/* Puts records for the peer into `records`: pending handshake messages and alerts first, otherwise
 * records of `plain`, as far as they fit. Sets the numbers of bytes consumed and produced. The
 * buffers must not overlap.
 *
 * Returns BTLS_OK; BTLS_WANT_WRITE if more is pending; BTLS_WANT_READ to call btls_conn_unwrap
 * first; BTLS_WANT_TASK; BTLS_CLOSED if the peer has closed; BTLS_BUFFER_TOO_SMALL; or an error. */
btls_status btls_conn_wrap(
    btls_conn *conn, const void *plain, size_t plain_length, void *records, size_t records_length,
    size_t *consumed, size_t *produced);

/* Reports the end of the transport of a connection without one. Returns BTLS_OK after close_notify,
 * else BTLS_TRUNCATED, BTLS_HANDSHAKE_EOF, BTLS_PEER_NOT_TLS or the earlier error. */
btls_status btls_conn_end_of_input(btls_conn *conn);

/* --- Connection: Facts --- */

/* Returns the number of the connection, which no other connection of its context has. */
uint64_t btls_conn_id(const btls_conn *conn);
/* Returns the user pointer of the connection (btls_conn_options_user). */
void *btls_conn_user(const btls_conn *conn);
/* Returns true until the handshake is complete. */
bool btls_conn_is_handshaking(const btls_conn *conn);
/* Returns true if an earlier session was resumed, and false before the handshake is complete. */
bool btls_conn_is_resumed(const btls_conn *conn);
/* Returns the protocol version, e.g. "TLSv1.3", or NULL before it is chosen. */
const char *btls_conn_version(const btls_conn *conn);
/* Returns the cipher suite by its IANA name, or NULL before it is chosen. */
const char *btls_conn_cipher_suite(const btls_conn *conn);
/* Returns the key exchange group, e.g. "X25519MLKEM768", or NULL before it is chosen. */
const char *btls_conn_group(const btls_conn *conn);
/* On a server, returns the server name of the client (SNI), or NULL. */
const char *btls_conn_server_name(const btls_conn *conn);
/* Gives the agreed application protocol (ALPN) without a NUL at its end, or NULL and 0. */
btls_status btls_conn_alpn(const btls_conn *conn, const uint8_t **protocol, size_t *length);
/* Gives the identity of the client's pre-shared key without a NUL, or NULL and 0. */
btls_status btls_conn_psk_identity(const btls_conn *conn, const uint8_t **identity, size_t *length);
/* Returns the peer's own certificate after its verification, or NULL. Do not free it. */
const btls_certificate *btls_conn_peer_certificate(const btls_conn *conn);
/* Returns the number of certificates that the peer sent, after their verification. */
size_t btls_conn_peer_chain_count(const btls_conn *conn);
/* Gives a certificate of the peer in DER as it was sent. Index 0 is the peer's own. */
btls_status btls_conn_peer_chain(
    const btls_conn *conn, size_t index, const uint8_t **der, size_t *length);
/* Returns the number of tolerated deviations (btls_builder_insecure_allow). */
size_t btls_conn_deviation_count(const btls_conn *conn);
/* Returns the name of a tolerated deviation. */
const char *btls_conn_deviation(const btls_conn *conn, size_t index);

/* ===== 6. CERTIFICATES ===========================================================================
 *
 * The facts of one certificate. Those of a peer come from btls_conn_peer_certificate. Nothing here
 * verifies a certificate. */

/* --- Certificates: Life --- */

/* Parses one certificate in DER, unverified. Free the object with btls_certificate_free. */
btls_status btls_certificate_parse(
    const uint8_t *der, size_t length, btls_certificate **certificate);
/* Frees an object of btls_certificate_parse. A connection frees its own. */
void btls_certificate_free(btls_certificate *certificate);

/* --- Certificates: Facts --- */

/* Returns the subject in the form of RFC 4514, the last relative name first: "CN=a,O=Example". */
const char *btls_certificate_subject(const btls_certificate *certificate);
/* Returns the issuer in the same form. */
const char *btls_certificate_issuer(const btls_certificate *certificate);
/* Returns the last common name of the subject, the most specific. NULL if it is not a text. */
const char *btls_certificate_common_name(const btls_certificate *certificate);
/* Returns the first common name of the subject, which most programs use. NULL as above. */
const char *btls_certificate_first_common_name(const btls_certificate *certificate);
/* Returns the serial number in lower-case hexadecimal: "80ff", "-01". */
const char *btls_certificate_serial(const btls_certificate *certificate);
/* Returns the SHA-256 fingerprint of the certificate in lower-case hexadecimal. */
const char *btls_certificate_sha256(const btls_certificate *certificate);
/* Returns the type and size of the key: "RSA 2048", "EC P-256", "Ed25519". */
const char *btls_certificate_key(const btls_certificate *certificate);
/* Returns the X.509 version, 1 to 3. */
uint32_t btls_certificate_x509_version(const btls_certificate *certificate);
/* Returns the first second of validity. */
int64_t btls_certificate_not_before(const btls_certificate *certificate);
/* Returns the last second of validity. */
int64_t btls_certificate_not_after(const btls_certificate *certificate);
/* Returns true for a CA, by the basic constraints. */
bool btls_certificate_is_ca(const btls_certificate *certificate);
/* Gives the DER encoding of the subject, an X.501 Name. */
btls_status btls_certificate_subject_der(
    const btls_certificate *certificate, const uint8_t **der, size_t *length);
/* Gives the DER encoding of the issuer. */
btls_status btls_certificate_issuer_der(
    const btls_certificate *certificate, const uint8_t **der, size_t *length);

/* --- Certificates: Attributes of the subject --- */

/* Returns the number of attributes of the subject. Index 0 is the first in the certificate. */
size_t btls_certificate_attribute_count(const btls_certificate *certificate);
/* Returns the index of the first attribute of type `oid` from `start` on; the count if none is. */
size_t btls_certificate_attribute_find(
    const btls_certificate *certificate, const char *oid, size_t start);
/* Returns the type of an attribute: an object identifier in dotted form. */
const char *btls_certificate_attribute_oid(const btls_certificate *certificate, size_t index);
/* Returns the value of an attribute without escapes. NULL if it is not text or holds a NUL. */
const char *btls_certificate_attribute_text(const btls_certificate *certificate, size_t index);
/* Returns the position of the relative name of an attribute. Several attributes may share it. */
size_t btls_certificate_attribute_rdn(const btls_certificate *certificate, size_t index);
/* Gives the DER encoding of the value of an attribute, with its tag. */
btls_status btls_certificate_attribute_der(
    const btls_certificate *certificate, size_t index, const uint8_t **der, size_t *length);

/* --- Certificates: Subject alternative names --- */

/* The kind of a subject alternative name. Later versions may add kinds. */
BTLS_ENUM(btls_san_kind) {
    BTLS_SAN_NONE = 0, /* No name. */
    BTLS_SAN_DNS = 1, /* A DNS host name, possibly with a wildcard. */
    BTLS_SAN_IP = 2, /* An IP address. */
    BTLS_SAN_EMAIL = 3, /* An e-mail address. */
    BTLS_SAN_URI = 4, /* A URI, e.g. a SPIFFE identity. */
    BTLS_SAN_UPN = 5, /* A user principal name of Active Directory. */
    BTLS_SAN_OTHER = 6, /* An otherName of another type. */
    BTLS_SAN_DIRECTORY = 7, /* A distinguished name. */
    BTLS_SAN_REGISTERED_ID = 8, /* A registered object identifier. */
    BTLS_SAN_UNKNOWN = 9 /* Another kind, or a malformed name. */
};

/* Returns the number of subject alternative names. */
size_t btls_certificate_san_count(const btls_certificate *certificate);
/* Returns an alternative name with its kind, to be shown: "DNS:a.example", "IP:192.0.2.1". */
const char *btls_certificate_san(const btls_certificate *certificate, size_t index);
/* Returns the kind of a subject alternative name, or BTLS_SAN_NONE for an index out of range. */
btls_san_kind btls_certificate_san_kind(const btls_certificate *certificate, size_t index);
/* Returns the value without escapes: host, address, URI, name or identifier. NULL if not text. */
const char *btls_certificate_san_value(const btls_certificate *certificate, size_t index);
/* Returns the type of an otherName in dotted form, or NULL for other kinds. */
const char *btls_certificate_san_oid(const btls_certificate *certificate, size_t index);
/* Gives the DER encoding of the name. */
btls_status btls_certificate_san_der(
    const btls_certificate *certificate, size_t index, const uint8_t **der, size_t *length);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* BROKERTLS_H */

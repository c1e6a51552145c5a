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
 *   btls_builder_error, btls_context_error or btls_conn_error of the object of the call.
 * - Outputs are the last parameters. They are written if the status is below 100, and not touched
 *   otherwise. A count is 0 if the call must be made again.
 * - NULL for a required object, text or output gives BTLS_NULL_POINTER. Bytes of length 0 may be
 *   NULL. Freeing NULL does nothing. A function that returns a value and no status returns NULL, 0
 *   or false for NULL, unless its comment says otherwise.
 * - Texts are UTF-8 and end with a NUL. The library copies every text, password and byte that it
 *   keeps.
 * - A text or object that a function returns lives as long as the object it belongs to, unless the
 *   caller must free it.
 * - A builder and a connection are used by one thread at a time. A second call at the same time,
 *   from another thread or from a callback, gives BTLS_BUSY. A function without a status then
 *   returns NULL, 0 or false, and btls_conn_error on that thread gives BTLS_BUSY until a call of
 *   the thread succeeds. A context may be used by any number of threads.
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
 * The manual page of a chapter, in section 3, has the details: man btls_builder, man
 * btls_conn_read. */

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

/* =================================================================================================
 * 1. LIBRARY
 *
 * The version of the library, and the types that all chapters share.
 */

/* --- Library: Version --- */

/* The number of the ABI that this library has, the same as in its SONAME.
 *
 * May be called from any thread at any time. */
uint32_t btls_abi_version(void);

/* The version of this library as text, e.g. "0.1.0".
 *
 * The text is constant: it is never freed. May be called from any thread at any time. */
const char *btls_version(void);

/* --- Library: Objects --- */

/* What went wrong: a code, and texts that name the file, alias or certificate and what would mend
 * it. No text ever holds a secret. */
typedef struct btls_error btls_error;

/* Collects the settings of a context. Used by one thread at a time. */
typedef struct btls_builder btls_builder;

/* What connections are made from: the settings, identities and trust of a broker or of one
 * listener. Any number of threads may use it at the same time. */
typedef struct btls_context btls_context;

/* One TLS connection, client or server. Used by one thread at a time, and may move between threads;
 * two connections of one context may be used by two threads at the same time.
 *
 * It has one of three transports: descriptors (btls_conn_set_fd), functions
 * (btls_conn_set_callbacks), or none, where the caller moves the bytes with btls_conn_wrap and
 * btls_conn_unwrap. */
typedef struct btls_conn btls_conn;

/* What a certificate says of itself. It does not change, and may be read by several threads at a
 * time. */
typedef struct btls_certificate btls_certificate;

/* A list of texts. It does not change, and may be read by several threads at a time. */
typedef struct btls_list btls_list;

/* Where a context's knowledge of revocation comes from, as it was when it was asked for. It does
 * not change, and may be read by several threads at a time. */
typedef struct btls_revocation_sources btls_revocation_sources;

/* One source, and how asking it went. */
typedef struct btls_revocation_source btls_revocation_source;

/* A peer that is connected, and whose certificate, or that of one of its issuers, has been revoked
 * since. Lives as long as the call of btls_revoked_fn that it is given to, with all its texts. */
typedef struct btls_revoked_peer btls_revoked_peer;

/* Bytes for the caller to look at. */
typedef struct btls_bytes {
    /* The first byte. */
    const uint8_t *data;
    /* How many there are. */
    size_t length;
} btls_bytes;

/* --- Library: Lists of texts --- */

/* How many texts a list has; 0 for NULL. */
size_t btls_list_count(const btls_list *list);

/* A text of a list, which lives as long as the list; NULL for an index that is too large. */
const char *btls_list_get(const btls_list *list, size_t index);

/* The note that goes with a text of a list, e.g. a reason; NULL where there is none. */
const char *btls_list_note(const btls_list *list, size_t index);

/* Frees a list. NULL is fine. */
void btls_list_free(btls_list *list);

/* =================================================================================================
 * 2. ERRORS
 *
 * A status is a number of brokertls_errors.h. An error has a status, and texts that name the file,
 * alias or certificate.
 */

/* --- Errors: Statuses --- */

/* The subject of a status. Branch on it: later versions add statuses, not categories. */
BTLS_ENUM(btls_category) {
    /* Category of a status: not an error, call again after doing what it asks for. */
    BTLS_CATEGORY_PROGRESS = 0,
    /* Category of a status: the call itself or the configuration is wrong. */
    BTLS_CATEGORY_USAGE = 1,
    /* Category of a status: a file or store of keys or certificates could not be used. */
    BTLS_CATEGORY_KEYSTORE = 2,
    BTLS_CATEGORY_CERTIFICATE = 3, /* Category of a status: the peer's certificate was refused. */
    /* Category of a status: the peer's certificate was refused for what is known, or not known, of
     * its revocation. */
    BTLS_CATEGORY_REVOCATION = 4,
    /* Category of a status: the two sides broke the protocol or have nothing in common. */
    BTLS_CATEGORY_PROTOCOL = 5,
    BTLS_CATEGORY_IO = 7, /* Category of a status: the operating system reported an error. */
    BTLS_CATEGORY_INTERNAL = 9, /* Category of a status: a defect of this library. */
    /* Category of a status: the peer ended the connection with an alert. */
    BTLS_CATEGORY_ALERT = 10,
    BTLS_CATEGORY_UNKNOWN = -1 /* Category of a number that is no status of this version. */
};

/* What a status is about: one of BTLS_CATEGORY_*. Callers branch on it, since later versions add
 * codes, not categories.
 *
 * May be called from any thread at any time. */
btls_category btls_status_category(btls_status status);

/* The name of a status, e.g. "BTLS_CERT_EXPIRED"; "BTLS_UNKNOWN" for a number that is no status of
 * this version.
 *
 * The text is constant: it is never freed. May be called from any thread at any time. */
const char *btls_status_name(btls_status status);

/* What a status means, as a clause without a full stop, e.g. "the peer certificate has expired".
 *
 * What was met in a certain call stands in the error of its object. The text is constant: it is
 * never freed. May be called from any thread at any time. */
const char *btls_status_message(btls_status status);

/* What would mend it in general, as a sentence; empty where nothing general can be said.
 *
 * The text is constant: it is never freed. May be called from any thread at any time. */
const char *btls_status_hint(btls_status status);

/* --- Errors: Errors --- */

/* The code of an error; BTLS_OK for NULL.
 *
 * An error is valid until the next call on its object that fails, and no longer than the object;
 * one that was given to the caller to free, until it is freed. The same holds for its texts. An
 * error is used by one thread at a time. */
btls_status btls_error_code(const btls_error *error);

/* The name of an error's code, e.g. "BTLS_CERT_EXPIRED"; "BTLS_OK" for NULL. The text is
 * constant. */
const char *btls_error_name(const btls_error *error);

/* What happened, as a clause without a full stop, then what was met: the file, alias or certificate
 * and what was found there. Empty for NULL. Lives as long as the error. */
const char *btls_error_message(const btls_error *error);

/* What would mend it, as a sentence; empty for NULL and where nothing can be said. Lives as long as
 * the error. */
const char *btls_error_hint(const btls_error *error);

/* The number of the TLS alert that goes with an error (RFC 8446 section 6): the one that was
 * received where the code is above 1000, otherwise the one that the peer is sent; -1 where there is
 * none. */
int32_t btls_error_alert(const btls_error *error);

/* What an error is about: one of BTLS_CATEGORY_*; BTLS_CATEGORY_PROGRESS for NULL. */
btls_category btls_error_category(const btls_error *error);

/* Frees an error that was given to the caller to free; those of btls_builder_error and
 * btls_conn_error are not. */
void btls_error_free(btls_error *error);

/* =================================================================================================
 * 3. BUILDER
 *
 * A builder collects the settings, identities and trust of a broker or of one of its listeners.
 * Files are read when the context is built, and again at each reload.
 */

/* --- Builder: Life --- */

/* Makes a builder: nothing trusted, no identity, preset "intermediate", resumption on.
 *
 * The caller frees it with btls_builder_free, also after building. NULL only where a defect was
 * met. */
btls_builder *btls_builder_new(void);

/* Frees a builder. Contexts made from it stay. NULL is fine. */
void btls_builder_free(btls_builder *builder);

/* The error of the last call on this builder that failed; NULL where none did.
 *
 * It belongs to the builder: valid until the next call on it that fails, and until it is freed. */
const btls_error *btls_builder_error(const btls_builder *builder);

/* Reads every source and makes a context, or nothing: the first source or setting that cannot be
 * used is the error.
 *
 * The caller holds one reference and gives it back with btls_context_free. The builder can be
 * changed and used again. Reads files and may ask for passwords; call it before the event loop, or
 * on a thread that may wait. */
btls_status btls_builder_build(btls_builder *builder, btls_context **context);

/* --- Builder: Options by name --- */

/* Sets an option by its name, as configuration files and the command give it, e.g. "versions" or
 * "trust".
 *
 * Every setting that is text can be set so; btls_options lists them. Options of one identity
 * ("cert", "key", "alias", ...) belong together in any order, and one that is given again starts
 * the next; the same goes for trust. Returns BTLS_UNKNOWN_OPTION with the nearest names, or
 * BTLS_INVALID_ARGUMENT for a value that the option does not take. */
btls_status btls_builder_set(btls_builder *builder, const char *option, const char *value);

/* Gives the names of all options, each with what it does as its note. The caller frees the list
 * with btls_list_free.
 *
 * May be called from any thread at any time. */
btls_status btls_options(btls_list **options);

/* --- Builder: Identity --- */

/* Adds the identity in a file: a store (PKCS#12, JKS, JCEKS), or PEM or DER certificates with the
 * private key in the same file or in `key_file`. The order of calls is the order of preference.
 * Files are read when the context is built, and again at each reload.
 *
 * `key_file` is NULL where the key stands in `file`. `alias` chooses one entry of a store; NULL
 * takes every key entry. `password` opens the store (or an encrypted PEM key), `key_password` the
 * key in it; NULL for the latter means that it is the same. Where both are NULL the password
 * callback is asked, if there is one. All texts are copied, and passwords are wiped after use. */
btls_status btls_builder_identity_file(
    btls_builder *builder, const char *file, const char *key_file, const char *alias,
    const char *password, const char *key_password);

/* Adds the identity in memory, as btls_builder_identity_file does for files.
 *
 * `label` is what messages call it. `key` is NULL where the key stands in `certificates`. The bytes
 * are copied; the copies are wiped with the last of builder and contexts. */
btls_status btls_builder_identity_memory(
    btls_builder *builder, const char *label, const void *certificates, size_t certificates_length,
    const void *key, size_t key_length, const char *alias, const char *password,
    const char *key_password);

/* --- Builder: Trust --- */

/* Trusts the certificates in a file: a store, or PEM or DER certificates. CAs are trusted to issue;
 * every certificate is trusted to be a peer's own.
 *
 * `password` may be NULL: the password callback is asked then where one is needed. Read when the
 * context is built, and again at each reload. */
btls_status btls_builder_trust_file(btls_builder *builder, const char *file, const char *password);

/* Trusts the certificates in memory, as btls_builder_trust_file does for a file. `label` is what
 * messages call it; the bytes are copied. */
btls_status btls_builder_trust_memory(
    btls_builder *builder, const char *label, const void *data, size_t length,
    const char *password);

/* Trusts the certificates in every PEM or DER file of a directory; hidden files and subdirectories
 * are left out. The revocation lists (CRL) in it count if revocation is on. */
btls_status btls_builder_trust_directory(btls_builder *builder, const char *directory);

/* Trusts the roots of the system, as the distribution keeps them.
 *
 * The environment variables SSL_CERT_FILE and SSL_CERT_DIR say otherwise. A process with more
 * rights than the one that started it (set-uid, set-gid, capabilities) ignores them, with a
 * warning. */
btls_status btls_builder_trust_system(btls_builder *builder);

/* --- Builder: Stores and passwords --- */

/* The type of a store of keys or certificates. */
BTLS_ENUM(btls_store_type) {
    BTLS_STORE_ANY = 0, /* The type of a store is found from its content. The default. */
    BTLS_STORE_PEM = 1, /* Text with "-----BEGIN ...-----" blocks. */
    BTLS_STORE_DER = 2, /* One certificate or private key in DER. */
    BTLS_STORE_PKCS12 = 3, /* PKCS#12, as keytool and openssl pkcs12 write it. */
    BTLS_STORE_JKS = 4, /* Java's JKS. */
    BTLS_STORE_JCEKS = 5 /* Java's JCEKS. */
};

/* Sets the type that the sources added after it must have: one of BTLS_STORE_*. */
btls_status btls_builder_store_type(btls_builder *builder, btls_store_type store_type);

/* The purpose of a password. */
BTLS_ENUM(btls_password_usage) {
    BTLS_PASSWORD_STORE = 0, /* A password is for opening the store as a whole. */
    BTLS_PASSWORD_KEY = 1 /* A password is for decrypting one private key. */
};

/* Gives a password.
 *
 * `usage` is BTLS_PASSWORD_STORE or BTLS_PASSWORD_KEY; `label` is the file, or the label of the
 * memory, that it is for; `alias` is the key's, NULL where it has none. The function writes at most
 * `capacity` bytes into `buffer` and returns how many the password has, without a NUL at the end,
 * or a negative number where there is none. The buffer is wiped.
 *
 * Called on the thread that builds or reloads a context, under no lock: it may use the context, and
 * reload it too. Must return: it may neither throw nor longjmp. */
typedef ptrdiff_t (*btls_password_fn)(
    void *user, btls_password_usage usage, const char *label, const char *alias, char *buffer,
    size_t capacity);

/* Sets a function that gives the passwords of the sources that are added after it without any.
 *
 * It is asked when a context is built and at each reload. `user` is handed to it, and has to stay
 * valid as long as the builder and the contexts made from it. */
btls_status btls_builder_password_callback(
    btls_builder *builder, btls_password_fn function, void *user);

/* Sets what reading each of the sources added after it may cost; 0 leaves a default.
 *
 * `max_content_bytes`: the largest file or memory block (16 MiB). `max_kdf_iterations`: the sum of
 * key-derivation iterations that one file may ask for (20,000,000). `max_kdf_memory_bytes`: the
 * memory that scrypt may ask for (160 MiB). */
btls_status btls_builder_limits(
    btls_builder *builder, size_t max_content_bytes, uint64_t max_kdf_iterations,
    uint64_t max_kdf_memory_bytes);

/* Sets whether the sources added after it may be PKCS#12 stores without an integrity check.
 * INSECURE: whoever can write the file can put other certificates into it. Default: false. */
btls_status btls_builder_insecure_allow_missing_mac(btls_builder *builder, bool allows);

/* --- Builder: Policy --- */

/* Sets what the other settings start from: "modern" (TLS 1.3) or "intermediate" (TLS 1.2 and 1.3,
 * the default). */
btls_status btls_builder_preset(btls_builder *builder, const char *name);

/* Sets the protocol versions, e.g. "TLSv1.2,TLSv1.3". Names of OpenSSL, Java, Erlang and ArangoDB
 * are taken. What cannot be served is found when the context is built. */
btls_status btls_builder_versions(btls_builder *builder, const char *names);

/* Sets the cipher suites in order of preference: an OpenSSL cipher string, or names of OpenSSL or
 * IANA. What cannot be served is found when the context is built, see btls_context_not_served. */
btls_status btls_builder_cipher_suites(btls_builder *builder, const char *names);

/* Sets the key exchange groups in order of preference, e.g. "X25519MLKEM768:X25519:P-256". */
btls_status btls_builder_groups(btls_builder *builder, const char *names);

/* Adds an application protocol (ALPN), e.g. "mqtt", in order of preference.
 *
 * Returns BTLS_INVALID_ALPN for an empty name or one longer than 255 bytes. */
btls_status btls_builder_alpn(btls_builder *builder, const char *protocol);

/* --- Builder: Verification --- */

/* How a server asks its clients for a certificate. */
BTLS_ENUM(btls_client_auth) {
    /* A server does not ask its clients for a certificate. The default. */
    BTLS_CLIENT_AUTH_NONE = 0,
    /* A server asks, verifies what is sent, and goes on where nothing is. */
    BTLS_CLIENT_AUTH_WANT = 1,
    BTLS_CLIENT_AUTH_NEED = 2 /* A server refuses clients without a certificate. */
};

/* Sets whether a server asks its clients for a certificate: BTLS_CLIENT_AUTH_NONE, _WANT or
 * _NEED. */
btls_status btls_builder_client_auth(btls_builder *builder, btls_client_auth client_auth);

/* Sets whether a server that asks for certificates sends the names of the CAs that it trusts.
 * Default: true. */
btls_status btls_builder_send_ca_names(btls_builder *builder, bool sends);

/* The role of a peer. */
BTLS_ENUM(btls_peer_role) {
    BTLS_PEER_SERVER = 0, /* The peer is a server. */
    BTLS_PEER_CLIENT = 1 /* The peer is a client. */
};

/* Decides whether a peer whose certificate was already accepted may go on.
 *
 * `peer` is BTLS_PEER_SERVER or BTLS_PEER_CLIENT. `chain` has the `count` certificates that the
 * peer sent in DER, its own first; they are valid during the call only (btls_certificate_parse
 * makes facts of them). Returns 0 to go on. Any other number refuses the peer with
 * BTLS_CERT_REJECTED_BY_CALLBACK; the function may then write a reason of at most `capacity` bytes,
 * ended by a NUL, into `reason`.
 *
 * Called on the thread that moves the connection on or runs its task, and on several threads at a
 * time for several connections. No lock is held: it may use the context and other connections. Must
 * return: it may neither throw nor longjmp. The connection that it was called for answers BTLS_BUSY
 * meanwhile. */
typedef int32_t (*btls_verify_fn)(
    void *user, btls_peer_role peer, const btls_bytes *chain, size_t count, char *reason,
    size_t capacity);

/* Sets a function that is asked about each peer whose certificate was accepted, and may refuse it.
 *
 * It is asked again before a session is resumed, unless the option resumption-asks-again is "no"; a
 * session of a peer that it refuses is not resumed. If the function may block, a client then begins
 * with BTLS_WANT_TASK.
 *
 * `may_block` says that it may wait (for a database, say): connections then return BTLS_WANT_TASK
 * and call it from btls_conn_task_run only. `user` is handed to it, and must stay valid as long as
 * the context and its connections. */
btls_status btls_builder_verify_callback(
    btls_builder *builder, btls_verify_fn function, void *user, bool may_block);

/* Tolerates one deviation in peer certificates, by its name, or no longer. Default: none. Each use
 * is logged.
 *
 * "insecure-x509-v1": X.509 version 1 under a trusted CA. "insecure-ca-as-end-entity": a CA
 * certificate as the peer's own. "insecure-common-name": the common name as host name if there is
 * no subject alternative name. "insecure-rsa-1024": RSA keys of 1024 to 2047 bits.
 * "insecure-key-usage": a key usage without digitalSignature. Returns BTLS_UNKNOWN_OPTION for any
 * other name. */
btls_status btls_builder_insecure_allow(btls_builder *builder, const char *name, bool allows);

/* Lets clients connect to a server with a certificate for another host. Default: false.
 *
 * INSECURE: the holder of any certificate of the same CA can then take the server's place. */
btls_status btls_builder_insecure_skip_server_name(btls_builder *builder, bool skips);

/* Lets clients connect to a server with any certificate at all. Default: false.
 *
 * INSECURE: the connection is encrypted, and the server unknown. */
btls_status btls_builder_insecure_accept_any_server(btls_builder *builder, bool accepts);

/* --- Builder: Revocation --- */

/* The answer if no source knows whether a peer's certificate is revoked. */
BTLS_ENUM(btls_revocation_mode) {
    BTLS_REVOCATION_OFF = 0, /* Peers are not checked for revocation. */
    /* A peer that no source knows anything of is accepted, and counted
     * (btls_context_revocation_unknown_accepted). */
    BTLS_REVOCATION_PREFER = 1,
    BTLS_REVOCATION_REQUIRE = 2 /* A peer that no source knows anything of is refused. */
};

/* Sets what follows where no source knows whether a peer's certificate is revoked: one of
 * BTLS_REVOCATION_*. Default: BTLS_REVOCATION_REQUIRE where there are lists or responses or they
 * are fetched, otherwise BTLS_REVOCATION_OFF. */
btls_status btls_builder_revocation(btls_builder *builder, btls_revocation_mode revocation);

/* Adds the revocation lists in a file, PEM or DER, several in a PEM file. Peers are checked by
 * them, and refused with BTLS_CERT_REVOKED.
 *
 * Read when the context is built, where one that cannot be used is an error, and again at each
 * reload. With lists or responses, a peer that none of them knows is refused unless
 * btls_builder_revocation or the options "crl-mode" and "ocsp-mode" say otherwise. What is fetched
 * over the network is set by options: "fetch", "ocsp-responder" and those beside them. */
btls_status btls_builder_crl_file(btls_builder *builder, const char *file);

/* Adds the revocation lists in memory, as btls_builder_crl_file does for a file. `label` is what
 * messages call it; the bytes are copied. */
btls_status btls_builder_crl_memory(
    btls_builder *builder, const char *label, const void *data, size_t length);

/* Adds the revocation lists in every file of a directory; hidden files and subdirectories are left
 * out. */
btls_status btls_builder_crl_directory(btls_builder *builder, const char *directory);

/* Adds the OCSP responses about peers in a file, DER or PEM. Read when the context is built, and
 * again at each reload. */
btls_status btls_builder_ocsp_file(btls_builder *builder, const char *file);

/* Adds OCSP responses about peers in memory. `label` is what messages call them; the bytes are
 * copied. */
btls_status btls_builder_ocsp_memory(
    btls_builder *builder, const char *label, const void *data, size_t length);

/* --- Builder: Peers revoked while connected --- */

/* The end of a connection of a revoked peer. */
BTLS_ENUM(btls_revoked_action) {
    /* A connection whose peer is revoked goes on, and is not told of again. */
    BTLS_REVOKED_KEEP = 0,
    /* The connection of the revoked peer is closed: its next call gives BTLS_CERT_REVOKED, and the
     * peer is sent that alert. */
    BTLS_REVOKED_CLOSE = 1
};

/* Is told of a connection whose peer has been revoked while it lasts, once in its life. Returns
 * BTLS_REVOKED_KEEP or BTLS_REVOKED_CLOSE; any other number closes too. It takes effect when the
 * function has returned, at the next call on the connection. One that waits for its peer is not
 * woken: a function that wakes its thread has that close it by itself.
 *
 * Called on the thread that calls btls_context_reload or btls_context_maintain, or on that of
 * btls_context_start_maintenance. Nothing is locked: it may use the context, and give back its last
 * reference (btls_context_free); a connection still belongs to its own thread. Must return: it may
 * neither throw nor longjmp. */
typedef btls_revoked_action (*btls_revoked_fn)(void *user, const btls_revoked_peer *peer);

/* Sets a function that is told of each connection whose peer is found to be revoked while it lasts,
 * and says whether it is closed. Found out by btls_context_reload and btls_context_maintain, from
 * what they have read and fetched. Without a function such connections are logged, and go on.
 *
 * `user` is handed to it, and has to stay valid as long as the context and its connections. */
btls_status btls_builder_on_revoked(btls_builder *builder, btls_revoked_fn function, void *user);

/* The number of the connection, btls_conn_id; 0 for NULL. */
uint64_t btls_revoked_peer_conn_id(const btls_revoked_peer *peer);

/* The subject of the revoked certificate, written as btls_certificate_subject does; NULL for
 * NULL. */
const char *btls_revoked_peer_subject(const btls_revoked_peer *peer);

/* The issuer of the revoked certificate, written as its subject is; NULL for NULL. */
const char *btls_revoked_peer_issuer(const btls_revoked_peer *peer);

/* The serial number of the revoked certificate, written as btls_certificate_serial does; NULL for
 * NULL. */
const char *btls_revoked_peer_serial(const btls_revoked_peer *peer);

/* Why it was revoked, by the names of RFC 5280 section 5.3.1, e.g. "keyCompromise", "unspecified";
 * NULL for NULL. */
const char *btls_revoked_peer_reason(const btls_revoked_peer *peer);

/* When it was revoked, seconds since 1970 in UTC; 0 for NULL. */
int64_t btls_revoked_peer_time(const btls_revoked_peer *peer);

/* --- Builder: Sessions --- */

/* Sets whether sessions are resumed. Default: true. Their age, tickets and cache are options of
 * btls_builder_set: session-max-age-s, tls13-tickets, max-ticket-bytes, session-cache. */
btls_status btls_builder_resumption(btls_builder *builder, bool resumes);

/* --- Builder: Logs --- */

/* The importance of a line of the log. */
BTLS_ENUM(btls_log_level) {
    BTLS_LOG_ERROR = 1, /* A line of the log: something was refused or failed. */
    BTLS_LOG_WARN = 2, /* A line of the log: something works and should not stay so. */
    BTLS_LOG_INFO = 3 /* A line of the log: something worth knowing. */
};

/* Takes a line of the log, without a line break at its end. `level` is one of BTLS_LOG_*; `line` is
 * valid during the call.
 *
 * Called on any thread that uses the context or its connections, and on that of
 * btls_context_start_maintenance, on several at a time. No lock is held: it may use the context,
 * and give back its last reference. Must return: it may neither throw nor longjmp. */
typedef void (*btls_log_fn)(void *user, btls_log_level level, const char *line);

/* Sets a function that takes the context's log. Without one, nothing is logged.
 *
 * `user` is handed to it, and must stay valid as long as the context and its connections. */
btls_status btls_builder_log_callback(btls_builder *builder, btls_log_fn function, void *user);

/* Sets whether each peer that is refused, or refuses this side, is a line of the log at
 * BTLS_LOG_ERROR. Default: true. A context writes 60 such lines a minute at most; the next one has
 * the number of those left out. A caller that logs each error of its connections itself turns it
 * off. */
btls_status btls_builder_log_refusals(btls_builder *builder, bool logs);

/* Appends the secrets of every connection to a file, in the form that Wireshark reads. INSECURE:
 * whoever has the file can read all traffic. */
btls_status btls_builder_insecure_key_log_file(btls_builder *builder, const char *file);

/* =================================================================================================
 * 4. CONTEXT
 *
 * A context holds the settings, identities and trust that a builder collected. It is counted by
 * references, and any number of threads may use it at the same time.
 */

/* --- Context: References --- */

/* Takes another reference, for another listener or thread that keeps the context; returns the same
 * pointer. Each reference is given back with btls_context_free. Connections keep what they need of
 * a context themselves. */
btls_context *btls_context_ref(btls_context *context);

/* Gives a reference back. NULL is fine.
 *
 * The last one ends the context: the thread of btls_context_start_maintenance has ended when this
 * returns, which takes as long as a fetch that is under way (option "fetch-timeout-s"). After that
 * no callback of the context runs, but for those of connections that still exist. These keep what
 * they need of it, and call back during calls on them, on the caller's threads. When they are freed
 * too, `user` pointers are used no more.
 *
 * A callback may give the last reference back. On the thread of maintenance, that call does not
 * wait for itself, and the callback that made it is the last one. Hold no lock here that a callback
 * takes. In a child process (fork), the thread of the parent is not waited for. */
void btls_context_free(btls_context *context);

/* A copy of the error of the last call on this context that failed on the calling thread,
 * btls_conn_new_server and btls_conn_new_client among them; NULL if none did. Ask on the thread
 * that made the call: the errors of the 64 threads that failed last are kept.
 *
 * The caller frees it with btls_error_free. */
btls_error *btls_context_error(const btls_context *context);

/* --- Context: Reload and maintenance --- */

/* Reads every source again. All of it takes effect, for connections made afterwards, or nothing
 * does: the context then continues with what it had.
 *
 * Reads files and may ask for passwords, so it may wait; connections are made and continue
 * meanwhile on other threads. When several threads reload at once, what an earlier call has read
 * never replaces what a later one has. */
btls_status btls_context_reload(btls_context *context);

/* Does what is due beside the connections: asks for staples, fetches lists and responses anew
 * before they run out, and tells of connections whose peers are revoked by what came
 * (btls_builder_on_revoked). Gives in how many milliseconds it wants to be called again, at most a
 * minute.
 *
 * For contexts with the option "fetch" or "staple". Staples are asked for here alone; without it,
 * handshakes wait for what is out of date. Takes as long as fetches do, so that it is not for the
 * thread of an event loop. A fetch that fails is no error here; the sources tell of it
 * (btls_context_revocation_sources). May be called from any thread at any time, earlier than
 * necessary too. */
btls_status btls_context_maintain(btls_context *context, uint64_t *next_ms);

/* Starts one thread that calls btls_context_maintain when it is due. btls_context_free of the last
 * reference ends it and waits for it. A second call does nothing.
 *
 * A process that forks to become a daemon calls it afterwards, also if it was called before:
 * threads stay with the parent. Returns BTLS_INTERNAL if the system gives no thread. */
btls_status btls_context_start_maintenance(btls_context *context);

/* --- Context: Facts --- */

/* What an operator should know though the context was built: its own certificates that have
 * expired, names that are not served, insecure settings. The caller frees the list with
 * btls_list_free. */
btls_status btls_context_warnings(const btls_context *context, btls_list **warnings);

/* The cipher suites in effect, by IANA name, in order of preference. The caller frees the list with
 * btls_list_free. */
btls_status btls_context_cipher_suites(const btls_context *context, btls_list **names);

/* The names of versions, cipher suites and groups that were asked for and are not served, each with
 * the reason as its note. The caller frees the list with btls_list_free. */
btls_status btls_context_not_served(const btls_context *context, btls_list **names);

/* --- Context: Revocation sources --- */

/* How many certificates were accepted since the last reload though no source knew whether they are
 * revoked; 0 for NULL. */
uint64_t btls_context_revocation_unknown_accepted(const btls_context *context);

/* Gives the sources of a context's knowledge of revocation: files, what was fetched, who was asked.
 * The caller frees them with btls_revocation_sources_free. */
btls_status btls_context_revocation_sources(
    const btls_context *context, btls_revocation_sources **sources);

/* How many sources there are; 0 for NULL. */
size_t btls_revocation_sources_count(const btls_revocation_sources *sources);

/* One of them, which lives as long as the sources; NULL for an index that is too large. */
const btls_revocation_source *btls_revocation_sources_get(
    const btls_revocation_sources *sources, size_t index);

/* Frees what btls_context_revocation_sources gave. NULL is fine. */
void btls_revocation_sources_free(btls_revocation_sources *sources);

/* The kind of a source of revocation knowledge. Later versions may add kinds. */
BTLS_ENUM(btls_source_kind) {
    BTLS_SOURCE_CRL = 0, /* A source of knowledge: revocation lists (CRL), of a file or fetched. */
    /* A source of knowledge: OCSP responses about peers, of a file or a responder's. */
    BTLS_SOURCE_OCSP = 1,
    /* A source of knowledge: the OCSP response that is stapled to a certificate of one's own. */
    BTLS_SOURCE_STAPLE = 2,
    BTLS_SOURCE_UNKNOWN = -1 /* No source. */
};

/* Returns the kind of a source; BTLS_SOURCE_UNKNOWN for NULL. */
btls_source_kind btls_revocation_source_kind(const btls_revocation_source *source);

/* Its file, label or URL; NULL for NULL. Lives as long as the sources, as all texts of one. */
const char *btls_revocation_source_place(const btls_revocation_source *source);

/* When it was last read or fetched, seconds since 1970 in UTC; 0 where it never could be, and for
 * NULL. */
int64_t btls_revocation_source_last_success(const btls_revocation_source *source);

/* When btls_context_maintain asks it again, seconds since 1970 in UTC; 0 for a file, which a reload
 * reads, and for NULL. */
int64_t btls_revocation_source_next_refresh(const btls_revocation_source *source);

/* How many certificates the lists revoke, or how many responses there are; 0 for NULL. */
size_t btls_revocation_source_entries(const btls_revocation_source *source);

/* How often asking it has failed; 0 for NULL. */
uint64_t btls_revocation_source_failures(const btls_revocation_source *source);

/* What went wrong the last time it was asked; NULL where it went well. */
const char *btls_revocation_source_last_error(const btls_revocation_source *source);

/* =================================================================================================
 * 5. CONNECTION
 *
 * A connection is one TLS session, of a client or of a server. It has one transport: descriptors
 * (btls_conn_set_fd), functions (btls_conn_set_callbacks), or none. Without one, the caller moves
 * the bytes with btls_conn_wrap and btls_conn_unwrap.
 */

/* --- Connection: Set-up --- */

/* Makes the server's side of a new connection.
 *
 * The caller frees it with btls_conn_free. The error of a call that failed is given by
 * btls_context_error on the same thread: BTLS_NO_IDENTITY if it has no certificate to serve
 * with. */
btls_status btls_conn_new_server(const btls_context *context, btls_conn **conn);

/* Makes the client's side of a new connection to `host`, a DNS name or an IP address: the server's
 * certificate must be for it. NULL goes only with a context that does not check the server's name.
 *
 * The caller frees it with btls_conn_free. The error of a call that failed is given by
 * btls_context_error on the same thread: BTLS_NO_TRUST if it has nothing to verify the server
 * against, BTLS_INVALID_SERVER_NAME. */
btls_status btls_conn_new_client(const btls_context *context, const char *host, btls_conn **conn);

/* Frees a connection. Nothing is sent: close it first (btls_conn_shutdown). Its descriptors stay
 * open. NULL is fine.
 *
 * A call that fails has sent the alert for the peer, as far as the socket took it. A socket that is
 * closed with unread input is reset, and the peer may lose the alert: call shutdown(2) for writing
 * and read until the end, or a deadline, first. */
void btls_conn_free(btls_conn *conn);

/* The error of the last call on this connection that failed; NULL where none did.
 *
 * It belongs to the connection: valid until the next call on it that fails, and until it is freed.
 * A connection that has failed gives the same error again on each further call that would move it
 * on. */
const btls_error *btls_conn_error(const btls_conn *conn);

/* Uses descriptors of the caller's, blocking or not; one for both is fine. They are never closed
 * here, and have to stay open until the connection is freed. Nothing sent raises SIGPIPE on a
 * socket.
 *
 * Returns BTLS_WRONG_STATE where a transport is set already. */
btls_status btls_conn_set_fd(btls_conn *conn, int read_fd, int write_fd);

/* Reads ciphertext as read(2) does: returns how many bytes were put into `buffer`, 0 where the peer
 * has ended, or -1 with errno set, to EAGAIN where nothing is there now.
 *
 * Called on the thread that uses the connection, under no lock. Must return: it may neither throw
 * nor longjmp. The connection answers BTLS_BUSY meanwhile. */
typedef ptrdiff_t (*btls_read_fn)(void *user, void *buffer, size_t length);

/* Writes ciphertext as write(2) does: returns how many bytes of `buffer` were taken, or -1 with
 * errno set, to EAGAIN where none can be taken now.
 *
 * Called on the thread that uses the connection, under no lock. Must return: it may neither throw
 * nor longjmp. The connection answers BTLS_BUSY meanwhile. */
typedef ptrdiff_t (*btls_write_fn)(void *user, const void *buffer, size_t length);

/* Uses functions of the caller's. `user` is handed to both, and has to stay valid until the
 * connection is freed.
 *
 * Returns BTLS_WRONG_STATE where a transport is set already. */
btls_status btls_conn_set_callbacks(
    btls_conn *conn, btls_read_fn read, btls_write_fn write, void *user);

/* --- Connection: Handshake and I/O --- */

/* Continues the handshake. Reading and writing do so too, while it is not complete.
 *
 * Returns BTLS_OK when both sides have finished. Data that came with the peer's last message is
 * then here already, so ask btls_conn_pending before waiting for the transport. Returns
 * BTLS_WANT_READ or BTLS_WANT_WRITE to be called again when the transport can be read or written,
 * and BTLS_WANT_TASK to be called again after btls_conn_task_run. Any other status is the error
 * that ended the connection; the peer has been sent its alert then, if the transport took it. */
btls_status btls_conn_handshake(btls_conn *conn);

/* Reads at most `length` bytes of plaintext into `buffer`; `read` becomes how many there were. A
 * loop that waits for the transport asks btls_conn_pending first.
 *
 * Returns BTLS_OK with at least one byte, BTLS_CLOSED at the peer's close_notify, BTLS_WANT_READ,
 * BTLS_WANT_WRITE or BTLS_WANT_TASK as btls_conn_handshake does, BTLS_TRUNCATED where the transport
 * ended without close_notify, so that data may be missing, or what else ended the connection. */
btls_status btls_conn_read(btls_conn *conn, void *buffer, size_t length, size_t *read);

/* Writes plaintext; `written` becomes how much of it was taken, which may be less than `length`.
 *
 * Returns BTLS_OK, BTLS_WANT_READ, BTLS_WANT_WRITE or BTLS_WANT_TASK as btls_conn_handshake does,
 * or what ended the connection.
 *
 * After BTLS_OK nothing is offered again. If all was taken, all is sent. If less was taken, the
 * transport takes no more now: the end of it waits, as btls_conn_wants_write says. The next write
 * sends it first; so does btls_conn_flush, for a caller with nothing more to write.
 *
 * After BTLS_WANT_WRITE the next write must begin with the same bytes, also if btls_conn_flush has
 * sent them meanwhile. They may be at another place in memory, and more may follow them. Once they
 * are encrypted, other bytes are refused with BTLS_INVALID_ARGUMENT, which has no effect. */
btls_status btls_conn_write(btls_conn *conn, const void *data, size_t length, size_t *written);

/* Writes `count` pieces as one; small pieces share a record. As btls_conn_write otherwise. */
btls_status btls_conn_writev(
    btls_conn *conn, const struct iovec *pieces, size_t count, size_t *written);

/* Sends what waits to be sent, e.g. the rest of a write that btls_conn_wants_write tells of.
 *
 * Returns BTLS_OK, BTLS_WANT_WRITE, or what ended the connection. */
btls_status btls_conn_flush(btls_conn *conn);

/* Whether something waits to be sent: the caller should watch for the transport to be writable. */
bool btls_conn_wants_write(const btls_conn *conn);

/* Gives how many bytes of plaintext can be read without touching the transport. An event loop reads
 * until there are none: a descriptor does not become readable again for bytes that are already
 * here.
 *
 * Also gives 1 if another call would not wait though there is no plaintext. Then the peer's
 * close_notify or the end is here and was not reported yet, or the last call stopped because the
 * peer has sent much that is no data for the caller. Make that call again then, after those of
 * other connections. Returns what ended the connection as an error. */
btls_status btls_conn_pending(btls_conn *conn, size_t *pending);

/* Runs the task that BTLS_WANT_TASK asked for: verification that may wait. May be called on any
 * thread, while no other uses the connection; its outcome is told by the call that is made again
 * after it. */
btls_status btls_conn_task_run(btls_conn *conn);

/* Says that this side writes no more (close_notify). Reading stays possible.
 *
 * Returns BTLS_OK when it is sent, BTLS_WANT_WRITE to be called again, or what ended the
 * connection. Where the caller moves the bytes, BTLS_WANT_WRITE asks for btls_conn_wrap. */
btls_status btls_conn_close_write(btls_conn *conn);

/* Closes both ways: sends close_notify and waits for the peer's. What the peer still sends before
 * it is dropped; read it first if it matters. The descriptors stay open. A call drops at most 256
 * KiB, then returns BTLS_WANT_READ with btls_conn_pending at 1.
 *
 * Returns BTLS_OK when both are through, BTLS_WANT_READ or BTLS_WANT_WRITE to be called again,
 * BTLS_TRUNCATED where the peer ends without close_notify, or what ended the connection. */
btls_status btls_conn_shutdown(btls_conn *conn);

/* --- Connection: Buffers of the caller --- */

/* The largest record: an output of this size is never too small for btls_conn_wrap. */
#define BTLS_MAX_RECORD_BYTES 18437

/* The largest plaintext of one record: an output of this size is never too small for
 * btls_conn_unwrap. */
#define BTLS_MAX_PLAINTEXT_BYTES 16384

/* Takes at most one whole record from `records` and puts its plaintext into `plain`. For
 * connections without a transport.
 *
 * `records` has `records_length` bytes, which are changed: the record is decrypted where it stands.
 * `consumed` and `produced` become how many bytes were taken and given. The two buffers may not
 * share memory.
 *
 * Returns BTLS_OK to go on in the same way, BTLS_WANT_READ where `records` holds no whole record,
 * BTLS_WANT_WRITE where btls_conn_wrap has to be called first, BTLS_WANT_TASK, BTLS_CLOSED once the
 * peer's close_notify was met, BTLS_BUFFER_TOO_SMALL with nothing taken (BTLS_MAX_PLAINTEXT_BYTES
 * is always enough), or what ended the connection: the alert for the peer is then given by
 * btls_conn_wrap. */
btls_status btls_conn_unwrap(
    btls_conn *conn, void *records, size_t records_length, void *plain, size_t plain_length,
    size_t *consumed, size_t *produced);

/* Puts records for the peer into `records`: what waits of handshake and alerts first, otherwise one
 * record made of `plain`. For connections without a transport.
 *
 * `consumed` and `produced` become how many bytes were taken and given. With no `plain`, only what
 * waits is given; before the handshake is complete no plaintext is taken. The two buffers may not
 * share memory.
 *
 * Returns BTLS_OK to go on in the same way, BTLS_WANT_WRITE to be called again with more still
 * waiting, BTLS_WANT_READ where only btls_conn_unwrap goes on, BTLS_WANT_TASK, BTLS_CLOSED where
 * the peer has closed (writing stays possible), BTLS_BUFFER_TOO_SMALL with nothing taken
 * (BTLS_MAX_RECORD_BYTES is always enough), or what ended the connection. */
btls_status btls_conn_wrap(
    btls_conn *conn, const void *plain, size_t plain_length, void *records, size_t records_length,
    size_t *consumed, size_t *produced);

/* Says that no more records will come: the transport has ended. For connections without a transport
 * of this library's.
 *
 * Returns BTLS_OK after the peer's close_notify, BTLS_TRUNCATED without it, BTLS_HANDSHAKE_EOF
 * during the handshake, or what had ended the connection before. */
btls_status btls_conn_end_of_input(btls_conn *conn);

/* --- Connection: Facts --- */

/* The number of the connection, by which its context tells of it (btls_builder_on_revoked): no
 * other connection of the context has it. 0 for NULL. */
uint64_t btls_conn_id(const btls_conn *conn);

/* Whether the handshake is still under way. */
bool btls_conn_is_handshaking(const btls_conn *conn);

/* Whether an earlier session was resumed; false before the handshake is complete. */
bool btls_conn_is_resumed(const btls_conn *conn);

/* The protocol version, "TLSv1.3" or "TLSv1.2"; NULL before it is chosen.
 *
 * The text lives as long as the connection, as all its texts. */
const char *btls_conn_version(const btls_conn *conn);

/* The cipher suite by its IANA name, e.g. "TLS_AES_128_GCM_SHA256"; NULL before it is chosen. */
const char *btls_conn_cipher_suite(const btls_conn *conn);

/* The key exchange group, e.g. "X25519MLKEM768"; NULL before it is chosen. */
const char *btls_conn_group(const btls_conn *conn);

/* The server name that the client sent (SNI), on a server; NULL where it sent none. */
const char *btls_conn_server_name(const btls_conn *conn);

/* Gives the application protocol that was agreed on (ALPN), which lives as long as the connection:
 * `protocol` becomes NULL and `length` 0 where none was. It is not ended by a NUL. */
btls_status btls_conn_alpn(const btls_conn *conn, const uint8_t **protocol, size_t *length);

/* The peer's own certificate, which lives as long as the connection; NULL where it sent none, and
 * before it was verified.
 *
 * It is what btls_certificate_* look at, and is not freed. */
const btls_certificate *btls_conn_peer_certificate(const btls_conn *conn);

/* How many certificates the peer sent, its own with them; 0 before they were verified. */
size_t btls_conn_peer_chain_count(const btls_conn *conn);

/* Gives one of the peer's certificates in DER, 0 its own, as it was sent. It lives as long as the
 * connection.
 *
 * Returns BTLS_OK or BTLS_INVALID_ARGUMENT for an index that is too large. */
btls_status btls_conn_peer_chain(
    const btls_conn *conn, size_t index, const uint8_t **der, size_t *length);

/* How many deviation switches were needed to accept the peer's certificate
 * (btls_builder_insecure_allow). */
size_t btls_conn_deviation_count(const btls_conn *conn);

/* The name of one of them; NULL for an index that is too large. */
const char *btls_conn_deviation(const btls_conn *conn, size_t index);

/* =================================================================================================
 * 6. CERTIFICATES
 *
 * The facts of one certificate. Those of a peer come from btls_conn_peer_certificate. Nothing here
 * verifies a certificate.
 */

/* --- Certificates: Life --- */

/* Reads the facts of one certificate in DER. Nothing is verified.
 *
 * The object belongs to the caller, who frees it with btls_certificate_free. May be called from any
 * thread.
 *
 * Returns BTLS_OK, BTLS_NULL_POINTER or BTLS_CERTIFICATE_MALFORMED. */
btls_status btls_certificate_parse(
    const uint8_t *der, size_t length, btls_certificate **certificate);

/* Frees what btls_certificate_parse gave. A certificate of a connection is freed with the
 * connection. */
void btls_certificate_free(btls_certificate *certificate);

/* --- Certificates: Facts --- */

/* The subject as RFC 4514 writes it, the last relative name first, special characters escaped:
 * "CN=broker,O=Example". NULL for NULL. Lives as long as the certificate, as all its texts. */
const char *btls_certificate_subject(const btls_certificate *certificate);

/* The issuer, written as the subject is; NULL for NULL. */
const char *btls_certificate_issuer(const btls_certificate *certificate);

/* The last common name of the subject, the most specific, not escaped. NULL if there is none, it
 * has no text, or it holds a NUL character. */
const char *btls_certificate_common_name(const btls_certificate *certificate);

/* The first common name of the subject in the certificate's order, not escaped: the one that most
 * programs take. NULL as for btls_certificate_common_name. A subject with one common name has the
 * same first and last. */
const char *btls_certificate_first_common_name(const btls_certificate *certificate);

/* The serial number in hexadecimal, lower case, two digits a byte, without leading zeros: "80ff",
 * "-01"; NULL for NULL. */
const char *btls_certificate_serial(const btls_certificate *certificate);

/* The SHA-256 of the whole certificate in hexadecimal, lower case; NULL for NULL. */
const char *btls_certificate_sha256(const btls_certificate *certificate);

/* The kind and size of the key, e.g. "RSA 2048", "EC P-256", "Ed25519"; NULL for NULL. */
const char *btls_certificate_key(const btls_certificate *certificate);

/* The version of X.509, 1 to 3; 0 for NULL. */
uint32_t btls_certificate_x509_version(const btls_certificate *certificate);

/* From when it is valid, seconds since 1970 in UTC; 0 for NULL. */
int64_t btls_certificate_not_before(const btls_certificate *certificate);

/* Until when it is valid, the last second with it, seconds since 1970 in UTC; 0 for NULL. */
int64_t btls_certificate_not_after(const btls_certificate *certificate);

/* Whether its basic constraints say that it is a CA; false for NULL. */
bool btls_certificate_is_ca(const btls_certificate *certificate);

/* Gives the DER encoding of the subject, a Name of X.501. It lives as long as the certificate.
 *
 * Returns BTLS_OK or BTLS_NULL_POINTER. */
btls_status btls_certificate_subject_der(
    const btls_certificate *certificate, const uint8_t **der, size_t *length);

/* Gives the DER encoding of the issuer, as btls_certificate_subject_der does. */
btls_status btls_certificate_issuer_der(
    const btls_certificate *certificate, const uint8_t **der, size_t *length);

/* --- Certificates: Attributes of the subject --- */

/* The number of attributes of the subject; 0 for NULL.
 *
 * They have indexes from 0 in the certificate's order, the reverse of that of
 * btls_certificate_subject. */
size_t btls_certificate_attribute_count(const btls_certificate *certificate);

/* The index of the first attribute of a type, counted from `start`; the number of attributes if
 * there is none.
 *
 * `oid` is the type's object identifier in dotted form, e.g. "2.5.4.3" for a common name. */
size_t btls_certificate_attribute_find(
    const btls_certificate *certificate, const char *oid, size_t start);

/* The type of an attribute as an object identifier in dotted form; NULL for an index that is too
 * large. */
const char *btls_certificate_attribute_oid(const btls_certificate *certificate, size_t index);

/* The value of an attribute, not escaped. NULL if it has no text or holds a NUL character, and for
 * an index that is too large. It can hold other control characters: its issuer chose it. */
const char *btls_certificate_attribute_text(const btls_certificate *certificate, size_t index);

/* The position of an attribute's relative name, which the attributes of a relative name with
 * several share; 0 for an index that is too large. */
size_t btls_certificate_attribute_rdn(const btls_certificate *certificate, size_t index);

/* Gives the DER encoding of an attribute's value, with its tag. It lives as long as the
 * certificate.
 *
 * Returns BTLS_OK, BTLS_NULL_POINTER, or BTLS_INVALID_ARGUMENT for an index that is too large. */
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
    /* A user principal name, as Active Directory writes it: an otherName of type
     * 1.3.6.1.4.1.311.20.2.3. */
    BTLS_SAN_UPN = 5,
    BTLS_SAN_OTHER = 6, /* An otherName of any other type. */
    BTLS_SAN_DIRECTORY = 7, /* A distinguished name. */
    BTLS_SAN_REGISTERED_ID = 8, /* A registered object identifier. */
    BTLS_SAN_UNKNOWN = 9 /* A name of a kind that has no text, or bytes that are no name. */
};

/* The number of subject alternative names; 0 for NULL. */
size_t btls_certificate_san_count(const btls_certificate *certificate);

/* A subject alternative name with its kind, for people: "DNS:broker.example", "IP:192.0.2.1",
 * "email:a@example", "URI:...", "UPN:a@corp.example", "otherName:1.2.3.4;#0c0161",
 * "dirName:CN=a,O=Example", "registeredID:1.2.3.4". NULL for an index that is too large.
 *
 * Control characters, the backslash and a leading "#" are escaped ("\00", "\\", "\#"). A value that
 * its kind does not allow is its DER in hexadecimal after "#". */
const char *btls_certificate_san(const btls_certificate *certificate, size_t index);

/* Returns the kind of a subject alternative name; BTLS_SAN_NONE for an index that is too large. */
btls_san_kind btls_certificate_san_kind(const btls_certificate *certificate, size_t index);

/* The value of a subject alternative name, not escaped: the host, the address, the URI, the
 * distinguished name as in btls_certificate_subject, the object identifier.
 *
 * NULL if it has no text, if its kind does not allow what it holds, or if it holds a NUL character,
 * and for an index that is too large. It can hold other control characters: its issuer chose it. */
const char *btls_certificate_san_value(const btls_certificate *certificate, size_t index);

/* The type of an otherName as an object identifier in dotted form; NULL for other kinds. */
const char *btls_certificate_san_oid(const btls_certificate *certificate, size_t index);

/* Gives a DER encoding that lives as long as the certificate: of the value of an otherName and of a
 * distinguished name, of the whole GeneralName of other kinds.
 *
 * Returns BTLS_OK, BTLS_NULL_POINTER, or BTLS_INVALID_ARGUMENT for an index that is too large. */
btls_status btls_certificate_san_der(
    const btls_certificate *certificate, size_t index, const uint8_t **der, size_t *length);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* BROKERTLS_H */

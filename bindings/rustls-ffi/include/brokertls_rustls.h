/* brokertls for programs that are written for rustls-ffi.
 *
 * libbrokertls_rustls has the functions of brokertls.h and those of rustls.h. A btls_context gives
 * the configurations of rustls-ffi's connections, with all that it holds: identities by server name,
 * trust, revocation, protocols, versions, cipher suites, groups, sessions and the key log. Link with
 * this library alone: `pkg-config --cflags --libs brokertls-rustls`.
 *
 * A connection of rustls-ffi cannot wait for an answer, nor say which connection it is. A context
 * with one of these settings gives BTLS_OPTION_CONFLICT, which names it:
 *
 * - fetch (see the functions that end in known_only),
 * - btls_builder_verify_callback and btls_builder_on_revoked,
 * - legacy-engine, and with it pre-shared keys.
 *
 * It is for C: rustls.h is not for C++.
 *
 * Settings of connections that the library drives itself do nothing here: sleep-after-s and
 * keep-peer-chain. Connected peers are not swept when lists change. */

#ifndef BROKERTLS_RUSTLS_H
#define BROKERTLS_RUSTLS_H

#include <brokertls.h>
#include <rustls.h>

/* Gives the configuration of a server. Free it with rustls_server_config_free; a connection keeps
 * what it needs. It is of the generation in use, and all calls of a generation give the same one, so
 * that their connections share sessions. After a reload, call it again. Thread-safe.
 *
 * BTLS_NO_IDENTITY, BTLS_OPTION_CONFLICT; btls_context_error has the details. */
btls_status btls_context_rustls_server_config(
    const btls_context *context, const struct rustls_server_config **config);
/* Gives the configuration of a client, as btls_context_rustls_server_config does. Free it with
 * rustls_client_config_free. Sessions are kept by the name of the server. Of a name that has shown
 * two certificate chains to connections of the configuration, none is kept.
 *
 * BTLS_NO_TRUST, BTLS_OPTION_CONFLICT; btls_context_error has the details. */
btls_status btls_context_rustls_client_config(
    const btls_context *context, const struct rustls_client_config **config);

/* As btls_context_rustls_server_config, also for a context that fetches. Peers are checked by the
 * lists and responses that are at hand, and no handshake waits. A status that is required and not
 * known refuses the peer. btls_context_maintain fetches the lists that refused peers have named,
 * and renews them. No responder is asked about a peer. */
btls_status btls_context_rustls_server_config_known_only(
    const btls_context *context, const struct rustls_server_config **config);
/* As btls_context_rustls_client_config, also for a context that fetches. */
btls_status btls_context_rustls_client_config_known_only(
    const btls_context *context, const struct rustls_client_config **config);

/* Gives the number of the generation in use, which grows with each reload that succeeds. To notice a
 * reload, ask for the number before the configuration, and compare it later. Thread-safe. */
btls_status btls_context_generation(const btls_context *context, uint64_t *generation);

/* Returns the status of a connection that has failed, and gives its error with message and hint;
 * BTLS_OK and NULL if it has not. Free the error with btls_error_free. `error` may be NULL.
 *
 * Call it once, on the thread of the call that failed and right after it: the reason of a refused
 * peer is kept for the thread. A later call may give the reason of another peer that was refused for
 * the same kind of fault; without a reason, the error has what rustls-ffi keeps. The call reads the
 * result of rustls_connection_process_new_packets again: do not make it for a connection that works
 * and has unprocessed bytes. */
btls_status btls_rustls_error(struct rustls_connection *connection, btls_error **error);

#endif

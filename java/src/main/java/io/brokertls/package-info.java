/**
 * TLS for message brokers: a JSSE provider, and contexts of one's own.
 *
 * <ul>
 *   <li>{@link io.brokertls.BrokerTlsContext} is the TLS configuration of one broker or listener.
 *   <li>{@link io.brokertls.BrokerTlsProvider} is the JSSE provider, for programs that name a provider.
 *   <li>{@link io.brokertls.TlsFailure} is the cause of each exception, with its code and a hint.
 *   <li>{@link io.brokertls.KeyStoreConverter} converts keystores for other programs.
 * </ul>
 *
 * <p>No parameter and no result is null, unless it is marked with {@code @Nullable}. A null elsewhere is refused at
 * once, by a {@link java.lang.NullPointerException} with the name of the parameter.
 */
@NullMarked
package io.brokertls;

import org.jspecify.annotations.NullMarked;

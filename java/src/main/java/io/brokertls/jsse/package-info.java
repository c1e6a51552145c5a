/**
 * The JSSE implementation. Its packages are not exported, and use each other in one direction:
 *
 * <pre>
 *   jsse            SSLContext, and the entry points of the exported package
 *    ├─► socket     SSLSocket over an engine from an interface
 *    └─► engine     SSLEngine over a native connection
 *
 *   engine
 *    ├─► session    SSLSession and SSLSessionContext
 *    │     └─► keys
 *    ├─► keys       key managers, key stores, signatures
 *    └─► trust      trust managers and their verdicts
 * </pre>
 *
 * <p>All of them use {@code io.brokertls.internal}, which has the native methods.
 */
package io.brokertls.jsse;

package io.brokertls.jsse;

import io.brokertls.internal.NativeContext;

/** The shape of the session context, for those who use it. */
final class SessionContext {
    SessionContext(NativeContext context, boolean isClient) {
    }
}

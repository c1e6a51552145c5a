package io.brokertls.jsse;

import io.brokertls.internal.NativeContext;
import java.util.Enumeration;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSessionContext;

/** The shape of the session context, for those who use it. */
final class SessionContext implements SSLSessionContext {
    SessionContext(NativeContext context, boolean isClient) {
    }

    @Override
    public int getSessionCacheSize() {
        throw new UnsupportedOperationException();
    }

    @Override
    public SSLSession getSession(byte[] sessionId) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Enumeration<byte[]> getIds() {
        throw new UnsupportedOperationException();
    }

    @Override
    public int getSessionTimeout() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void setSessionCacheSize(int size) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void setSessionTimeout(int seconds) {
        throw new UnsupportedOperationException();
    }
}

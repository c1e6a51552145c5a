package io.netty.handler.ssl;

import java.security.Provider;

/** Netty's tests of engines, with one provider on both sides. It is in their package, which has their files. */
public final class OneProviderEngineTest extends SSLEngineTest {
    /** The provider, set before a run. */
    public static volatile Provider provider;

    public OneProviderEngineTest() {
        super(true);
    }

    @Override
    protected SslProvider sslClientProvider() {
        return SslProvider.JDK;
    }

    @Override
    protected SslProvider sslServerProvider() {
        return SslProvider.JDK;
    }

    @Override
    protected Provider clientSslContextProvider() {
        return provider;
    }

    @Override
    protected Provider serverSslContextProvider() {
        return provider;
    }
}

package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertNotNull;

import java.security.cert.X509Certificate;
import javax.net.ssl.X509TrustManager;

/** A plain trust manager that accepts every peer. */
final class TrustingAnyone implements X509TrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) {
        assertNotNull(authType);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) {
        assertNotNull(authType);
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return new X509Certificate[0];
    }
}

package io.brokertls.jsse;

import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.ExtendedSSLSession;

/** The shape of the session, for those who use it. */
abstract class Session extends ExtendedSSLSession {
    abstract void setRequestedServerName(String nameOrNull);

    abstract void setPeerSignatureSchemes(int[] schemes);

    abstract void setPeerCertificates(X509Certificate[] chain);

    abstract void setProtocol(String version);

    abstract void setStatusResponses(List<byte[]> responses);

    abstract void setLocalCertificates(X509Certificate[] chain);
}

package io.brokertls.peer;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.Principal;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SNIMatcher;
import javax.net.ssl.SNIServerName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.StandardConstants;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509ExtendedTrustManager;

/** The managers, matchers and selectors of one context. They note what each question shows of the handshake. */
final class AskedManagers {
    /** The questions, in their order. */
    final List<String> questions = new ArrayList<>();
    /** The facts of the handshake that the last question of each kind has shown. */
    final Map<String, String> facts = new TreeMap<>();
    private final X509ExtendedKeyManager keys;
    private final X509ExtendedTrustManager trust;

    AskedManagers(String identity) throws GeneralSecurityException {
        KeyManagerFactory keyFactory = KeyManagerFactory.getInstance("PKIX");
        keyFactory.init(Pki.get().identity(identity), Pki.PASSWORD);
        keys = (X509ExtendedKeyManager) keyFactory.getKeyManagers()[0];
        TrustManagerFactory trustFactory = TrustManagerFactory.getInstance("PKIX");
        trustFactory.init(Pki.get().trust());
        trust = (X509ExtendedTrustManager) trustFactory.getTrustManagers()[0];
    }

    SSLContext context(Stack stack) throws GeneralSecurityException {
        return context(stack, keyManager());
    }

    SSLContext context(Stack stack, KeyManager... ofKeys) throws GeneralSecurityException {
        SSLContext context = SSLContext.getInstance("TLS", stack.provider());
        context.init(ofKeys, new TrustManager[] {new Trust()}, null);
        return context;
    }

    X509ExtendedKeyManager keyManager() {
        return new Keys();
    }

    /** Returns a matcher of every name, which notes the question. */
    SNIMatcher matcher(SSLEngine engine) {
        return new SNIMatcher(StandardConstants.SNI_HOST_NAME) {
            @Override
            public boolean matches(SNIServerName name) {
                note("matcher of " + new String(name.getEncoded(), StandardCharsets.US_ASCII), engine);
                return true;
            }
        };
    }

    /** Returns the first protocol that the client offers, and notes the question. */
    String select(SSLEngine engine, List<String> offered) {
        note("selector of " + offered, engine);
        return offered.get(0);
    }

    /** Notes a question about an engine or a socket. */
    private void note(String question, Object connection) {
        if (connection instanceof SSLEngine) {
            SSLEngine engine = (SSLEngine) connection;
            note(question, engine.getHandshakeSession(), engine.getHandshakeApplicationProtocol());
        } else {
            SSLSocket socket = (SSLSocket) connection;
            note(question, socket.getHandshakeSession(), socket.getHandshakeApplicationProtocol());
        }
    }

    private void note(String question, SSLSession handshake, String protocol) {
        questions.add(question);
        facts.put(question, (handshake == null ? "no session" : shown((ExtendedSSLSession) handshake))
                + ", protocol " + protocol);
    }

    private static String shown(ExtendedSSLSession session) {
        String peer;
        try {
            peer = session.getPeerPrincipal().getName() + " " + session.getPeerCertificates().length;
        } catch (SSLPeerUnverifiedException e) {
            peer = "none";
        }
        Principal own = session.getLocalPrincipal();
        int ownLength = session.getLocalCertificates() == null ? 0 : session.getLocalCertificates().length;
        List<String> names = new ArrayList<>();
        for (SNIServerName name : session.getRequestedServerNames()) {
            names.add(name instanceof SNIHostName ? ((SNIHostName) name).getAsciiName() : name.toString());
        }
        // The same names, in the order of the peer or of the implementation.
        Set<String> peerSigns = new TreeSet<>(Arrays.asList(session.getPeerSupportedSignatureAlgorithms()));
        return session.getProtocol() + " " + session.getCipherSuite() + ", peer " + peer + ", own " + own + " "
                + ownLength + ", peer signs " + peerSigns + ", names " + names + ", "
                + session.getStatusResponses().size() + " responses, " + session.getPeerHost() + ":"
                + session.getPeerPort() + ", valid " + session.isValid() + ", values "
                + session.getValueNames().length;
    }

    private final class Keys extends WatchedKeys {
        Keys() {
            super(keys);
        }

        @Override
        protected void asked(String side, String[] keyTypes, Principal[] issuers, Object connection) {
            String types = side.equals("client") ? Arrays.toString(keyTypes) : keyTypes[0];
            note(side + " key of " + types + " by " + Arrays.toString(issuers), connection);
        }
    }

    private final class Trust extends WatchedTrust {
        @Override
        protected void judge(String side, X509Certificate[] chain, String authType, Object connection)
                throws CertificateException {
            note("trust in a " + side + " by " + authType, connection);
            ask(trust, side, chain, authType, connection);
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return trust.getAcceptedIssuers();
        }
    }
}

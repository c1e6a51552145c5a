package io.brokertls.jsse;

import io.brokertls.TlsFailure;
import io.brokertls.internal.NativeContextBuilder;
import io.brokertls.jsse.engine.ContextState;
import io.brokertls.jsse.engine.Engine;
import io.brokertls.jsse.keys.ExtendedKeyManager;
import io.brokertls.jsse.keys.NativeKeyManagerFactory;
import io.brokertls.jsse.socket.TlsServerSocketFactory;
import io.brokertls.jsse.socket.TlsSocketFactory;
import io.brokertls.jsse.trust.ExtendedTrustManager;
import io.brokertls.jsse.trust.NativeTrustManagerFactory;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.AccessController;
import java.security.GeneralSecurityException;
import java.security.KeyManagementException;
import java.security.KeyStore;
import java.security.PrivilegedAction;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContextSpi;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocketFactory;
import javax.net.ssl.SSLSessionContext;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509ExtendedTrustManager;
import javax.net.ssl.X509KeyManager;
import javax.net.ssl.X509TrustManager;

/** The SSLContext implementations of the provider. After a second init, engines made before keep the first state. */
public class ContextSpi extends SSLContextSpi {
    /** The limit for the issuer names in a certificate request, which is one message. */
    private static final int MOST_ISSUER_BYTES = 32 << 10;

    /** The options that properties switch on for contexts of {@code SSLContext.getInstance}, which have no others. */
    private static final String[] OF_PROPERTIES = {"legacy-engine", "legacy-allow", "legacy-library"};
    private static final String PROPERTY_PREFIX = "brokertls.";

    private final String versions;
    private volatile ContextState state;

    ContextSpi(String versions) {
        this.versions = versions;
    }

    private ContextSpi(ContextState state) {
        this.versions = null;
        this.state = state;
    }

    /** The context TLS. */
    public static final class Tls extends ContextSpi {
        /** Makes a context that is not initialised. */
        public Tls() {
            super((String) null);
        }
    }

    /** The context TLSv1.2. Newer versions must be enabled. */
    public static final class Tls12 extends ContextSpi {
        /** Makes a context that is not initialised. */
        public Tls12() {
            super("TLSv1.2");
        }
    }

    /** The context TLSv1.3. It also enables TLS 1.2, as the JDK's context of that name does. */
    public static final class Tls13 extends ContextSpi {
        /** Makes a context that is not initialised. */
        public Tls13() {
            super("TLSv1.2,TLSv1.3");
        }
    }

    /** The context of a builder, which has set everything. */
    static final class OfBuilder extends ContextSpi {
        /** Makes a context that is initialised. */
        OfBuilder(ContextState state) {
            super(state);
        }

        @Override
        protected void engineInit(KeyManager[] keys, TrustManager[] trust, SecureRandom random)
                throws KeyManagementException {
            throw new KeyManagementException("the SSLContext of a BrokerTlsContext has its settings already; init would"
                    + " replace all of them");
        }
    }

    /** The context Default, with the stores of javax.net.ssl.keyStore and javax.net.ssl.trustStore. */
    public static final class Default extends ContextSpi {
        /** Reads the stores that the properties name, and initialises the context. */
        public Default() throws GeneralSecurityException, IOException {
            super((String) null);
            initialise(keyManagersOfProperties(), null);
        }

        @Override
        protected void engineInit(KeyManager[] keys, TrustManager[] trust, SecureRandom random)
                throws KeyManagementException {
            throw new KeyManagementException("the Default SSLContext is initialised already");
        }
    }

    @Override
    protected void engineInit(KeyManager[] keys, TrustManager[] trust, SecureRandom random)
            throws KeyManagementException {
        initialise(keys, trust);
    }

    final void initialise(KeyManager[] keys, TrustManager[] trust) throws KeyManagementException {
        try (NativeContextBuilder builder = new NativeContextBuilder()) {
            if (versions != null) {
                builder.set("versions", versions);
            }
            setFromProperties(builder);
            X509ExtendedKeyManager keyManager = useKeys(builder, first(keys));
            X509ExtendedTrustManager trustManager = useTrust(builder, trust);
            state = new ContextState(builder.build(), keyManager, trustManager, false, 0, null, null);
        } catch (GeneralSecurityException e) {
            throw new KeyManagementException(e.getMessage(), e);
        }
    }

    /** Sets the options of properties, for programs without the permission to read these, too. */
    private static void setFromProperties(NativeContextBuilder builder) throws TlsFailure {
        for (String option : OF_PROPERTIES) {
            String value = AccessController.doPrivileged(
                    (PrivilegedAction<String>) () -> System.getProperty(PROPERTY_PREFIX + option));
            if (value != null) {
                builder.set(option, value);
            }
        }
    }

    private static X509ExtendedKeyManager first(KeyManager[] managers) {
        if (managers != null) {
            for (KeyManager manager : managers) {
                if (manager instanceof X509KeyManager) {
                    return ExtendedKeyManager.of((X509KeyManager) manager);
                }
            }
        }
        return null;
    }

    /** Returns the manager to call in handshakes; null if there is none, or if its keys are native. */
    static X509ExtendedKeyManager useKeys(NativeContextBuilder builder, X509ExtendedKeyManager manager) {
        if (manager instanceof NativeKeyManagerFactory.Native) {
            ((NativeKeyManagerFactory.Native) manager).addTo(builder);
            return null;
        }
        if (manager != null) {
            builder.useHostIdentities();
        }
        return manager;
    }

    private static X509ExtendedTrustManager useTrust(NativeContextBuilder builder, TrustManager[] managers)
            throws GeneralSecurityException {
        X509ExtendedTrustManager manager = managers == null
                ? NativeTrustManagerFactory.ofProcess() : ExtendedTrustManager.refusingAll();
        if (managers != null) {
            for (TrustManager each : managers) {
                if (each instanceof X509TrustManager) {
                    manager = ExtendedTrustManager.of((X509TrustManager) each);
                    break;
                }
            }
        }
        return useTrust(builder, manager);
    }

    /** Returns the manager to call in handshakes; null if trust is native. */
    static X509ExtendedTrustManager useTrust(NativeContextBuilder builder, X509ExtendedTrustManager manager)
            throws TlsFailure {
        if (manager instanceof NativeTrustManagerFactory.Native) {
            NativeTrustManagerFactory.Native ours = (NativeTrustManagerFactory.Native) manager;
            if (!ours.isEmpty()) {
                ours.addTo(builder);
                return null;
            }
        }
        builder.useHostTrust(issuers(manager));
        return manager;
    }

    private static byte[][] issuers(X509ExtendedTrustManager manager) {
        X509Certificate[] accepted = manager.getAcceptedIssuers();
        List<byte[]> names = new ArrayList<>();
        int total = 0;
        for (X509Certificate certificate : accepted == null ? new X509Certificate[0] : accepted) {
            byte[] name = certificate.getSubjectX500Principal().getEncoded();
            total += name.length + Short.BYTES;
            if (total > MOST_ISSUER_BYTES) {
                return new byte[0][];
            }
            names.add(name);
        }
        return names.toArray(new byte[0][]);
    }

    private static KeyManager[] keyManagersOfProperties() throws GeneralSecurityException, IOException {
        String file = System.getProperty("javax.net.ssl.keyStore", "");
        String type = System.getProperty("javax.net.ssl.keyStoreType", "");
        // A store without a file, such as a token, is named NONE and needs a type.
        boolean hasFile = !file.equals("NONE");
        if (file.isEmpty() || !hasFile && type.isEmpty()) {
            return null;
        }
        String provider = System.getProperty("javax.net.ssl.keyStoreProvider", "");
        String named = type.isEmpty() ? KeyStore.getDefaultType() : type;
        KeyStore store = provider.isEmpty() ? KeyStore.getInstance(named) : KeyStore.getInstance(named, provider);
        char[] password = System.getProperty("javax.net.ssl.keyStorePassword", "").toCharArray();
        try (InputStream in = hasFile ? Files.newInputStream(Path.of(file)) : null) {
            store.load(in, password.length == 0 ? null : password);
        }
        KeyManagerFactory factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        factory.init(store, named.equals("PKCS11") ? null : password);
        return factory.getKeyManagers();
    }

    ContextState state() {
        ContextState current = state;
        if (current == null) {
            throw new IllegalStateException("the SSLContext is not initialised; call init first");
        }
        return current;
    }

    @Override
    protected SSLSocketFactory engineGetSocketFactory() {
        return new TlsSocketFactory(new ContextEngines(state()));
    }

    @Override
    protected SSLServerSocketFactory engineGetServerSocketFactory() {
        return new TlsServerSocketFactory(new ContextEngines(state()));
    }

    @Override
    protected SSLEngine engineCreateSSLEngine() {
        return new Engine(state(), null, -1);
    }

    @Override
    protected SSLEngine engineCreateSSLEngine(String host, int port) {
        return new Engine(state(), host, port);
    }

    @Override
    protected SSLSessionContext engineGetServerSessionContext() {
        return state().serverSessions();
    }

    @Override
    protected SSLSessionContext engineGetClientSessionContext() {
        return state().clientSessions();
    }

    @Override
    protected SSLParameters engineGetDefaultSSLParameters() {
        ContextState current = state();
        SSLParameters made =
                new SSLParameters(current.defaultCipherSuites(), newestFirst(current.defaultProtocols()));
        current.setDefaults(made);
        return made;
    }

    @Override
    protected SSLParameters engineGetSupportedSSLParameters() {
        ContextState current = state();
        return new SSLParameters(current.supportedCipherSuites(), newestFirst(current.supportedProtocols()));
    }

    private static String[] newestFirst(String[] versions) {
        String[] reversed = new String[versions.length];
        for (int i = 0; i < versions.length; i++) {
            reversed[i] = versions[versions.length - 1 - i];
        }
        return reversed;
    }
}

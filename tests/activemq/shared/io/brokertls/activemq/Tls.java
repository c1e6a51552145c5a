package io.brokertls.activemq;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.lang.reflect.InvocationTargetException;
import java.security.Provider;
import java.security.Security;
import java.util.List;

/** The provider that the tests run on: {@code -Dtls.provider}, the JDK's or ours. */
final class Tls {
    static final String JDK = "SunJSSE";
    static final String PROVIDER = registered(System.getProperty("tls.provider", JDK));

    private Tls() {}

    private static String registered(String name) {
        if (Security.getProvider(name) == null) {
            try {
                Class<?> type = Class.forName("io.brokertls.BrokerTlsProvider");
                Security.addProvider((Provider) type.getConstructor().newInstance());
            } catch (ClassNotFoundException | NoSuchMethodException | InstantiationException | IllegalAccessException
                    | InvocationTargetException e) {
                throw new IllegalStateException("no provider " + name, e);
            }
        }
        if (Security.getProvider(name) == null) {
            throw new IllegalStateException("no provider is called " + name);
        }
        return name;
    }

    /** A context of one's own is what the tests are about: nothing may come from the process. */
    static void assertNoSettingOfTheProcess() {
        for (String name : System.getProperties().stringPropertyNames()) {
            assertFalse(name.startsWith("javax.net.ssl.") || name.startsWith("com.sun.net.ssl.")
                    || name.startsWith("com.sun.security."), name);
        }
        assertNull(Security.getProperty("ocsp.enable"));
        assertNull(Security.getProperty("ocsp.responderURL"));
    }

    static boolean isOurs() {
        return !PROVIDER.equals(JDK);
    }

    /** Those that clients are tested with. */
    static List<String> providers() {
        return List.of(PROVIDER, JDK);
    }

    /** Returns the start of a refusal by a trust manager on {@code provider}. */
    static String untrusted(String provider) {
        return provider.equals(JDK) ? "" : "BTLS_CERT_REJECTED_BY_MANAGER";
    }

    /** A refusal that the tests expect: the messages of {@code thrown} and of all its causes. */
    static String reasons(Throwable thrown) {
        StringBuilder text = new StringBuilder();
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            text.append(cause.getClass().getSimpleName()).append(": ").append(cause.getMessage()).append('\n');
        }
        return text.toString();
    }
}

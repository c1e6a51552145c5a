package io.brokertls.activemq;

import java.lang.reflect.InvocationTargetException;
import java.security.Provider;
import java.security.Security;

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

    /** A refusal that the tests expect: the messages of {@code thrown} and of all its causes. */
    static String reasons(Throwable thrown) {
        StringBuilder text = new StringBuilder();
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            text.append(cause.getClass().getSimpleName()).append(": ").append(cause.getMessage()).append('\n');
        }
        return text.toString();
    }
}

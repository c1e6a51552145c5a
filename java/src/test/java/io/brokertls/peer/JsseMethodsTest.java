package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiFunction;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.Test;

/**
 * The methods of engines, sockets and sessions that this JVM has. A default of the JDK's classes does nothing, or
 * throws without a reason, so none is left as it is. {@code make test-java-25} runs these tests too.
 */
class JsseMethodsTest {
    /** Defaults that call another method, which is ours. */
    private static final Set<String> CALL_ANOTHER = Set.of("SSLEngine.wrap", "SSLEngine.unwrap");

    private static final BiFunction<Object, List<String>, String> SELECTOR = (subject, offered) -> null;

    private static SSLContext context() {
        return Stack.OURS.context("ec");
    }

    private static List<Object> subjects() throws Exception {
        SSLContext context = context();
        SSLEngine engine = context.createSSLEngine(Pki.HOST, 1);
        engine.setUseClientMode(true);
        engine.beginHandshake();
        return List.of(engine, engine.getSession(), engine.getHandshakeSession(), context.getClientSessionContext(),
                context.getSocketFactory(), context.getSocketFactory().createSocket(),
                context.getServerSocketFactory(), context.getServerSocketFactory().createServerSocket());
    }

    @Test
    void noMethodIsLeftAsTheJdkHasIt() throws Exception {
        Set<String> left = new TreeSet<>();
        for (Object subject : subjects()) {
            for (Method method : subject.getClass().getMethods()) {
                Class<?> declaring = method.getDeclaringClass();
                if (!Modifier.isStatic(method.getModifiers()) && declaring.getName().startsWith("javax.net")) {
                    left.add(declaring.getSimpleName() + "." + method.getName());
                }
            }
        }
        assertEquals(new TreeSet<>(CALL_ANOTHER), left);
    }

    /** A value of each property that differs from its default. */
    private static Map<String, Object> values() {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("EnableSessionCreation", false);
        values.put("EnabledCipherSuites", new String[] {"TLS_AES_256_GCM_SHA384"});
        values.put("EnabledProtocols", new String[] {"TLSv1.3"});
        values.put("HandshakeApplicationProtocolSelector", SELECTOR);
        values.put("NeedClientAuth", true);
        values.put("WantClientAuth", true);
        return values;
    }

    private static Object read(Class<?> type, Object subject, String property) throws ReflectiveOperationException {
        for (Method method : type.getMethods()) {
            boolean isGetter = method.getName().equals("get" + property);
            if (isGetter && method.getParameterCount() == 0) {
                Object value = method.invoke(subject);
                return value instanceof Object[] ? Arrays.asList((Object[]) value) : value;
            }
        }
        throw new AssertionError("no way to read " + property);
    }

    @Test
    void everySetterOfEnginesAndSocketsIsGivenBack() throws Exception {
        Map<Class<?>, Object> subjects = new LinkedHashMap<>();
        for (Class<?> type : List.of(SSLEngine.class, SSLSocket.class, SSLServerSocket.class)) {
            subjects.put(type, subjects().stream().filter(type::isInstance).findFirst().orElseThrow());
        }
        // One that has not begun.
        subjects.put(SSLEngine.class, context().createSSLEngine(Pki.HOST, 1));
        for (Map.Entry<Class<?>, Object> entry : subjects.entrySet()) {
            Object subject = entry.getValue();
            Set<String> seen = new TreeSet<>();
            for (Method setter : entry.getKey().getMethods()) {
                String property = setter.getName().startsWith("set") ? setter.getName().substring(3) : "";
                boolean isOfSockets = setter.getDeclaringClass() != entry.getKey();
                // ParametersTest has all parameters, and the next lines the mode.
                if (property.isEmpty() || isOfSockets || Set.of("SSLParameters", "UseClientMode").contains(property)) {
                    continue;
                }
                Object value = values().get(property);
                assertTrue(value != null, "a property without a value here: " + property);
                Object expected = value instanceof Object[] ? Arrays.asList((Object[]) value) : value;
                assertNotEquals(expected, read(entry.getKey(), subject, property), property);
                setter.invoke(subject, value);
                String what = entry.getKey().getSimpleName() + " " + property;
                assertEquals(expected, read(entry.getKey(), subject, property), what);
                seen.add(property);
            }
            assertTrue(seen.size() >= 5, seen.toString());
            Method mode = entry.getKey().getMethod("setUseClientMode", boolean.class);
            Method isClient = entry.getKey().getMethod("getUseClientMode");
            for (boolean wanted : new boolean[] {true, false, true}) {
                mode.invoke(subject, wanted);
                assertEquals(wanted, isClient.invoke(subject), entry.getKey().getSimpleName());
            }
        }
    }
}

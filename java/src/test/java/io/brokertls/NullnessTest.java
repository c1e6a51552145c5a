package io.brokertls;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Parameter;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.NullMarked;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Null for each parameter of each public method: refused by the name of the parameter, or marked as nullable. */
class NullnessTest {
    /** One valid argument for each type of a parameter. */
    private final Map<Class<?>, Supplier<Object>> values = Map.ofEntries(
            Map.entry(Path.class, () -> Path.of("none.pem")), Map.entry(Path[].class, () -> new Path[0]),
            Map.entry(String.class, () -> "default"), Map.entry(String[].class, () -> new String[0]),
            Map.entry(byte[].class, () -> new byte[1]), Map.entry(char[].class, () -> new char[1]),
            Map.entry(List.class, () -> List.of()), Map.entry(Map.class, () -> new EnumMap<>(ErrorCode.class)),
            Map.entry(long[].class, () -> new long[16]), Map.entry(int.class, () -> 1), Map.entry(long.class, () -> 1L), Map.entry(boolean.class, () -> true),
            Map.entry(ErrorCode.class, () -> ErrorCode.INTERNAL),
            Map.entry(CertificateNames.Kind.class, () -> CertificateNames.Kind.DNS),
            Map.entry(BrokerTlsContext.ClientAuth.class, () -> BrokerTlsContext.ClientAuth.NEED),
            Map.entry(BrokerTlsContext.RevocationMode.class, () -> BrokerTlsContext.RevocationMode.OFF));

    private static List<Class<?>> publicTypes() throws Exception {
        Path classes = Path.of(BrokerTlsContext.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        List<Class<?>> types = new ArrayList<>();
        try (Stream<Path> files = Files.list(classes.resolve("io/brokertls"))) {
            for (Path file : files.sorted().collect(Collectors.toList())) {
                String name = file.getFileName().toString();
                if (name.endsWith(".class") && !name.equals("package-info.class")) {
                    Class<?> type = Class.forName("io.brokertls." + name.replace(".class", ""));
                    if (Modifier.isPublic(type.getModifiers()) && !type.isSynthetic()) {
                        types.add(type);
                    }
                }
            }
        }
        return types;
    }

    private static List<Executable> callable(Class<?> type) {
        List<Executable> found = new ArrayList<>();
        for (Constructor<?> one : type.getDeclaredConstructors()) {
            found.add(one);
        }
        // The builder has methods of classes above it, which are not public themselves.
        for (Class<?> each = type; each != null && each.getName().startsWith("io.brokertls.");
                each = each.getSuperclass()) {
            for (Method one : each.getDeclaredMethods()) {
                // The compiler makes valueOf of an enum.
                if (!(type.isEnum() && one.getName().equals("valueOf")) && !one.isSynthetic()) {
                    found.add(one);
                }
            }
        }
        found.removeIf(one -> !Modifier.isPublic(one.getModifiers()) || Modifier.isAbstract(one.getModifiers()));
        return found;
    }

    private Object value(Class<?> type) {
        if (values.containsKey(type)) {
            return values.get(type).get();
        }
        if (type.isInterface()) {
            return Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (proxy, method, all) -> null);
        }
        // A type with more than one parameter has none of these.
        assertTrue(List.of(SSLEngine.class, SSLSocket.class, SSLSession.class, Certificate.class, Object.class,
                TlsFailure.class, Instant.class, TlsCertificate.class,
                RevocationSource.class).contains(type), "a value of " + type);
        return null;
    }

    private Object target(Executable method) throws Exception {
        Class<?> type = method.getDeclaringClass();
        if (method instanceof Constructor || Modifier.isStatic(method.getModifiers())) {
            return null;
        }
        if (type.isAssignableFrom(BrokerTlsContextBuilder.class)) {
            return BrokerTlsContext.builder().keyStore(Path.of("none.p12"), null).trustStore(Path.of("none.p12"), null);
        }
        if (type == BrokerTlsContext.class) {
            return BrokerTlsContext.builder().insecureAcceptAnyServer(true).build();
        }
        if (type == KeyStoreConverter.class) {
            return new KeyStoreConverter();
        }
        if (type == BrokerTlsProvider.class) {
            return new BrokerTlsProvider();
        }
        if (type == PskPrincipal.class) {
            return new PskPrincipal(new byte[1]);
        }
        CertificateNames names = CertificateNames.of(certificate());
        return type == CertificateNames.class ? names : names.subject();
    }

    private static Certificate certificate() throws Exception {
        KeyStore store = KeyStore.getInstance(Path.of(System.getProperty("java.home"), "lib/security/cacerts").toFile(),
                "changeit".toCharArray());
        Certificate first = store.getCertificate(store.aliases().nextElement());
        return CertificateFactory.getInstance("X.509")
                .generateCertificate(new ByteArrayInputStream(first.getEncoded()));
    }

    private static Throwable thrown(Executable method, Object target, Object... arguments) throws Exception {
        try {
            if (method instanceof Constructor) {
                ((Constructor<?>) method).newInstance(arguments);
            } else {
                ((Method) method).invoke(target, arguments);
            }
            return null;
        } catch (InvocationTargetException e) {
            return e.getCause();
        }
    }

    @Test
    void nullIsRefusedByTheNameOfTheParameterUnlessItIsMarkedAsNullable() throws Exception {
        Map<String, String> wrong = new TreeMap<>();
        int refused = 0;
        int accepted = 0;
        for (Class<?> type : publicTypes()) {
            for (Executable method : callable(type)) {
                Parameter[] parameters = method.getParameters();
                for (int index = 0; index < parameters.length; index++) {
                    if (parameters[index].getType().isPrimitive()) {
                        continue;
                    }
                    assertTrue(parameters[index].isNamePresent(), method.toString());
                    Object[] arguments = Arrays.stream(method.getParameterTypes()).map(this::value).toArray();
                    arguments[index] = null;
                    Throwable thrown = thrown(method, target(method), arguments);
                    boolean isRefused = thrown instanceof NullPointerException;
                    boolean isNullable = parameters[index].getAnnotatedType().isAnnotationPresent(Nullable.class);
                    if (isRefused == isNullable
                            || isRefused && !parameters[index].getName().equals(thrown.getMessage())) {
                        wrong.put(method + " " + parameters[index].getName(), String.valueOf(thrown));
                    }
                    refused += isRefused ? 1 : 0;
                    accepted += isNullable ? 1 : 0;
                }
            }
        }
        assertTrue(wrong.isEmpty(), () -> String.join("\n", wrong.entrySet().toString().split(", (?=public)")));
        assertTrue(refused > 60 && accepted >= 8, refused + " refused, " + accepted + " accepted");
    }

    @Test
    void nullAmongSeveralValuesIsRefusedByTheNameOfTheParameter() {
        BrokerTlsContextBuilder builder = BrokerTlsContext.builder();
        Map<String, Runnable> calls = new TreeMap<>(Map.of(
                "versions", () -> builder.protocols("TLSv1.3", null),
                "names", () -> builder.cipherSuites("TLS_AES_128_GCM_SHA256", null),
                "protocols", () -> builder.applicationProtocols(null, "mqtt"),
                "deviations", () -> builder.insecureAllow((String) null),
                "parts", () -> builder.legacyAllow((String) null),
                "filesOrDirectories", () -> builder.crl(Path.of("ca.crl"), null),
                "files", () -> builder.ocspResponse((Path) null)));
        calls.forEach((name, call) ->
                assertEquals(name, assertThrows(NullPointerException.class, call::run).getMessage()));
        Map<String, String> options = new TreeMap<>();
        options.put("versions", null);
        assertEquals("value", assertThrows(NullPointerException.class, () -> BrokerTlsContext.of(options))
                .getMessage());
    }

    @Test
    void exportedPackageIsMarked() {
        assertTrue(BrokerTlsContext.class.getPackage().isAnnotationPresent(NullMarked.class));
    }
}

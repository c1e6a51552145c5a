package io.brokertls.activemq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.KeyManagementException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import javax.net.ssl.SSLContext;
import org.apache.activemq.broker.BrokerService;
import org.apache.activemq.broker.BrokerServiceAware;
import org.apache.activemq.broker.SslContext;
import org.apache.activemq.transport.TransportFactory;
import org.apache.activemq.transport.TransportServer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.BeansException;
import org.springframework.context.support.FileSystemXmlApplicationContext;

/** The bean of java/activemq: configurations of SpringSslContext with the name of the class changed alone. */
@Timeout(value = 3, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SslContextBeanTest {
    private static final String SPRING = "org.apache.activemq.spring.SpringSslContext";
    private static final String OURS = "io.brokertls.activemq.BrokerTlsSslContext";
    private static final String STORES = "keyStore=file:OURS/broker.ks keyStorePassword=password"
            + " trustStore=file:OURS/broker.ts trustStorePassword=password";

    @TempDir static Path folder;

    private static final Stores ours = Stores.ours();
    private static final Stores strangers = Stores.impostor().trusting(ours);
    private static Authority authority;
    private static Stores good;
    private static Stores revoked;

    @BeforeAll
    static void makeAuthority() throws Exception {
        authority = new Authority(folder.resolve("authority"));
        good = authority.issue("device-7");
        revoked = authority.issue("device-8");
        authority.revoke("device-8");
    }

    /** The stores in a format that only a manager of Java reads by the name of its type. */
    @BeforeAll
    static void convert() throws Exception {
        for (String name : List.of("broker.ks", "broker.ts")) {
            char[] password = Stores.PASSWORD.toCharArray();
            KeyStore from = KeyStore.getInstance(Path.of(ours.path(name)).toFile(), password);
            KeyStore to = KeyStore.getInstance("CaseExactJKS");
            to.load(null, null);
            for (String alias : Collections.list(from.aliases())) {
                if (from.isKeyEntry(alias)) {
                    to.setKeyEntry(alias, from.getKey(alias, password), password, from.getCertificateChain(alias));
                } else {
                    to.setCertificateEntry(alias, from.getCertificate(alias));
                }
            }
            try (OutputStream out = Files.newOutputStream(folder.resolve(name))) {
                to.store(out, password);
            }
        }
    }

    @AfterAll
    static void end() {
        authority.close();
    }

    /** Each configuration as SpringSslContext takes it, then with the other name of the class. */
    @ParameterizedTest
    @ValueSource(strings = {
        STORES,
        "keyStore=OURS/broker.ks keyStorePassword=password trustStore=OURS/broker.ts trustStorePassword=password"
            + " keyStoreType=JKS trustStoreType=PKCS12 secureRandomAlgorithm=NativePRNG protocol=TLSv1.3",
        STORES + " keyStoreKeyPassword=password protocol=TLSv1.2",
        STORES + " keyStoreAlgorithm=SunX509 trustStoreAlgorithm=PKIX",
        STORES + " keyStoreAlgorithm=PKIX trustStoreAlgorithm=SunX509 provider=BrokerTLS",
        "keyStore=file:FOLDER/broker.ks keyStorePassword=password trustStore=file:FOLDER/broker.ts"
            + " trustStorePassword=password keyStoreType=CaseExactJKS trustStoreType=CaseExactJKS"})
    void configurationServesTheSameClientsAndRefusesTheSameWithTheOtherClass(String properties) throws Exception {
        for (String type : new String[] {SPRING, OURS}) {
            for (String scheme : new String[] {"ssl", "nio+ssl"}) {
                try (Bean bean = new Bean(type, exact(properties));
                        Broker broker = new Broker(bean.context, scheme, 0, ConnectorContract.NEED)) {
                    assertServed(broker, scheme, ours);
                    assertRefused(broker, scheme, strangers, true);
                    assertRefused(broker, scheme, ours, false);
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " trustStoreAlgorithm=PKIX"})
    void revokedClientOfTheListAtCrlPathIsRefusedByBothClasses(String algorithm) throws Exception {
        for (String type : new String[] {SPRING, OURS}) {
            String properties = STORES.replace("OURS", good.path("")) + " crlPath=file:" + authority.revocationList();
            try (Bean bean = new Bean(type, properties + algorithm);
                    Broker broker = new Broker(bean.context, "ssl", 0, ConnectorContract.NEED)) {
                assertServed(broker, "ssl", good);
                assertRefused(broker, "ssl", revoked, true);
            }
        }
    }

    /** A setting that SpringSslContext ignores, or that contradicts another, ends with the reason. */
    @ParameterizedTest
    @CsvSource({
        "provider=SunJSSE, provider SunJSSE",
        "trustStoreAlgorithm=SunX509 crlPath=OURS/none.pem, crlPath has no effect with trustStoreAlgorithm SunX509",
        "protocol=TLSv1.2 protocols=TLSv1.3, protocol TLSv1.2 and protocols",
        "protocol=TLSv1, BTLS_VERSION_NOT_SUPPORTED",
        "secureRandomAlgorithm=None, None SecureRandom",
        "certificate=OURS/broker.pem, 'keyStore, certificate, keyManager and keyManagers'",
        "privateKey=OURS/broker.pem keyStore=, privateKey needs certificate",
        "keyStorePassword=Tr0ub4dor, BTLS_STORE_PASSWORD_WRONG",
        "keyStoreKeyPassword=Tr0ub4dor, BTLS_KEY_PASSWORD_WRONG",
        "keyStore=file:/none/broker.ks, /none/broker.ks",
        "keyStore=nowhere.ks, nowhere.ks",
        "keyStore=http://127.0.0.1:9/broker.ks, read over the network",
        "trustStore=http://127.0.0.1:9/broker.ts, read over the network",
        "crlPath=OURS/none.pem, none.pem",
        "trustStore=, trustStorePassword needs trustStore",
        "keyStoreAlgorithm=SunX509 keyAlias=broker, keyAlias has no effect",
        "trustStoreAlgorithm=None, None TrustManagerFactory",
        "keystore=OURS/broker.ks, keystore",
        "options=no-such-option, BTLS_UNKNOWN_OPTION"})
    void settingThatHasNoEffectOrCannotBeUsedIsRefused(String changed, String reason) {
        String properties = STORES + " " + changed;
        BeansException refused = assertThrows(BeansException.class,
                () -> new Bean(OURS, exact(properties)).close());
        String all = Tls.reasons(refused);
        assertTrue(all.contains(reason), all);
        assertFalse(all.contains("Tr0ub4dor"), all);
    }

    /** In JVMs of their own, because a security property cannot be removed. */
    @Test
    void ocspOfTheProcessIsRefusedForNativeTrustAndHonouredByTheManagerOfJava() throws Exception {
        Path security = Files.writeString(folder.resolve("java.security"), "ocsp.enable=true\nocsp.responderURL="
                + authority.startResponder() + "\n");
        String option = "-Djava.security.properties=" + security;
        String trust = STORES.replace("OURS", good.path(""));
        IOException refused = assertThrows(IOException.class,
                () -> new ForkedBroker(folder, activemqXml(trust), option).close());
        assertTrue(refused.getMessage().contains("ocsp.enable has no effect on native trust"), refused.getMessage());
        try (ForkedBroker broker =
                new ForkedBroker(folder, activemqXml(trust + " trustStoreAlgorithm=PKIX"), option)) {
            SSLContext ofGood = good.clientContext(Tls.JDK, true);
            assertEquals("", Sockets.refusal(ofGood, broker.port("ssl")));
            assertNotEquals("", Sockets.refusal(revoked.clientContext(Tls.JDK, true), broker.port("ssl")));
        }
    }

    private static Path activemqXml(String properties) throws IOException {
        StringBuilder bean = new StringBuilder();
        for (String each : properties.split(" ")) {
            String[] pair = each.split("=", 2);
            bean.append("<property name=\"" + pair[0] + "\" value=\"" + pair[1] + "\"/>\n");
        }
        return SpringBrokerTest.activemqXml(folder,
                "<broker xmlns=\"http://activemq.apache.org/schema/core\" brokerName=\"ocsp\"><sslContext>\n"
                + "<bean xmlns=\"http://www.springframework.org/schema/beans\" class=\"" + OURS + "\">\n" + bean
                + "</bean></sslContext><transportConnectors>\n"
                + "<transportConnector name=\"ssl\" uri=\"ssl://0.0.0.0:61617?transport.needClientAuth=true\"/>\n"
                + "</transportConnectors></broker>\n");
    }

    @Test
    void reloadReadsFilesAgainAndRefusesWhatIsNoFile() throws Exception {
        Path keys = Files.copy(Path.of(ours.path("broker.ks")), folder.resolve("reloaded.ks"));
        String properties = "keyStore=" + keys + " keyStorePassword=password trustStore=file:" + ours.path("broker.ts")
                + " trustStorePassword=password";
        try (Bean bean = new Bean(OURS, properties); Broker broker = new Broker(bean.context, "ssl", 0, "")) {
            assertServed(broker, "ssl", ours);
            Files.copy(Path.of(Stores.impostor().path("broker.ks")), keys, StandardCopyOption.REPLACE_EXISTING);
            bean.call("reload");
            assertServed(broker, "ssl", Stores.impostor());
            Files.writeString(keys, "no store");
            assertThrows(InvocationTargetException.class, () -> bean.call("reload"));
            assertServed(broker, "ssl", Stores.impostor());
        }
        try (Bean bean = new Bean(OURS, exact(STORES + " trustStoreAlgorithm=PKIX"))) {
            Throwable refused = assertThrows(InvocationTargetException.class, () -> bean.call("reload")).getCause();
            assertTrue(refused.getMessage().contains("trustStore by a Java trust manager"), refused.getMessage());
        }
    }

    @Test
    void storeOfTheClassPathIsFoundAsSpringFindsIt() throws Exception {
        Path classes = Path.of("target", "test-classes");
        Files.copy(Path.of(ours.path("broker.ks")), classes.resolve("bean.ks"), StandardCopyOption.REPLACE_EXISTING);
        for (String location : new String[] {"classpath:bean.ks", "bean.ks"}) {
            for (String type : new String[] {SPRING, OURS}) {
                try (Bean bean = new Bean(type, "keyStore=" + location + " keyStorePassword=password");
                        Broker broker = new Broker(bean.context, "ssl", 0, "")) {
                    assertServed(broker, "ssl", ours);
                }
            }
        }
    }

    /** ActiveMQ 6 has jakarta.jms, and its module for STOMP is published. */
    static List<String> nioSchemes() {
        boolean isSix = Connection.class.getName().startsWith("jakarta");
        return isSix ? List.of("mqtt+nio+ssl", "amqp+nio+ssl", "stomp+nio+ssl")
                : List.of("mqtt+nio+ssl", "amqp+nio+ssl");
    }

    /** ActiveMQ gives the context of the last broker to the clients of both. */
    @ParameterizedTest
    @MethodSource("nioSchemes")
    void twoBrokersKeepTheirOwnContextsOverEachNioTransport(String scheme) throws Exception {
        Stores theirs = Stores.impostor();
        try (Bean one = new Bean(OURS, exact(STORES));
                Bean two = new Bean(OURS, STORES.replace("OURS", theirs.path("")));
                Broker first = new Broker(one.context, scheme, 0, "transport.needClientAuth=true");
                Broker second = new Broker(two.context, scheme, 0, "transport.needClientAuth=true")) {
            for (Broker broker : List.of(first, second)) {
                Stores own = broker == first ? ours : theirs;
                Stores other = broker == first ? theirs : ours;
                assertNotEquals("", Sockets.refusal(other.clientContext(Tls.JDK, true), broker.port()));
                assertNotEquals("", Sockets.refusal(other.trusting(own).clientContext(Tls.JDK, true), broker.port()));
                assertEquals("TLSv1.3", Sockets.version(own.clientContext(Tls.JDK, true), broker.port()));
                if (scheme.startsWith("mqtt")) {
                    assertEquals("hello", MqttClients.echo("ssl://localhost:" + broker.port(),
                            own.clientContext("TLSv1.2", Tls.JDK, true), "greetings", "hello"));
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("nioSchemes")
    void lastBeanGivesActiveMqItsOwnFactoriesBack(String scheme) throws Exception {
        URI location = URI.create(scheme + "://127.0.0.1:0");
        TransportFactory own = TransportFactory.findTransportFactory(location);
        assertTrue(own.getClass().getName().startsWith("org.apache.activemq."), own.getClass().getName());
        try (Bean one = new Bean(OURS, exact(STORES))) {
            TransportFactory perBroker = TransportFactory.findTransportFactory(location);
            assertNotSame(own, perBroker);
            Bean two = new Bean(OURS, exact(STORES));
            two.close();
            two.call("destroy");
            assertSame(perBroker, TransportFactory.findTransportFactory(location));
        }
        assertSame(own, TransportFactory.findTransportFactory(location));
    }

    /** A broker that was named and never bound is not that of the next connector. */
    @Test
    void connectorWithoutABrokerHasNoneThatWasNamedBefore() throws Exception {
        try (Bean bean = new Bean(OURS, exact(STORES))) {
            BrokerService abandoned = new BrokerService();
            abandoned.setSslContext(bean.context);
            URI location = URI.create("mqtt+nio+ssl://127.0.0.1:0");
            ((BrokerServiceAware) TransportFactory.findTransportFactory(location)).setBrokerService(abandoned);
            TransportServer server = TransportFactory.bind(location);
            try {
                Object factory = field(server, "transportFactory");
                assertNull(field(factory, "brokerService"));
            } finally {
                server.stop();
            }
        }
    }

    @Test
    void destroyedBeanIsRefusedByName() throws Exception {
        Bean bean = new Bean(OURS, exact(STORES));
        bean.close();
        Exception refused = assertThrows(KeyManagementException.class, bean.context::getSSLContext);
        assertTrue(refused.getMessage().contains("the bean is destroyed; make another one"), refused.getMessage());
        IOException ofBroker = assertThrows(IOException.class,
                () -> new Broker(bean.context, "mqtt+nio+ssl", 0, "").close());
        assertTrue(ofBroker.getMessage().contains("the bean is destroyed"), ofBroker.getMessage());
    }

    @Test
    void failureOfTheBeanSaysInItsMessageWhatToDo() {
        BeansException told = assertThrows(BeansException.class,
                () -> new Bean(OURS, "keyStore=file:" + folder.resolve("none.ks")).close());
        Throwable refused = told.getCause();
        TlsFailure failure = (TlsFailure) refused.getCause();
        assertEquals(ErrorCode.FILE_UNREADABLE, failure.code());
        assertEquals(failure.getMessage() + ". " + ErrorCode.FILE_UNREADABLE.hint(), refused.getMessage());
        assertTrue(told.getMessage().endsWith(refused.getMessage()), told.getMessage());
    }

    /** A whole activemq.xml, with the bean inside of the broker. */
    @Test
    void recipeOfTheReadmeServesOnlyItsClients() throws Exception {
        ours.writePem(folder);
        String page = Files.readString(Path.of(System.getProperty("project.root"), "java", "README.md"));
        String section = page.substring(page.indexOf("\n### Change the name of a class\n"));
        String recipe = section.substring(section.indexOf("```xml\n") + 7);
        recipe = recipe.substring(0, recipe.indexOf("```"));
        Path xml = SpringBrokerTest.activemqXml(folder, recipe);
        try (ForkedBroker broker = new ForkedBroker(folder, xml, "-Dactivemq.conf=" + folder)) {
            SpringBrokerTest.assertServed(broker, "ssl", true);
            for (String provider : Tls.providers()) {
                Sockets.assertRefused("certificate_required", "ssl", ours.clientContext(provider, false),
                        broker.port("ssl"));
                Sockets.assertRefused("unknown_ca", "ssl", strangers.clientContext(provider, true), broker.port("ssl"));
            }
        }
    }

    @Test
    void eachPropertyOfSpringSslContextAndEachSettingOfTheBuilderIsAProperty() throws Exception {
        Set<String> have = setters(Class.forName(OURS));
        Set<String> missing = new TreeSet<>(setters(Class.forName(SPRING)));
        missing.removeAll(have);
        assertEquals(Set.of(), missing);
        // Other names: those of SpringSslContext, and properties for methods with two arguments.
        Map<String, String> names = new HashMap<>(Map.of("keyPassword", "keyStoreKeyPassword", "option", "options",
                "sessions", "sessionCacheSize"));
        Class<?> builder = Class.forName("io.brokertls.BrokerTlsContextBuilder");
        Set<String> settings = Arrays.stream(builder.getMethods())
                .filter(method -> method.getReturnType() == builder)
                .map(method -> names.getOrDefault(method.getName(), method.getName()))
                .collect(Collectors.toCollection(TreeSet::new));
        settings.removeAll(have);
        assertEquals(Set.of(), settings);
    }

    @Test
    void passwordsCanNotBeReadFromTheBean() throws Exception {
        try (Bean bean = new Bean(OURS, exact(STORES))) {
            assertFalse(bean.context.toString().contains("password"), bean.context.toString());
            List<String> readers = Arrays.stream(Class.forName(OURS).getMethods()).map(Method::getName)
                    .filter(name -> name.startsWith("get") && name.contains("Password")).collect(Collectors.toList());
            assertEquals(List.of(), readers);
            for (String name : List.of("keyStorePassword", "keyStoreKeyPassword", "trustStorePassword")) {
                assertNull(field(bean.context, name), name);
            }
        }
    }

    /** Returns the value of a field, of the class that has it. */
    private static Object field(Object holder, String name) throws ReflectiveOperationException {
        Class<?> type = holder.getClass();
        while (Arrays.stream(type.getDeclaredFields()).noneMatch(field -> field.getName().equals(name))) {
            type = type.getSuperclass();
        }
        Field field = type.getDeclaredField(name);
        field.setAccessible(true);
        return field.get(holder);
    }

    private static Set<String> setters(Class<?> type) {
        return Arrays.stream(type.getMethods())
                .filter(method -> method.getName().startsWith("set") && method.getParameterCount() == 1)
                .map(method -> Character.toLowerCase(method.getName().charAt(3)) + method.getName().substring(4))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** The properties with the folder of these stores. */
    private static String exact(String properties) {
        return properties.replace("FOLDER", folder.toString()).replace("OURS", ours.path(""));
    }

    private static void assertServed(Broker broker, String scheme, Stores client) throws Exception {
        Connection connection = Clients.connect(scheme + "://localhost:" + broker.port(), client, true, Tls.JDK);
        assertEquals("hello", Clients.echo(connection, "greetings", "hello"));
        connection.close();
    }

    private static void assertRefused(Broker broker, String scheme, Stores client, boolean certified)
            throws Exception {
        assertNotEquals("", Sockets.refusal(client.clientContext(Tls.JDK, certified), broker.port()));
        assertThrows(JMSException.class, () -> Clients.connect(scheme + "://localhost:" + broker.port(), client,
                certified, Tls.JDK).close());
    }

    /** A bean of a configuration in XML. */
    private static final class Bean implements AutoCloseable {
        final SslContext context;
        private final FileSystemXmlApplicationContext spring;

        /** A later property replaces an earlier one; one without a value removes it. */
        Bean(String type, String properties) throws IOException {
            Map<String, String> values = new HashMap<>();
            for (String each : properties.split(" ")) {
                String[] pair = each.split("=", 2);
                values.put(pair[0], pair[1]);
            }
            values.values().removeAll(Collections.singleton(""));
            List<String> lines = new ArrayList<>();
            values.forEach((name, value) -> lines.add(name.equals("options")
                    ? "<property name=\"options\"><map><entry key=\"" + value + "\" value=\"1\"/></map></property>"
                    : "<property name=\"" + name + "\" value=\"" + value + "\"/>"));
            Path xml = Files.writeString(Files.createTempFile(folder, "bean", ".xml"),
                    "<beans xmlns=\"http://www.springframework.org/schema/beans\"\n"
                    + "    xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"\n"
                    + "    xsi:schemaLocation=\"http://www.springframework.org/schema/beans\n"
                    + "        http://www.springframework.org/schema/beans/spring-beans.xsd\">\n"
                    + "<bean id=\"ssl\" class=\"" + type + "\" init-method=\"afterPropertiesSet\">\n"
                    + String.join("\n", lines) + "\n</bean></beans>\n");
            spring = new FileSystemXmlApplicationContext("file:" + xml);
            context = spring.getBean("ssl", SslContext.class);
        }

        Object call(String method) throws ReflectiveOperationException {
            return context.getClass().getMethod(method).invoke(context);
        }

        @Override
        public void close() {
            spring.close();
        }
    }
}

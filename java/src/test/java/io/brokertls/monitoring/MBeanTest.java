package io.brokertls.monitoring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.BrokerTlsContext;
import io.brokertls.peer.Authority;
import io.brokertls.peer.Pki;
import java.lang.management.ManagementFactory;
import java.lang.ref.WeakReference;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import javax.management.RuntimeMBeanException;
import javax.management.openmbean.CompositeData;
import javax.management.openmbean.TabularData;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The MBeans of contexts: their attributes, their names, and their end. */
class MBeanTest {
    private static final MBeanServer SERVER = ManagementFactory.getPlatformMBeanServer();
    private static final int COLLECTIONS_MAX = 300;

    @TempDir
    static Path folder;

    private static MonitoredBroker broker;

    @BeforeAll
    static void issue() throws Exception {
        broker = new MonitoredBroker(Files.createDirectory(folder.resolve("ca")), "one");
    }

    @Test
    void attributesShowHandshakesCertificatesRevocationAndReloads() throws Exception {
        Path store = Files.copy(broker.store(), folder.resolve("broker.p12"));
        ObjectName name = named("orders");
        try (BrokerTlsContext server = BrokerTlsContext.builder().keyStore(store, Authority.PASSWORD)
                .trustCertificates(broker.file("ca.pem")).crl(broker.file("ca.crl")).name("orders")
                .registerMBean(true).build();
                BrokerTlsContext client = broker.client().build()) {
            MonitoredBroker.pair(client, Pki.HOST, server).handshake();
            assertThrows(Exception.class, () -> MonitoredBroker.pair(client, "elsewhere.test", server).handshake());
            assertEquals(1L, SERVER.getAttribute(name, "FullHandshakes"));
            assertEquals(0L, SERVER.getAttribute(name, "ResumedHandshakes"));
            TabularData reasons = (TabularData) SERVER.getAttribute(name, "RefusalsByReason");
            assertEquals((long) SERVER.getAttribute(name, "Refusals"), reasons.size());
            assertTrue((Long) SERVER.getAttribute(name, "DaysUntilExpiry") >= 29);
            CompositeData[] certificates = (CompositeData[]) SERVER.getAttribute(name, "Certificates");
            assertEquals("CN=one", certificates[0].get("subject"));
            assertTrue(((String) certificates[0].get("place")).endsWith("broker.p12, alias one"));
            assertEquals("TRUSTED", certificates[1].get("kind"));
            CompositeData[] sources = (CompositeData[]) SERVER.getAttribute(name, "RevocationSources");
            assertEquals("CRL", sources[0].get("kind"));
            assertEquals(1L, sources[0].get("entries"));
            SERVER.invoke(name, "reload", null, null);
            assertEquals(1L, SERVER.getAttribute(name, "Reloads"));
            assertNull(SERVER.getAttribute(name, "LastReloadFailure"));
            Files.writeString(store, "no store");
            RuntimeMBeanException refused =
                    assertThrows(RuntimeMBeanException.class, () -> SERVER.invoke(name, "reload", null, null));
            assertTrue(refused.getCause().getMessage().startsWith("BTLS_STORE_FORMAT_UNKNOWN (201)"),
                    refused.getCause().getMessage());
            assertNull(refused.getCause().getCause(), "a management client need not have the classes");
            assertEquals(1L, SERVER.getAttribute(name, "FailedReloads"));
            Files.copy(broker.store(), store, StandardCopyOption.REPLACE_EXISTING);
        }
        assertFalse(SERVER.isRegistered(name), "a closed context has no MBean");
    }

    @Test
    void contextHasNoMBeanUnlessItAsksForOne() throws Exception {
        Set<ObjectName> before = all();
        try (BrokerTlsContext context = broker.server().build()) {
            assertEquals(before, all());
            assertTrue(context.name().startsWith("context-"), context.name());
        }
        System.setProperty("brokertls.jmx", "true");
        try (BrokerTlsContext context = broker.server().build()) {
            assertTrue(SERVER.isRegistered(named(context.name())));
        } finally {
            System.clearProperty("brokertls.jmx");
        }
        assertEquals(before, all());
    }

    @Test
    void contextsOfOneNameHaveMBeansOfTheirOwnAndAnyNameIsQuoted() throws Exception {
        try (BrokerTlsContext one = broker.server().name("twin").registerMBean(true).build();
                BrokerTlsContext two = broker.server().name("twin").registerMBean(true).build()) {
            assertEquals(one.name(), two.name());
            ObjectName second = new ObjectName("io.brokertls:type=TlsContext,name=twin,instance=2");
            assertTrue(SERVER.isRegistered(named("twin")) && SERVER.isRegistered(second));
        }
        String evil = "a,type=Other:*?\"\n=b";
        try (BrokerTlsContext context = broker.server().name(evil).registerMBean(true).build()) {
            ObjectName quoted = named(ObjectName.quote(context.name()));
            assertTrue(SERVER.isRegistered(quoted));
            assertEquals(evil, ObjectName.unquote(quoted.getKeyProperty("name")));
        }
        assertThrows(NullPointerException.class, () -> broker.server().name(null));
    }

    @Test
    void mBeanOfADroppedContextIsRemoved() throws Exception {
        broker.server().name("dropped").registerMBean(true).build();
        collectUntil(() -> !SERVER.isRegistered(named("dropped")));
    }

    /** As a web application that is undeployed without a close. */
    @Test
    void classLoaderOfADroppedContextIsCollected() throws Exception {
        WeakReference<ClassLoader> loader = new WeakReference<>(contextOfAnotherLoader());
        collectUntil(() -> loader.get() == null);
        assertFalse(SERVER.isRegistered(named("undeployed")));
    }

    private static ClassLoader contextOfAnotherLoader() throws Exception {
        List<URL> places = new ArrayList<>();
        Path target = Path.of(System.getProperty("basedir", "."), "target").toAbsolutePath();
        for (String place : List.of("classes/", "test-classes/")) {
            places.add(target.resolve(place).toUri().toURL());
        }
        // The loader of the platform would find the classes in the module of the tests.
        URLClassLoader loader = new URLClassLoader(places.toArray(new URL[0]), null);
        Class<?> type = loader.loadClass("io.brokertls.BrokerTlsContext");
        assertSame(loader, type.getClassLoader());
        Object builder = type.getMethod("builder").invoke(null);
        Class<?> ofBuilder = builder.getClass();
        ofBuilder.getMethod("certificate", Path.class).invoke(builder, broker.file("one.pem"));
        ofBuilder.getMethod("privateKey", Path.class).invoke(builder, broker.file("one.key"));
        ofBuilder.getMethod("name", String.class).invoke(builder, "undeployed");
        ofBuilder.getMethod("registerMBean", boolean.class).invoke(builder, true);
        Object context = ofBuilder.getMethod("build").invoke(builder);
        assertTrue(SERVER.isRegistered(named("undeployed")));
        assertEquals("undeployed", type.getMethod("name").invoke(context));
        loader.close();
        return loader;
    }

    private static void collectUntil(Condition condition) throws Exception {
        for (int i = 0; i < COLLECTIONS_MAX && !condition.holds(); i++) {
            System.gc();
            Thread.sleep(10);
        }
        assertTrue(condition.holds(), "not collected");
    }

    private static ObjectName named(String name) throws Exception {
        return new ObjectName("io.brokertls:type=TlsContext,name=" + name);
    }

    private static Set<ObjectName> all() throws Exception {
        return SERVER.queryNames(new ObjectName("io.brokertls:*"), null).stream().collect(Collectors.toSet());
    }

    /** A state that a collection can bring about. */
    private interface Condition {
        boolean holds() throws Exception;
    }
}

package io.brokertls.stacks;

import static io.brokertls.stacks.Checks.check;
import static io.brokertls.stacks.Checks.equal;
import static io.brokertls.stacks.Checks.refused;

import io.brokertls.stacks.bundle.EchoBundle;
import io.brokertls.stacks.bundle.JettyBundle;
import java.io.IOException;
import java.io.InputStream;
import java.lang.ref.WeakReference;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLServerSocket;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkEvent;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.launch.Framework;
import org.osgi.framework.launch.FrameworkFactory;
import org.osgi.framework.wiring.FrameworkWiring;

/**
 * Frameworks of OSGi: the jar as a bundle that is refreshed, updated, installed again and there twice, and the modules
 * for Kafka, Jetty and ActiveMQ beside the bundles of these.
 */
public final class OsgiStack {
    private static final String OWN = "io.brokertls;version=\"[0.1,0.2)\",javax.net.ssl,org.osgi.framework";
    private static final byte[] MESSAGE = "message".getBytes(StandardCharsets.UTF_8);
    private static final Path FOLDER = Path.of(System.getProperty("java.io.tmpdir"));
    private static final Path RESULT = FOLDER.resolve("osgi-result");

    private static Framework framework;

    private OsgiStack() {
    }

    public static void main(String[] arguments) throws Exception {
        System.setProperty("stacks.osgi.result", RESULT.toString());
        framework = ServiceLoader.load(FrameworkFactory.class).iterator().next().newFramework(
                Map.of("org.osgi.framework.storage", Files.createTempDirectory(FOLDER, "osgi").toString()));
        framework.start();
        String name = framework.getSymbolicName() + " " + framework.getVersion();
        bundle(name);
        jetty(name);
        kafka(name);
        activemq(name);
        framework.stop();
        framework.waitForStop(0);
    }

    private static void bundle(String name) throws Exception {
        Bundle tls = install(Bundles.jar("brokertls"));
        Bundle user = install(Bundles.of(EchoBundle.class, "echo", OWN));
        check(name + " starts the bundle, and one that uses it", () -> serves(user));
        refused(name + " shows other bundles no internal class", "io.brokertls.internal.NativeLoader",
                () -> user.loadClass("io.brokertls.internal.NativeLoader"));
        RawClient.strangersAreRefused("a bundle in " + name, port(user), MESSAGE);
        check(name + " refreshes the bundle, and a connection continues", () -> {
            try (RawClient open = RawClient.connect(port(user), "client", "TLSv1.3")) {
                ClassLoader before = loader(user);
                refresh(tls);
                equal(false, before == loader(user));
                echoes(open);
            }
            serves(user);
        });
        check(name + " updates the bundle", () -> {
            ClassLoader before = loader(user);
            try (InputStream content = Files.newInputStream(Bundles.jar("brokertls"))) {
                tls.update(content);
            }
            refresh(tls);
            equal(false, before == loader(user));
            serves(user);
        });
        check(name + " installs the bundle twice more, and a third time after that", () -> {
            for (int round = 0; round < 3; round++) {
                tlsOf(user).uninstall();
                refresh();
                install(Bundles.jar("brokertls"));
                serves(user);
            }
        });
        check(name + " has the bundle under two names at once, with a library each", () -> {
            Bundle second = install(Bundles.renamed(Bundles.jar("brokertls"), "io.brokertls.second"));
            Bundle other = install(Bundles.of(EchoBundle.class, "echo.other",
                    OWN.replaceFirst(";", ";bundle-symbolic-name=io.brokertls.second;")));
            serves(user);
            serves(other);
            equal(second, tlsOf(other));
            equal("io.brokertls", tlsOf(user).getSymbolicName());
            serves(user);
            other.uninstall();
            second.uninstall();
            refresh();
            serves(user);
        });
        check(name + " lets the loader of a bundle go that is refreshed", () -> {
            WeakReference<ClassLoader> before = new WeakReference<>(loader(user));
            user.stop();
            refresh(tlsOf(user));
            serves(user);
            while (before.get() != null) {
                System.gc();
                Thread.sleep(50);
            }
        });
    }

    private static void jetty(String name) throws Exception {
        for (String artifact : List.of("asm", "asm-commons", "asm-tree", "asm-analysis", "asm-util",
                "org.apache.aries.spifly.dynamic.bundle", "slf4j-api", "slf4j-nop", "jetty-util", "jetty-io",
                "jetty-http", "jetty-server", "jetty-alpn-server", "jetty-http2-hpack", "jetty-http2-common",
                "jetty-http2-server")) {
            install(Bundles.jar(artifact));
        }
        startAll();
        check(name + " registers the provider where a mediator of services is", () -> {
            BundleContext context = framework.getBundleContext();
            ServiceReference<?>[] found = context.getAllServiceReferences("java.security.Provider", null);
            equal("io.brokertls", found[0].getBundle().getSymbolicName());
        });
        check(name + " serves HTTP/2 by Jetty, which finds the processor in its bundle", () -> {
            install(Bundles.jar("brokertls-jetty")).start();
            install(Bundles.of(JettyBundle.class, "jetty", OWN + ",org.eclipse.jetty.alpn.server,"
                    + "org.eclipse.jetty.http,org.eclipse.jetty.http2.server,org.eclipse.jetty.io,"
                    + "org.eclipse.jetty.server,org.eclipse.jetty.util,org.eclipse.jetty.util.component,"
                    + "org.eclipse.jetty.util.ssl,org.eclipse.jetty.util.thread")).start();
            HttpClient client = HttpClient.newBuilder().sslContext(Pki.context(Pki.JDK, "client")).build();
            URI address = URI.create("https://localhost:" + result()[0] + "/");
            equal("HTTP/2.0", client.send(HttpRequest.newBuilder(address).build(),
                    HttpResponse.BodyHandlers.ofString()).body());
        });
    }

    private static void kafka(String name) throws Exception {
        install(Bundles.wrapped("kafka-clients"));
        Bundle module = install(Bundles.jar("brokertls-kafka"));
        check(name + " has the engine factory beside the bundle of Kafka", () -> {
            module.start();
            Class<?> type = module.loadClass("io.brokertls.kafka.BrokerTlsEngineFactory");
            Object password = module.loadClass("org.apache.kafka.common.config.types.Password")
                    .getConstructor(String.class).newInstance(Pki.PASSWORD);
            Object factory = type.getConstructor().newInstance();
            type.getMethod("configure", Map.class).invoke(factory, Map.of("ssl.keystore.type", "PKCS12",
                    "ssl.keystore.location", Pki.path("server.p12"), "ssl.keystore.password", password));
            SSLEngine engine = (SSLEngine) type.getMethod("createServerSslEngine", String.class, int.class)
                    .invoke(factory, "localhost", 0);
            equal(loader(module), engine.getClass().getClassLoader());
        });
    }

    private static void activemq(String name) throws Exception {
        for (String artifact : List.of("activemq-osgi", "org.apache.servicemix.bundles.spring-.*", "jcl-over-slf4j",
                "org.apache.felix.configadmin", "geronimo-jta_1.1_spec", "jakarta\\..*")) {
            for (Path bundle : Bundles.jars(artifact)) {
                install(bundle);
            }
        }
        Bundle module = install(Bundles.jar("brokertls-activemq"));
        check(name + " has the bean beside the bundle of ActiveMQ, and it serves", () -> {
            module.start();
            Class<?> type = module.loadClass("io.brokertls.activemq.BrokerTlsSslContext");
            Object bean = type.getConstructor().newInstance();
            type.getMethod("setKeyStore", String.class).invoke(bean, Pki.file("server.pem").toUri().toString());
            type.getMethod("setTrustStore", String.class).invoke(bean, Pki.file("ca.crt").toUri().toString());
            type.getMethod("afterPropertiesSet").invoke(bean);
            SSLContext context = (SSLContext) type.getMethod("getSSLContext").invoke(bean);
            SSLServerSocket listener = (SSLServerSocket) context.getServerSocketFactory().createServerSocket(0);
            Thread server = new Thread(() -> {
                try (listener; Socket client = listener.accept()) {
                    client.getInputStream().transferTo(client.getOutputStream());
                } catch (IOException e) {
                    // The check fails.
                }
            });
            server.setDaemon(true);
            server.start();
            try (RawClient client = RawClient.connect(listener.getLocalPort(), "client", "TLSv1.3")) {
                echoes(client);
            }
            equal(loader(module), context.getServerSocketFactory().getClass().getClassLoader());
        });
    }

    private static void startAll() throws Exception {
        for (Bundle each : framework.getBundleContext().getBundles()) {
            if (each.getHeaders().get("Fragment-Host") == null) {
                each.start();
            }
        }
    }

    private static Bundle install(Path jar) throws Exception {
        return framework.getBundleContext().installBundle(jar.toUri().toString());
    }

    /** Starts the bundle anew, and checks its own message and one of a client outside. */
    private static void serves(Bundle user) throws Exception {
        equal(true, Checks.class.getClassLoader() != loader(user));
        try (RawClient client = RawClient.connect(port(user), "client", "TLSv1.3")) {
            echoes(client);
        }
    }

    private static void echoes(RawClient client) throws Exception {
        client.write(MESSAGE);
        equal("message", new String(client.read(), StandardCharsets.UTF_8));
    }

    /** Starts the bundle anew, and returns its port. */
    private static int port(Bundle user) throws Exception {
        user.stop();
        Files.deleteIfExists(RESULT);
        user.start();
        equal("hello", result()[1]);
        return Integer.parseInt(result()[0]);
    }

    /** Returns what a bundle has written: its port, and a word. */
    private static String[] result() throws Exception {
        return Files.readString(RESULT).split(" ");
    }

    private static ClassLoader loader(Bundle user) throws Exception {
        return user.loadClass("io.brokertls.BrokerTlsProvider").getClassLoader();
    }

    private static Bundle tlsOf(Bundle user) throws Exception {
        return FrameworkUtil.getBundle(user.loadClass("io.brokertls.BrokerTlsProvider"));
    }

    /** Refreshes bundles, or all that are removed, and those that use them. */
    private static void refresh(Bundle... bundles) throws InterruptedException {
        CountDownLatch refreshed = new CountDownLatch(1);
        framework.adapt(FrameworkWiring.class).refreshBundles(bundles.length == 0 ? null : List.of(bundles), event -> {
            if (event.getType() == FrameworkEvent.PACKAGES_REFRESHED) {
                refreshed.countDown();
            }
        });
        equal(true, refreshed.await(60, TimeUnit.SECONDS));
    }
}

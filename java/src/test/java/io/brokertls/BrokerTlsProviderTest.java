package io.brokertls;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.InputStream;
import java.io.OutputStream;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.InvalidParameterException;
import java.security.KeyStore;
import java.security.KeyStoreException;
import java.security.NoSuchAlgorithmException;
import java.security.Provider;
import java.security.Security;
import java.security.Signature;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The services that the provider registers, and the names that it leaves to others. */
class BrokerTlsProviderTest {
    @Test
    void servicesOfTheProviderAreTheseAndNoOthers() {
        Set<String> names = new TreeSet<>();
        for (Provider.Service service : new BrokerTlsProvider().getServices()) {
            names.add(service.getType() + "." + service.getAlgorithm());
        }
        assertEquals(new TreeSet<>(Set.of("SSLContext.TLS", "SSLContext.SSL", "SSLContext.TLSv1.2",
                "SSLContext.TLSv1.3", "KeyStore.PEM", "KeyStore.BrokerTLS-PKCS12", "KeyStore.BrokerTLS-JKS",
                "KeyManagerFactory.BrokerTLS",
                "TrustManagerFactory.BrokerTLS")), names);
    }

    @Test
    void providerAtPositionOneLeavesTheNamesOfTheJdkAlone() throws Exception {
        Security.insertProviderAt(new BrokerTlsProvider(), 1);
        try {
            assertEquals(BrokerTlsProvider.NAME, SSLContext.getInstance("TLS").getProvider().getName());
            assertEquals("SunJSSE", KeyManagerFactory.getInstance("SunX509").getProvider().getName());
            assertEquals("SunJSSE", KeyManagerFactory.getInstance("NewSunX509").getProvider().getName());
            assertEquals("SunJSSE", TrustManagerFactory.getInstance("PKIX").getProvider().getName());
            assertEquals("SUN", KeyStore.getInstance("JKS").getProvider().getName());
            assertNotEquals(BrokerTlsProvider.NAME, KeyStore.getInstance("PKCS12").getProvider().getName());
            assertEquals("SunRsaSign", Signature.getInstance("SHA256withRSA").getProvider().getName());
            assertEquals("SunJSSE", SSLContext.getDefault().getProvider().getName());
            assertNotNull(HttpsURLConnection.getDefaultSSLSocketFactory());
        } finally {
            Security.removeProvider(BrokerTlsProvider.NAME);
        }
    }

    @Test
    void defaultContextIsThereOnlyWhenAskedFor() {
        assertNull(new BrokerTlsProvider().getService("SSLContext", "Default"));
        assertNotNull(BrokerTlsProvider.withDefault().getService("SSLContext", "Default"));
        assertNotNull(new BrokerTlsProvider().configure("default").getService("SSLContext", "Default"));
    }

    @Test
    void unknownArgumentIsRefused() {
        assertThrows(InvalidParameterException.class, () -> new BrokerTlsProvider().configure("everything"));
    }

    @Test
    void unknownAlgorithmIsNotServed() {
        Provider provider = new BrokerTlsProvider();
        assertThrows(NoSuchAlgorithmException.class, () -> SSLContext.getInstance("TLSv1.1", provider));
    }

    @Test
    void contextSslIsTls() throws Exception {
        Provider provider = new BrokerTlsProvider();
        SSLContext context = SSLContext.getInstance("SSL", provider);
        context.init(null, null, null);
        SSLContext tls = SSLContext.getInstance("TLS", provider);
        tls.init(null, null, null);
        assertArrayEquals(tls.getDefaultSSLParameters().getProtocols(),
                context.getDefaultSSLParameters().getProtocols());
        assertArrayEquals(tls.getDefaultSSLParameters().getCipherSuites(),
                context.getDefaultSSLParameters().getCipherSuites());
        for (String old : List.of("SSLv3", "TLSv1", "TLSv1.1", "DTLS", "Default")) {
            assertThrows(NoSuchAlgorithmException.class, () -> SSLContext.getInstance(old, provider), old);
        }
    }

    @Test
    void defaultContextReadsTheStoreOfTheProviderThatIsNamed(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("store.jks");
        KeyStore store = KeyStore.getInstance("JKS");
        store.load(null, null);
        try (OutputStream out = Files.newOutputStream(file)) {
            store.store(out, "secret".toCharArray());
        }
        Map<String, String> properties = Map.of("javax.net.ssl.keyStore", file.toString(),
                "javax.net.ssl.keyStoreType", "JKS", "javax.net.ssl.keyStorePassword", "secret");
        properties.forEach(System::setProperty);
        try {
            System.setProperty("javax.net.ssl.keyStoreProvider", "SUN");
            assertNotNull(SSLContext.getInstance("Default", BrokerTlsProvider.withDefault()));
            System.setProperty("javax.net.ssl.keyStoreProvider", "SunJCE");
            NoSuchAlgorithmException refused = assertThrows(NoSuchAlgorithmException.class,
                    () -> SSLContext.getInstance("Default", BrokerTlsProvider.withDefault()));
            assertInstanceOf(KeyStoreException.class, refused.getCause());
            // Without a type, NONE is no store.
            System.setProperty("javax.net.ssl.keyStore", "NONE");
            System.clearProperty("javax.net.ssl.keyStoreType");
            assertNotNull(SSLContext.getInstance("Default", BrokerTlsProvider.withDefault()));
        } finally {
            properties.keySet().forEach(System::clearProperty);
            System.clearProperty("javax.net.ssl.keyStoreProvider");
        }
    }

    @Test
    void contextUsedBeforeInitIsRefused() throws Exception {
        SSLContext context = SSLContext.getInstance("TLS", new BrokerTlsProvider());
        assertThrows(IllegalStateException.class, context::createSSLEngine);
        assertThrows(IllegalStateException.class, context::getSocketFactory);
    }

    @Test
    void factoriesUsedBeforeInitAreRefused() throws Exception {
        Provider provider = new BrokerTlsProvider();
        KeyManagerFactory keys = KeyManagerFactory.getInstance("BrokerTLS", provider);
        TrustManagerFactory trust = TrustManagerFactory.getInstance("BrokerTLS", provider);
        assertThrows(IllegalStateException.class, keys::getKeyManagers);
        assertThrows(IllegalStateException.class, trust::getTrustManagers);
    }

    @Test
    void providerIsNamedAsAServiceForTheClassPathAndTheModulePath() throws Exception {
        String services = "/META-INF/services/java.security.Provider";
        try (InputStream in = BrokerTlsProvider.class.getResourceAsStream(services)) {
            assertEquals(BrokerTlsProvider.class.getName(),
                    new String(in.readAllBytes(), StandardCharsets.UTF_8).trim());
        }
        Path classes = Path.of(BrokerTlsProvider.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        ModuleDescriptor module = ModuleFinder.of(classes).find("io.brokertls").orElseThrow().descriptor();
        assertEquals(List.of(BrokerTlsProvider.class.getName()),
                module.provides().iterator().next().providers());
    }
}

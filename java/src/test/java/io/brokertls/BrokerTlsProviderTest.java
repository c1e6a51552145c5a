package io.brokertls;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.InputStream;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.InvalidParameterException;
import java.security.KeyStore;
import java.security.NoSuchAlgorithmException;
import java.security.Provider;
import java.security.Security;
import java.security.Signature;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;

/** The services that the provider registers, and the names that it leaves to others. */
class BrokerTlsProviderTest {
    @Test
    void servicesOfTheProviderAreTheseAndNoOthers() {
        Set<String> names = new TreeSet<>();
        for (Provider.Service service : new BrokerTlsProvider().getServices()) {
            names.add(service.getType() + "." + service.getAlgorithm());
        }
        assertEquals(new TreeSet<>(Set.of("SSLContext.TLS", "SSLContext.TLSv1.2", "SSLContext.TLSv1.3", "KeyStore.PEM",
                "KeyStore.BrokerTLS-PKCS12", "KeyStore.BrokerTLS-JKS", "KeyManagerFactory.BrokerTLS",
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

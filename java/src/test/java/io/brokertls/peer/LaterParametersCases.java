package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.List;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The groups, signature schemes and exporter of later versions of Java. {@code make test-java-25} runs these tests. */
class LaterParametersCases {
    private static SSLEngine engine(SSLContext context, boolean isClient, String property, String... names)
            throws ReflectiveOperationException {
        SSLEngine engine = context.createSSLEngine(Pki.HOST, 1);
        engine.setUseClientMode(isClient);
        SSLParameters parameters = engine.getSSLParameters();
        set(parameters, property, names);
        engine.setSSLParameters(parameters);
        assertArrayEquals(names, get(engine.getSSLParameters(), property));
        return engine;
    }

    private static void set(SSLParameters parameters, String property, String... names)
            throws ReflectiveOperationException {
        SSLParameters.class.getMethod("set" + property, String[].class).invoke(parameters, (Object) names);
    }

    private static String[] get(SSLParameters parameters, String property) throws ReflectiveOperationException {
        return (String[]) SSLParameters.class.getMethod("get" + property).invoke(parameters);
    }

    private static SSLContext ours(String identity) {
        return Stack.OURS.context(identity);
    }

    private static ErrorCode codeOf(EnginePair.Side side) {
        return assertInstanceOf(TlsFailure.class, side.failure.getCause()).code();
    }

    @Test
    void groupsAreOfferedInTheirOrderWithAKeyShareForTheFirst() throws Exception {
        Hello hello = Hello.of(engine(ours(null), true, "NamedGroups", "secp384r1", "x25519"));
        assertEquals(List.of(0x18, 0x1d), hello.numbers(10));
        assertEquals(List.of(0x18), hello.keyShares());
    }

    @Test
    void groupsOfNoUseInAVersionLeaveItOut() throws Exception {
        Hello hello = Hello.of(engine(ours(null), true, "NamedGroups", "X25519MLKEM768"));
        assertEquals(List.of(0x0304), hello.versions());
    }

    @Test
    void namesThatAreNotServedAreLeftOutOfAListThatHasOthers() throws Exception {
        SSLEngine engine = ours(null).createSSLEngine(Pki.HOST, 1);
        engine.setUseClientMode(true);
        SSLParameters parameters = engine.getSSLParameters();
        assertNull(get(parameters, "NamedGroups"));
        assertNull(get(parameters, "SignatureSchemes"));
        set(parameters, "NamedGroups", "ffdhe2048", "nosuch", "SECP256R1");
        set(parameters, "SignatureSchemes", "ed448", "no,such", "ED25519");
        engine.setSSLParameters(parameters);
        assertArrayEquals(new String[] {"SECP256R1"}, get(engine.getSSLParameters(), "NamedGroups"));
        assertArrayEquals(new String[] {"ED25519"}, get(engine.getSSLParameters(), "SignatureSchemes"));
        Hello hello = Hello.of(engine);
        assertEquals(List.of(0x17), hello.numbers(10));
        assertEquals(List.of(0x0807), hello.numbers(13));
    }

    @ParameterizedTest
    @CsvSource({"TLSv1.2,true", "TLSv1.2,false", "TLSv1.3,true", "TLSv1.3,false"})
    void groupsOfOneSideDecideForBoth(String version, boolean isOfClient) throws Exception {
        SSLEngine client = isOfClient ? engine(ours(null), true, "NamedGroups", "secp256r1")
                : engine(ours(null), true, "NamedGroups", "x25519", "secp256r1");
        SSLEngine server = isOfClient ? engine(ours("ec"), false, "NamedGroups", "x25519", "secp256r1")
                : engine(ours("ec"), false, "NamedGroups", "secp256r1");
        client.setEnabledProtocols(new String[] {version});
        new EnginePair(client, server).handshake();
    }

    @ParameterizedTest
    @CsvSource({"TLSv1.2", "TLSv1.3"})
    void sidesWithoutACommonGroupDoNotConnect(String version) throws Exception {
        SSLEngine client = engine(ours(null), true, "NamedGroups", "secp256r1");
        client.setEnabledProtocols(new String[] {version});
        EnginePair pair = new EnginePair(client, engine(ours("ec"), false, "NamedGroups", "x25519"));
        pair.begin().settle();
        assertEquals(ErrorCode.NO_COMMON_GROUP, codeOf(pair.server));
    }

    @Test
    void schemesAreOfferedInTheirOrder() throws Exception {
        SSLEngine engine = engine(ours(null), true, "SignatureSchemes", "rsa_pss_rsae_sha256",
                "ecdsa_secp256r1_sha256");
        assertEquals(List.of(0x0804, 0x0403), Hello.of(engine).numbers(13));
        ExtendedSSLSession session = (ExtendedSSLSession) engine.getHandshakeSession();
        assertArrayEquals(new String[] {"RSASSA-PSS", "SHA256withECDSA"},
                session.getLocalSupportedSignatureAlgorithms());
    }

    @ParameterizedTest
    @CsvSource({"TLSv1.2", "TLSv1.3"})
    void serverSignsByItsOwnSchemesAlone(String version) throws Exception {
        for (String[] schemes : new String[][] {{"ecdsa_secp256r1_sha256", "ecdsa_secp256r1_sha256"},
            {"ecdsa_secp256r1_sha256", "rsa_pss_rsae_sha256"}}) {
            SSLEngine client = engine(ours(null), true, "SignatureSchemes", schemes[0]);
            client.setEnabledProtocols(new String[] {version});
            EnginePair pair = new EnginePair(client, engine(ours("ec"), false, "SignatureSchemes", schemes[1]));
            if (schemes[0].equals(schemes[1])) {
                pair.handshake();
            } else {
                pair.begin().settle();
                assertEquals(ErrorCode.NO_COMMON_SIGNATURE, codeOf(pair.server));
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"TLSv1.2", "TLSv1.3"})
    void schemesOfASunServerAndOurClientAgree(String version) throws Exception {
        SSLEngine client = engine(ours(null), true, "SignatureSchemes", "rsa_pss_rsae_sha512",
                "ecdsa_secp256r1_sha256");
        client.setEnabledProtocols(new String[] {version});
        SSLEngine server = Stack.JDK.context("rsa").createSSLEngine();
        server.setUseClientMode(false);
        new EnginePair(client, server).handshake();
    }

    @Test
    void exporterIsRefusedByName() throws Exception {
        Method data = ExtendedSSLSession.class.getMethod("exportKeyingMaterialData", String.class, byte[].class,
                int.class);
        Method key = ExtendedSSLSession.class.getMethod("exportKeyingMaterialKey", String.class, String.class,
                byte[].class, int.class);
        SSLEngine client = ours(null).createSSLEngine(Pki.HOST, 1);
        client.setUseClientMode(true);
        SSLEngine server = ours("ec").createSSLEngine();
        server.setUseClientMode(false);
        new EnginePair(client, server).handshake();
        for (InvocationTargetException refused : List.of(
                assertThrows(InvocationTargetException.class, () -> data.invoke(client.getSession(), "x", null, 32)),
                assertThrows(InvocationTargetException.class,
                        () -> key.invoke(client.getSession(), "AES", "x", null, 32)))) {
            Throwable cause = assertInstanceOf(UnsupportedOperationException.class, refused.getCause());
            assertTrue(cause.getMessage().contains("BrokerTLS"), cause.getMessage());
        }
        assertFalse(client.isInboundDone());
    }
}

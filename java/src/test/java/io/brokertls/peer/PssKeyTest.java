package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.SSLEngine;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** A key manager is asked for a key of RSASSA-PSS as by SunJSSE, and such a key signs. Only TLS 1.3 has it here. */
class PssKeyTest {
    private static EnginePair pair(Stack client, Stack server, String version, AskedManagers asked, boolean isClient)
            throws Exception {
        SSLEngine clientEngine = (isClient ? asked.context(client) : client.context(null))
                .createSSLEngine(Pki.HOST, 8883);
        clientEngine.setUseClientMode(true);
        clientEngine.setEnabledProtocols(new String[] {version});
        SSLEngine serverEngine = (isClient ? server.context("ec") : asked.context(server)).createSSLEngine();
        serverEngine.setUseClientMode(false);
        serverEngine.setNeedClientAuth(isClient);
        return new EnginePair(clientEngine, serverEngine);
    }

    private static String keyType(SSLEngine engine) throws Exception {
        return ((X509Certificate) engine.getSession().getPeerCertificates()[0]).getPublicKey().getAlgorithm();
    }

    @ParameterizedTest
    @CsvSource({"JDK,OURS", "OURS,OURS"})
    void keyOfAServerSignsInTls13(Stack client, Stack server) throws Exception {
        AskedManagers asked = new AskedManagers("pss");
        EnginePair pair = pair(client, server, Pairing.TLS13, asked, false);
        pair.handshake();
        assertEquals("RSASSA-PSS", keyType(pair.client.engine));
        assertTrue(asked.questions.contains("server key of RSASSA-PSS by null"), asked.questions.toString());
        AskedManagers ofJdk = new AskedManagers("pss");
        pair(client, Stack.JDK, Pairing.TLS13, ofJdk, false).handshake();
        assertEquals(ofJdk.questions, asked.questions);
    }

    @ParameterizedTest
    @EnumSource(value = Stack.class, names = {"JDK", "OURS"})
    void keyOfAClientSignsInTls13(Stack server) throws Exception {
        AskedManagers asked = new AskedManagers("pss");
        EnginePair pair = pair(Stack.OURS, server, Pairing.TLS13, asked, true);
        pair.handshake();
        assertEquals("RSASSA-PSS", keyType(pair.server.engine));
    }

    @Test
    void managersAreNotAskedForSuchAKeyInTls12() throws Exception {
        AskedManagers asked = new AskedManagers("pss");
        EnginePair pair = pair(Stack.JDK, Stack.OURS, Pairing.TLS12, asked, false);
        pair.begin().settle();
        TlsFailure failure = assertInstanceOf(TlsFailure.class, pair.server.failure.getCause());
        assertEquals(ErrorCode.NO_COMMON_SIGNATURE, failure.code());
        AskedManagers ofClient = new AskedManagers("pss");
        EnginePair other = pair(Stack.OURS, Stack.JDK, Pairing.TLS12, ofClient, true);
        other.begin().settle();
        assertNotNull(other.server.failure);
        for (String question : List.of(asked.questions.toString(), ofClient.questions.toString())) {
            assertTrue(question.contains("EC") && !question.contains("PSS"), question);
        }
    }
}

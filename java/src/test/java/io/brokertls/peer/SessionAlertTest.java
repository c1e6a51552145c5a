package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.ConnectionFacts;
import io.brokertls.peer.EnginePair.Side;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSession;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A fatal alert ends the session of a connection for both sides, and the end of the input does not: as in SunJSSE. */
class SessionAlertTest {
    private SSLContext clients;
    private SSLContext servers;
    private String version;
    private boolean isStrict;

    static List<Arguments> stacks() {
        List<Arguments> all = new ArrayList<>();
        for (Stack stack : Stack.values()) {
            all.add(Arguments.of(stack, Pairing.TLS12));
            all.add(Arguments.of(stack, Pairing.TLS13));
        }
        return all;
    }

    private void use(Stack stack, String versionOfBoth) {
        clients = stack.context(null);
        servers = stack.context("ec");
        version = versionOfBoth;
        isStrict = stack.isStrict();
    }

    private EnginePair connected() throws Exception {
        SSLEngine client = clients.createSSLEngine(Pki.HOST, 8883);
        client.setUseClientMode(true);
        client.setEnabledProtocols(new String[] {version});
        SSLEngine server = servers.createSSLEngine();
        server.setUseClientMode(false);
        EnginePair pair = new EnginePair(client, server);
        pair.handshake();
        return pair;
    }

    /** SunJSSE keeps the time of the full handshake in milliseconds, and has no other sign of a resumption. */
    private boolean isResumed(EnginePair pair, SSLSession earlier) {
        SSLEngine engine = pair.client.engine;
        return isStrict ? ConnectionFacts.of(engine).isResumed()
                : engine.getSession().getCreationTime() == earlier.getCreationTime();
    }

    /** Sends a record that is damaged on the way. */
    private static void damage(Side from, Side to) throws SSLException {
        from.wrap(ByteBuffer.wrap(new byte[10]));
        byte[] record = to.takeIncoming();
        record[record.length - 1] ^= 1;
        to.receive(record);
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("stacks")
    void fatalAlertEndsTheSessionForBothSidesAndTheirResumptions(Stack stack, String versionOfBoth) throws Exception {
        for (boolean isByServer : new boolean[] {true, false}) {
            use(stack, versionOfBoth);
            EnginePair other = connected();
            Thread.sleep(2);
            EnginePair pair = connected();
            assertTrue(isResumed(pair, other.client.engine.getSession()));
            SSLSession client = pair.client.engine.getSession();
            SSLSession server = pair.server.engine.getSession();
            assertTrue(client.isValid() && server.isValid());
            if (isByServer) {
                damage(pair.client, pair.server);
            } else {
                damage(pair.server, pair.client);
            }
            pair.settle();
            assertNotNull(pair.client.failure);
            assertNotNull(pair.server.failure);
            assertFalse(client.isValid());
            assertFalse(server.isValid());
            Thread.sleep(2);
            EnginePair next = connected();
            assertFalse(isResumed(next, client));
            assertTrue(next.client.engine.getSession().isValid());
            assertTrue(next.server.engine.getSession().isValid());
            assertTrue(isResumed(connected(), next.client.engine.getSession()));
        }
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("stacks")
    void endOfTheInputLeavesTheSessionAsItIs(Stack stack, String versionOfBoth) throws Exception {
        for (boolean isByServer : new boolean[] {true, false}) {
            use(stack, versionOfBoth);
            EnginePair pair = connected();
            SSLSession session = pair.client.engine.getSession();
            SSLEngine cut = (isByServer ? pair.server : pair.client).engine;
            assertThrows(SSLException.class, cut::closeInbound);
            pair.settle();
            assertTrue(session.isValid());
            assertTrue(cut.getSession().isValid());
            assertTrue(isResumed(connected(), session));
        }
    }
}

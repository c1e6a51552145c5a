package io.brokertls.jsse.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.brokertls.internal.NativeEngine;
import java.lang.ref.Reference;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.function.Function;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.junit.jupiter.api.Test;

/** Certificates and subjects that only the native library can read. */
class SessionTest {
    private static final byte[] UNREADABLE = {0x30, 1, 0};
    private static final byte[] SUBJECT = {0x30, 12, 0x31, 10, 0x30, 8, 6, 3, 0x55, 4, 3, 0x0c, 1, 'a'};
    private static final byte[] IDENTITY = {'d', 'e', 'v', 'i', 'c', 'e'};
    private static final byte[][] NONE = {};
    /** The answer of an engine that cannot tell now. */
    private static final Object UNKNOWN = new Object();

    @Test
    void unreadableCertificateCountsAsNoneWhileTheEngineLives() {
        Answers engine = new Answers(new byte[][] {UNREADABLE}, names(SUBJECT, null));
        assertCountsAsNone(session(engine));
        Reference.reachabilityFence(engine);
    }

    @Test
    void unreadableCertificateCountsAsNoneAfterTheEngineIsFreed() {
        Session session = session(new Answers());
        session.keep(new byte[][] {UNREADABLE}, NONE, null);
        assertCountsAsNone(session);
    }

    @Test
    void unreadableSubjectCountsAsNone() {
        Answers engine = new Answers(NONE, names(UNREADABLE, null));
        assertCountsAsNone(session(engine));
        Reference.reachabilityFence(engine);
        Session session = session(new Answers());
        session.keep(NONE, NONE, UNREADABLE);
        assertCountsAsNone(session);
    }

    @Test
    void subjectOfACertificateThatIsNotKeptIsTold() throws Exception {
        Session session = session(new Answers());
        session.keep(NONE, NONE, SUBJECT);
        assertEquals("CN=a", session.getPeerPrincipal().getName());
        assertEquals("CN=a", session.peerName());
        assertThrows(UnsupportedOperationException.class, session::getPeerCertificates);
    }

    @Test
    void peerWithoutACertificateIsAskedForOnce() {
        Answers engine = new Answers(NONE, names(null, null), names(SUBJECT, IDENTITY));
        Session session = session(engine);
        assertCountsAsNone(session);
        assertCountsAsNone(session);
        // Its chain and its names: what is left was not asked for.
        assertEquals(1, engine.left.size());
        Reference.reachabilityFence(engine);
    }

    @Test
    void engineThatCannotTellNowIsAskedAgain() throws Exception {
        Answers engine = new Answers(NONE, UNKNOWN, names(null, IDENTITY));
        Session session = session(engine);
        assertThrows(SSLPeerUnverifiedException.class, session::getPeerPrincipal);
        for (int turn = 0; turn < 2; turn++) {
            assertEquals("device", session.getPeerPrincipal().getName());
        }
        Reference.reachabilityFence(engine);
    }

    private static byte[][] names(byte[] subject, byte[] identity) {
        return new byte[][] {subject, identity};
    }

    private static Session session(Answers engine) {
        Session session = new Session(engine, new ConnectionRecord(), new SessionContext(null, true), null, null,
                List.of(), "localhost", 1);
        session.establish("TLSv1.3", "TLS_AES_128_GCM_SHA256", null, new byte[2 * Long.BYTES], false);
        return session;
    }

    private static void assertCountsAsNone(Session session) {
        assertThrows(SSLPeerUnverifiedException.class, session::getPeerCertificates);
        assertThrows(SSLPeerUnverifiedException.class, session::getPeerPrincipal);
        assertEquals("without certificate", session.peerName());
    }

    /** An engine with these answers, in turn; then it is freed. */
    private static final class Answers implements Session.ChainSource {
        private final Queue<Object> left;

        Answers(Object... answers) {
            left = new ArrayDeque<>(List.of(answers));
        }

        @Override
        @SuppressWarnings("unchecked")
        public <T> T ask(Function<NativeEngine, T> question) {
            Object answer = left.poll();
            return answer == UNKNOWN ? null : (T) answer;
        }
    }
}

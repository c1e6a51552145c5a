package io.brokertls.internal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Wrong arguments for the native library: each gives an exception with the reason, and no crash. */
class NativeMisuseTest {
    private static NativeContext anyServer() throws TlsFailure {
        try (NativeContextBuilder builder = new NativeContextBuilder()) {
            builder.set("insecure-accept-any-server", "yes");
            return builder.build();
        }
    }

    @Test
    void firstWrapOfAClientIsAClientHello() throws TlsFailure {
        try (NativeContext context = anyServer();
                NativeEngine engine = context.connect("localhost", new EngineSettings())) {
            ByteBuffer hello = ByteBuffer.allocateDirect(32 * 1024);
            long packed = engine.wrap(null, null, 0, 0, null, hello, 0, hello.capacity());
            assertTrue(NativeEngine.isHandshaking(packed));
            assertEquals(NativeEngine.NEED_RECORD, NativeEngine.status(packed));
            assertTrue(NativeEngine.produced(packed) > 100);
            assertEquals(22, hello.get(0));
        }
    }

    @Test
    void callAfterCloseIsIllegalState() throws TlsFailure {
        NativeContext context = anyServer();
        NativeEngine engine = context.connect("localhost", new EngineSettings());
        engine.close();
        engine.close();
        context.close();
        assertThrows(IllegalStateException.class, engine::state);
        assertThrows(IllegalStateException.class, context::warnings);
    }

    @Test
    void negativeLengthAndHeapBufferAndOverlapAreIllegalArguments() throws TlsFailure {
        try (NativeContext context = anyServer();
                NativeEngine engine = context.connect("localhost", new EngineSettings())) {
            ByteBuffer direct = ByteBuffer.allocateDirect(1024);
            ByteBuffer heap = ByteBuffer.allocate(1024);
            assertThrows(IllegalArgumentException.class, () -> engine.wrap(null, null, 0, -1, null, direct, 0, 1024));
            assertThrows(IndexOutOfBoundsException.class, () -> engine.wrap(null, null, 0, 0, null, direct, -1, 1024));
            assertThrows(IndexOutOfBoundsException.class, () -> engine.wrap(null, null, 0, 0, null, direct, 1, 1024));
            assertThrows(IllegalArgumentException.class, () -> engine.wrap(null, null, 0, 0, null, heap, 0, 1024));
            assertThrows(IllegalArgumentException.class, () -> engine.wrap(null, null, 0, 10, null, direct, 0, 1024));
            IllegalArgumentException e = assertThrows(IllegalArgumentException.class,
                    () -> engine.wrap(null, direct, 0, 512, null, direct, 511, 512));
            assertTrue(e.getMessage().startsWith("BTLS_INVALID_ARGUMENT"), e.getMessage());
            assertThrows(IllegalArgumentException.class, () -> NativeEngine.address(heap));
            assertThrows(IllegalArgumentException.class, () -> NativeEngine.address(null));
            assertThrows(IllegalArgumentException.class, () -> NativeEngine.pins(null));
        }
    }

    @Test
    void arrayOutOfItsBoundsOrOnBothSidesOrOfAClosedEngineIsRefused() throws TlsFailure {
        try (NativeContext context = anyServer()) {
            NativeEngine engine = context.connect("localhost", new EngineSettings());
            byte[] array = new byte[1024];
            ByteBuffer direct = ByteBuffer.allocateDirect(1024);
            ByteBuffer heap = ByteBuffer.allocate(1024);
            assertThrows(IndexOutOfBoundsException.class,
                    () -> engine.unwrap(array, null, 1, 1024, null, direct, 0, 1024));
            assertThrows(IndexOutOfBoundsException.class,
                    () -> engine.wrap(null, direct, 0, 1024, array, null, -1, 1024));
            assertThrows(IllegalArgumentException.class,
                    () -> engine.wrap(array, null, 0, 512, array, null, 512, 512));
            assertThrows(IllegalArgumentException.class,
                    () -> engine.unwrap(array, null, 0, 512, null, heap, 0, 512));
            assertThrows(IllegalArgumentException.class,
                    () -> engine.unwrap(null, null, 0, 512, array, null, 0, 512));
            assertThrows(IllegalArgumentException.class,
                    () -> engine.unwrap(null, direct, 0, 512, null, direct, 511, 512));
            assertTrue(NativeEngine.isHandshaking(engine.wrap(null, direct, 0, 0, array, null, 0, 1024)));
            engine.close();
            assertThrows(IllegalStateException.class,
                    () -> engine.wrap(null, direct, 0, 0, array, null, 0, 1024));
        }
    }

    @Test
    void addressOfABufferIsTheBeginningOfItsView() throws TlsFailure {
        try (NativeContext context = anyServer();
                NativeEngine engine = context.connect("localhost", new EngineSettings())) {
            ByteBuffer whole = ByteBuffer.allocateDirect(32 * 1024);
            whole.position(1000);
            ByteBuffer part = whole.slice();
            int produced = NativeEngine.produced(engine.wrap(null, null, 0, 0, null, part, 24, part.capacity() - 24));
            assertEquals(22, whole.get(1024));
            assertEquals(0, whole.get(1023));
            assertEquals(0, whole.get(1024 + produced));
        }
    }

    @Test
    void contextThatIsClosedWhileThreadsMakeEnginesRefusesTheNextOnes() throws Exception {
        NativeContext context = anyServer();
        ExecutorService threads = Executors.newFixedThreadPool(3);
        try {
            CountDownLatch made = new CountDownLatch(300);
            List<Future<?>> makers = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                makers.add(threads.submit(() -> {
                    while (true) {
                        try (NativeEngine engine = context.connect("localhost", new EngineSettings())) {
                            assertTrue(NativeEngine.isHandshaking(engine.state()));
                            made.countDown();
                        }
                    }
                }));
            }
            assertTrue(made.await(60, TimeUnit.SECONDS));
            context.close();
            for (Future<?> maker : makers) {
                ExecutionException e = assertThrows(ExecutionException.class, () -> maker.get(60, TimeUnit.SECONDS));
                assertEquals(ErrorCode.WRONG_STATE, assertInstanceOf(TlsFailure.class, e.getCause()).code());
            }
        } finally {
            context.close();
            threads.shutdownNow();
        }
    }

    @Test
    void optionsThatAreNoneHaveTheirCodes() {
        try (NativeContextBuilder builder = new NativeContextBuilder()) {
            assertEquals(ErrorCode.UNKNOWN_OPTION,
                    assertThrows(TlsFailure.class, () -> builder.set("no-such", "yes")).code());
            assertEquals(ErrorCode.INVALID_ARGUMENT,
                    assertThrows(TlsFailure.class, () -> builder.set("client-auth", "maybe")).code());
            TlsFailure failure = assertThrows(TlsFailure.class, builder::build);
            assertEquals(ErrorCode.NO_IDENTITY, failure.code());
            assertTrue(failure.getMessage().startsWith("BTLS_NO_IDENTITY ("), failure.getMessage());
        }
    }

    @Test
    void listsAndResponsesThatAreNullAreIllegalArguments() {
        try (NativeContextBuilder builder = new NativeContextBuilder()) {
            assertThrows(IllegalArgumentException.class, () -> builder.addCrl(null, "list"));
            assertThrows(IllegalArgumentException.class, () -> builder.addCrl(new byte[1], null));
            assertThrows(IllegalArgumentException.class, () -> builder.addOcspResponse(null, "response"));
        }
    }

    @Test
    void versionsAndSuitesAreNamedAsJavaNamesThem() throws TlsFailure {
        assertArrayEquals(new String[] {"TLSv1.2", "TLSv1.3"}, NativeContext.supportedVersions());
        String[] none = {};
        assertArrayEquals(new String[] {"TLSv1.2"}, NativeContext.servedVersions("TLSv1,TLSv1.1,TLSv1.2", none));
        assertArrayEquals(new String[] {"TLS_AES_128_GCM_SHA256"},
                NativeContext.servedCipherSuites("TLS_AES_128_GCM_SHA256", none));
        assertEquals(ErrorCode.VERSION_NOT_SUPPORTED,
                assertThrows(TlsFailure.class, () -> NativeContext.servedVersions("TLSv9", none)).code());
        assertThrows(IllegalArgumentException.class, () -> NativeContext.servedVersions("TLSv1.2", null));
    }

    @Test
    void namesOfTheSecondEngineAreServedWhereAContextHasThem() throws TlsFailure {
        assertArrayEquals(new String[] {"TLSv1.1", "TLSv1.2"},
                NativeContext.servedVersions("TLSv1.2,TLSv1.1,TLSv1", new String[] {"TLSv1.1"}));
        assertArrayEquals(new String[] {"TLSv1"}, NativeContext.servedVersions("TLSv1", new String[] {"TLSv1"}));
        String old = "TLS_RSA_WITH_3DES_EDE_CBC_SHA";
        assertArrayEquals(new String[] {old, "TLS_AES_128_GCM_SHA256"}, NativeContext.servedCipherSuites(
                "SSL_RSA_WITH_3DES_EDE_CBC_SHA,TLS_AES_128_GCM_SHA256", new String[] {old}));
        assertEquals(ErrorCode.NO_CIPHER_SUITE, assertThrows(TlsFailure.class,
                () -> NativeContext.servedCipherSuites(old, new String[0])).code());
    }

    @Test
    void contentOfNoFormatIsRefused() {
        byte[] content = "neither".getBytes(StandardCharsets.US_ASCII);
        assertEquals(ErrorCode.STORE_FORMAT_UNKNOWN,
                assertThrows(TlsFailure.class, () -> new NativeStore(content, "test", null, null)).code());
    }
}

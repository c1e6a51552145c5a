package io.brokertls.peer;

import io.brokertls.BrokerTlsContext;
import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

/** The program of the tests of virtual threads: the name of a method here, and its number. Each has its own JVM. */
public final class VirtualThreadsProgram {
    private static final int MOST_WORKERS = 1024;
    private static final ThreadLocal<String> OF_THREAD = new ThreadLocal<>();

    private VirtualThreadsProgram() {
    }

    public static void main(String[] arguments) throws Exception {
        int count = Integer.parseInt(arguments[1]);
        start(() -> Pinning.SLEPT_MS).get();
        switch (arguments[0]) {
            case "managers":
                managers(count);
                break;
            case "sockets":
                sockets(count);
                break;
            case "responder":
                responder(count, Path.of(arguments[2]));
                break;
            case "nested":
                nested(count);
                break;
            case "logger":
                logger(count);
                break;
            case "busy":
                busy(count);
                break;
            case "mutual":
                mutual(count);
                break;
            default:
                context(count);
                break;
        }
    }

    /** Starts a virtual thread. The tests are compiled for Java 11. */
    private static <T> FutureTask<T> start(Callable<T> work) throws ReflectiveOperationException {
        FutureTask<T> task = new FutureTask<>(work);
        Thread.class.getMethod("startVirtualThread", Runnable.class).invoke(null, task);
        return task;
    }

    /** Returns what another virtual thread says. With pinned carriers, none is left to run it. */
    private static void askService() throws CertificateException {
        try {
            start(() -> {
                Thread.sleep(5);
                return true;
            }).get();
        } catch (Exception e) {
            throw new CertificateException(e);
        }
    }

    private static SSLContext ours(String identity, X509TrustManager trust) throws Exception {
        SSLContext context = SSLContext.getInstance("TLS", Stack.OURS.provider());
        javax.net.ssl.KeyManagerFactory keys = javax.net.ssl.KeyManagerFactory.getInstance("PKIX");
        keys.init(Pki.get().identity(identity), Pki.PASSWORD);
        context.init(keys.getKeyManagers(), new TrustManager[] {trust}, null);
        return context;
    }

    /** Every thread makes a handshake of two engines. Both trust managers wait for a service. */
    private static void managers(int count) throws Exception {
        SSLContext client = ours("client", new Asking(VirtualThreadsProgram::askService));
        SSLContext server = ours("ec", new Asking(VirtualThreadsProgram::askService));
        AtomicInteger served = new AtomicInteger();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        List<FutureTask<Object>> all = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            all.add(start(() -> {
                try {
                    EnginePair.mutual(client, server).handshake();
                    served.incrementAndGet();
                } catch (Throwable e) {
                    failure.compareAndSet(null, e);
                }
                return null;
            }));
        }
        int workers = 0;
        for (FutureTask<Object> each : all) {
            while (!each.isDone()) {
                Thread.sleep(20);
                workers = Math.max(workers, workers());
            }
        }
        System.out.println("SERVED " + served + " FAILURE " + failure);
        System.out.println("WORKERS " + (workers > 0 && workers <= MOST_WORKERS));
    }

    private static int workers() {
        int workers = 0;
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            workers += thread.getName().equals("brokertls-worker") ? 1 : 0;
        }
        return workers;
    }

    /** Every connection is served on a virtual thread, and half of the clients are on one. */
    private static void sockets(int count) throws Exception {
        SSLContext server = ours("ec", new Asking(VirtualThreadsProgram::askService));
        SSLContext client = ours("client", new Asking(VirtualThreadsProgram::askService));
        SSLServerSocket listener = (SSLServerSocket) server.getServerSocketFactory()
                .createServerSocket(0, count, InetAddress.getLoopbackAddress());
        listener.setNeedClientAuth(true);
        start(() -> {
            while (true) {
                Socket accepted = listener.accept();
                start(() -> {
                    try (Socket socket = accepted) {
                        InputStream in = socket.getInputStream();
                        OutputStream out = socket.getOutputStream();
                        for (int next = in.read(); next >= 0; next = in.read()) {
                            out.write(next);
                        }
                    }
                    return null;
                });
            }
        });
        int served = 0;
        List<FutureTask<Boolean>> all = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Callable<Boolean> echo = () -> {
                try (SSLSocket socket = (SSLSocket) client.getSocketFactory()
                        .createSocket(listener.getInetAddress(), listener.getLocalPort())) {
                    socket.getOutputStream().write(42);
                    return socket.getInputStream().read() == 42;
                }
            };
            if (i % 2 == 0) {
                all.add(start(echo));
            } else {
                FutureTask<Boolean> task = new FutureTask<>(echo);
                all.add(task);
                new Thread(task).start();
            }
        }
        for (FutureTask<Boolean> each : all) {
            served += each.get() ? 1 : 0;
        }
        System.out.println("SERVED " + served);
    }

    /** A responder takes the connection and says nothing. Another virtual thread ends its work before that ends. */
    private static void responder(int count, Path folder) throws Exception {
        Authority authority = new Authority(folder, "ec");
        authority.issue("server", "ec");
        authority.issue("client", "ec");
        ServerSocket responder = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        BrokerTlsContext server = BrokerTlsContext.builder()
                .keyStore(folder.resolve("server.p12"), Authority.PASSWORD)
                .trustCertificates(folder.resolve("ca.pem"))
                .clientAuth(BrokerTlsContext.ClientAuth.NEED)
                .option("fetch", "yes")
                .option("ocsp-responder", "http://127.0.0.1:" + responder.getLocalPort() + "/")
                .option("revocation-deadline-ms", "60000")
                .revocation(BrokerTlsContext.RevocationMode.REQUIRE).build();
        BrokerTlsContext client = BrokerTlsContext.builder()
                .keyStore(folder.resolve("client.p12"), Authority.PASSWORD)
                .trustCertificates(folder.resolve("ca.pem")).build();
        List<FutureTask<String>> waiting = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            waiting.add(start(() -> {
                EnginePair pair = EnginePair.mutual(client.sslContext(), server.sslContext());
                pair.begin().settle();
                return pair.server.failure == null ? "accepted"
                        : ((TlsFailure) pair.server.failure.getCause()).code().name();
            }));
        }
        Socket mute = responder.accept();
        // Two carriers and more threads than that wait: each of them must have left its carrier.
        int turns = start(() -> {
            int done = 0;
            for (int i = 0; i < 100; i++) {
                Thread.sleep(1);
                done++;
            }
            return done;
        }).get();
        System.out.println("OTHER " + turns + " EARLY " + waiting.stream().filter(FutureTask::isDone).count());
        responder.close();
        mute.close();
        int refused = 0;
        for (FutureTask<String> each : waiting) {
            refused += each.get().equals("REVOCATION_UNREACHABLE") ? 1 : 0;
            System.out.println("SAID " + each.get());
        }
        System.out.println("REFUSED " + refused);
    }

    /** The trust manager makes a connection of its own: on its thread, and on another one that it waits for. */
    private static void nested(int count) throws Exception {
        SSLContext inner = ours("client", new Asking(VirtualThreadsProgram::askService));
        SSLContext innerServer = ours("ec", new Asking(VirtualThreadsProgram::askService));
        Asking asking = new Asking(() -> {
            try {
                EnginePair.mutual(inner, innerServer).handshake();
                start(() -> {
                    EnginePair.mutual(inner, innerServer).handshake();
                    return null;
                }).get();
            } catch (Exception e) {
                throw new CertificateException(e);
            }
        });
        SSLContext outer = ours("client", asking);
        SSLContext outerServer = ours("ec", asking);
        CountDownLatch served = new CountDownLatch(count);
        for (int i = 0; i < count; i++) {
            start(() -> {
                EnginePair.mutual(outer, outerServer).handshake();
                served.countDown();
                return null;
            });
        }
        served.await();
        System.out.println("SERVED " + count);
    }

    /** Every handshake is refused, and the logger waits for another virtual thread at each line. */
    private static void logger(int count) throws Exception {
        CountDownLatch written = new CountDownLatch(1);
        Logger ours = Logger.getLogger("io.brokertls");
        ours.setLevel(Level.WARNING);
        ours.setUseParentHandlers(false);
        ours.addHandler(new Handler() {
            @Override
            public void publish(LogRecord record) {
                try {
                    askService();
                } catch (CertificateException e) {
                    throw new IllegalStateException(e);
                }
                if (record.getMessage().contains("CERT_REJECTED_BY_MANAGER")) {
                    written.countDown();
                }
            }

            @Override
            public void flush() {
            }

            @Override
            public void close() {
            }
        });
        SSLContext client = ours("client", new Asking(() -> { }));
        SSLContext server = ours("ec", new Asking(() -> {
            throw new CertificateException("refused");
        }));
        List<FutureTask<Boolean>> all = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            all.add(start(() -> {
                EnginePair pair = EnginePair.mutual(client, server);
                pair.begin().settle();
                return pair.server.failure != null;
            }));
        }
        int refused = 0;
        for (FutureTask<Boolean> each : all) {
            refused += each.get() ? 1 : 0;
        }
        written.await();
        System.out.println("REFUSED " + refused);
    }

    /** Every worker is in a handshake with a manager that waits for all of them, and then for a further handshake. */
    private static void mutual(int count) throws Exception {
        SSLContext inner = ours("client", new Asking(() -> { }));
        SSLContext innerServer = ours("ec", new Asking(() -> { }));
        CountDownLatch asked = new CountDownLatch(count);
        AtomicInteger busy = new AtomicInteger();
        SSLContext outerServer = ours("ec", new Asking(() -> {
            asked.countDown();
            try {
                asked.await();
                start(() -> {
                    EnginePair pair = EnginePair.mutual(inner, innerServer);
                    pair.begin().settle();
                    if (pair.server.failure != null) {
                        TlsFailure cause = (TlsFailure) pair.server.failure.getCause();
                        busy.addAndGet(cause.code() == ErrorCode.WORKERS_BUSY ? 1 : 0);
                        throw pair.server.failure;
                    }
                    return null;
                }).get();
            } catch (Exception e) {
                throw new CertificateException(e);
            }
        }));
        List<FutureTask<SSLException>> all = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            all.add(start(() -> {
                EnginePair pair = EnginePair.mutual(inner, outerServer);
                pair.begin().settle();
                return pair.server.failure;
            }));
        }
        int refused = 0;
        for (FutureTask<SSLException> each : all) {
            refused += each.get() == null ? 0 : 1;
        }
        System.out.println("ENDED " + all.size() + " BUSY " + (busy.get() > 0 && busy.get() == refused));
        start(() -> {
            EnginePair.mutual(inner, outerServer).handshake();
            return null;
        }).get();
        System.out.println("SERVED 1");
    }

    /** Every worker waits in a manager. An engine and a socket need one more, and their clients are told. */
    private static void busy(int count) throws Exception {
        SSLContext client = ours("client", new Asking(() -> { }));
        CountDownLatch asked = new CountDownLatch(count);
        CountDownLatch end = new CountDownLatch(1);
        SSLContext waiting = ours("ec", new Asking(() -> {
            asked.countDown();
            try {
                end.await();
            } catch (InterruptedException e) {
                throw new CertificateException(e);
            }
        }));
        List<FutureTask<Object>> all = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            all.add(start(() -> {
                EnginePair.mutual(client, waiting).handshake();
                return null;
            }));
        }
        asked.await();
        SSLContext server = ours("ec", new Asking(() -> { }));
        SSLServerSocket listener = (SSLServerSocket) server.getServerSocketFactory()
                .createServerSocket(0, 1, InetAddress.getLoopbackAddress());
        FutureTask<String> ofSocket = start(() -> {
            try (SSLSocket socket = (SSLSocket) listener.accept()) {
                socket.startHandshake();
                return "accepted";
            } catch (SSLException e) {
                return code(e);
            }
        });
        // The tasks of the clients run on this thread, which is none of the virtual ones.
        EnginePair pair = EnginePair.mutual(client, server).begin();
        String ofClient = end(pair.client);
        FutureTask<String> ofServer = start(() -> end(pair.server));
        try (SSLSocket socket = (SSLSocket) client.getSocketFactory()
                .createSocket(listener.getInetAddress(), listener.getLocalPort())) {
            socket.startHandshake();
            System.out.println("SOCKET CONNECTED");
        } catch (SSLException e) {
            System.out.println("SOCKET " + ofSocket.get() + ", " + code(e));
        }
        System.out.println("ENGINE " + ofClient + ", " + ofServer.get() + ", " + end(pair.client));
        end.countDown();
        for (FutureTask<Object> each : all) {
            each.get();
        }
        System.out.println("SERVED " + all.size());
    }

    /** Lets one side of a pair do all that it can. Returns the code of its failure, and sends the alert. */
    private static String end(EnginePair.Side side) throws SSLException {
        try {
            while (side.step(Integer.MAX_VALUE)) {
                Thread.yield();
            }
            return "waits";
        } catch (SSLException e) {
            side.wrap(ByteBuffer.allocate(0));
            return code(e);
        }
    }

    private static String code(SSLException failure) {
        return ((TlsFailure) failure.getCause()).code().name();
    }

    /** A manager runs on the thread of the handshake, with its values and interrupts, and may throw anything. */
    private static void context(int count) throws Exception {
        AtomicReference<String> seen = new AtomicReference<>();
        SSLContext client = ours("client", new Asking(() -> {
        }));
        SSLContext looking = ours("ec", new Asking(() -> seen.set(OF_THREAD.get() + ", "
                + (Thread.currentThread().isInterrupted() ? "interrupted" : "calm"))));
        System.out.println("MANAGER " + start(() -> {
            OF_THREAD.set("value");
            Thread.currentThread().interrupt();
            EnginePair.mutual(client, looking).handshake();
            return seen.get() + ", " + (Thread.currentThread().isInterrupted() ? "interrupted" : "calm");
        }).get());
        SSLContext throwing = ours("ec", new Asking(() -> {
            throw new ThreadDeath();
        }));
        AtomicInteger refused = new AtomicInteger();
        for (int i = 0; i < count; i++) {
            start(() -> {
                EnginePair pair = EnginePair.mutual(client, throwing);
                pair.begin().settle();
                SSLException failure = pair.server.failure;
                if (failure != null && failure.getCause().getCause() instanceof ThreadDeath) {
                    refused.incrementAndGet();
                }
                return null;
            }).get();
        }
        System.out.println("REFUSED " + refused);
        start(() -> {
            EnginePair.mutual(client, looking).handshake();
            return null;
        }).get();
        System.out.println("WORKERS " + (workers() > 0 && workers() < 10));
    }

    /** Keeps the carrier of the thread that uses it first, so that a recording has an event that it must have. */
    private static final class Pinning {
        static final long SLEPT_MS;

        static {
            long begun = System.nanoTime();
            try {
                Thread.sleep(20);
            } catch (InterruptedException e) {
                throw new ExceptionInInitializerError(e);
            }
            SLEPT_MS = (System.nanoTime() - begun) / 1_000_000;
        }

        private Pinning() {
        }
    }

    /** Trusts anyone after it has asked. */
    private static final class Asking implements X509TrustManager {
        private final Question question;

        Asking(Question question) {
            this.question = question;
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
            question.ask();
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
            question.ask();
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }

    private interface Question {
        void ask() throws CertificateException;
    }
}

package io.brokertls.peer;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.cert.CRLException;
import java.security.cert.X509CRL;
import java.util.Base64;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Takes OCSP requests over HTTP (RFC 6960 appendix A) on the loopback interface, and has openssl answer them. At
 * {@code /ca.crl} it has the list that was published.
 */
final class OcspResponder implements AutoCloseable {
    private static final int PATIENCE_MS = 30_000;
    private static final int MOST_HEADER_BYTES = 8192;

    private final Authority authority;
    private final ServerSocket listener;
    private final Thread thread;
    private final AtomicInteger asked = new AtomicInteger();
    private volatile byte[] list = {};

    OcspResponder(Authority authority) throws IOException {
        this.authority = authority;
        listener = new ServerSocket(0, 0, InetAddress.getLoopbackAddress());
        thread = new Thread(this::serve, "ocsp-responder");
        thread.setDaemon(true);
        thread.start();
    }

    URI address() {
        return URI.create("http://" + listener.getInetAddress().getHostAddress() + ":" + listener.getLocalPort());
    }

    /** Puts a list in the place of the one before. */
    void publish(X509CRL revocations) throws CRLException {
        list = revocations.getEncoded();
    }

    /** Returns the number of answered requests. */
    int asked() {
        return asked.get();
    }

    /** Ends the thread too: until it has left the listener, the system still accepts connections for it. */
    @Override
    public void close() throws IOException {
        listener.close();
        try {
            thread.join(PATIENCE_MS);
        } catch (InterruptedException e) {
            throw new InterruptedIOException("interrupted while the responder ends");
        }
    }

    private void serve() {
        while (!listener.isClosed()) {
            try (Socket socket = listener.accept()) {
                socket.setSoTimeout(PATIENCE_MS);
                byte[] response = answer(new BufferedInputStream(socket.getInputStream()));
                asked.incrementAndGet();
                OutputStream out = socket.getOutputStream();
                out.write(("HTTP/1.1 200 OK\r\nContent-Type: application/ocsp-response\r\nConnection: close\r\n"
                        + "Content-Length: " + response.length + "\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
                out.write(response);
                out.flush();
            } catch (IOException e) {
                // The client sees a connection without an answer, and its test says so.
                continue;
            }
        }
    }

    private byte[] answer(InputStream in) throws IOException {
        String[] start = line(in).split(" ");
        int length = 0;
        for (String header = line(in); !header.isEmpty(); header = line(in)) {
            String[] parts = header.toLowerCase(Locale.ROOT).split(":", 2);
            if (parts[0].equals("content-length")) {
                length = Integer.parseInt(parts[1].trim());
            }
        }
        if (start[0].equals("POST")) {
            return authority.respond(in.readNBytes(length));
        }
        if (start[1].equals("/ca.crl")) {
            return list;
        }
        String encoded = URLDecoder.decode(start[1].substring(start[1].indexOf('/') + 1), StandardCharsets.US_ASCII);
        return authority.respond(Base64.getDecoder().decode(encoded));
    }

    private static String line(InputStream in) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int next = in.read(); next != '\n'; next = in.read()) {
            if (next < 0 || line.length() > MOST_HEADER_BYTES) {
                throw new IOException("not HTTP: " + line);
            }
            line.append((char) next);
        }
        return line.toString().trim();
    }
}

// Prints the objects of the JDK's factories in a process with BrokerTLS as the first provider, one fact a line.
// DefaultsTest runs it from source, with the javax.net.ssl properties of a store.

import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.Security;
import java.security.Signature;
import java.security.cert.CertPathValidator;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.zip.ZipFile;
import javax.crypto.Cipher;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLServerSocketFactory;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManagerFactory;
import jdk.security.jarsigner.JarSigner;

public class Defaults {
    private static final String ALIAS = "one";

    public static void main(String[] arguments) throws Exception {
        char[] password = System.getProperty("javax.net.ssl.keyStorePassword").toCharArray();
        say("first", Security.getProviders()[0].getName());
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(Path.of(System.getProperty("javax.net.ssl.keyStore")))) {
            store.load(in, password);
        }
        say("PKCS12", store.getProvider().getName());
        say("JKS", KeyStore.getInstance("JKS").getProvider().getName());
        say("PKIX", TrustManagerFactory.getInstance("PKIX").getProvider().getName());
        say("trust default", TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm())
                .getProvider().getName());
        say("key default", KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm())
                .getProvider().getName());
        say("X.509", CertificateFactory.getInstance("X.509").getProvider().getName());
        say("path", CertPathValidator.getInstance("PKIX").getProvider().getName());
        say("SHA-256", MessageDigest.getInstance("SHA-256").getProvider().getName());
        say("AES", Cipher.getInstance("AES/GCM/NoPadding").getProvider().getName());
        say("EC", KeyFactory.getInstance("EC").getProvider().getName());
        say("random", String.valueOf(!new SecureRandom().getProvider().getName().equals("BrokerTLS")));
        sign(store, password);
        signJar(store, password);
        say("TLS", SSLContext.getInstance("TLS").getProvider().getName());
        say("Default", SSLContext.getDefault().getProvider().getName());
        say("sockets", String.valueOf(SSLSocketFactory.getDefault().getClass().getName().startsWith("sun.")));
        say("https", fetch());
    }

    private static void say(String what, String found) {
        System.out.println(what + "=" + found);
    }

    private static void sign(KeyStore store, char[] password) throws Exception {
        Signature signer = Signature.getInstance("SHA256withECDSA");
        signer.initSign((PrivateKey) store.getKey(ALIAS, password));
        signer.update((byte) 1);
        byte[] signature = signer.sign();
        say("signer", signer.getProvider().getName());
        Signature verifier = Signature.getInstance("SHA256withECDSA");
        verifier.initVerify(store.getCertificate(ALIAS));
        verifier.update((byte) 1);
        say("verified", String.valueOf(verifier.verify(signature)));
    }

    private static void signJar(KeyStore store, char[] password) throws Exception {
        Path plain = Files.createTempFile("plain", ".jar");
        Path signed = Files.createTempFile("signed", ".jar");
        try {
            try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(plain))) {
                out.putNextEntry(new JarEntry("entry"));
                out.write(1);
            }
            X509Certificate certificate = (X509Certificate) store.getCertificate(ALIAS);
            JarSigner signer = new JarSigner.Builder((PrivateKey) store.getKey(ALIAS, password),
                    CertificateFactory.getInstance("X.509").generateCertPath(List.of(certificate))).build();
            try (ZipFile in = new ZipFile(plain.toFile()); OutputStream out = Files.newOutputStream(signed)) {
                signer.sign(in, out);
            }
            try (JarFile jar = new JarFile(signed.toFile(), true)) {
                JarEntry entry = jar.getJarEntry("entry");
                jar.getInputStream(entry).readAllBytes();
                say("jar", String.valueOf(entry.getCodeSigners()[0].getSignerCertPath().getCertificates().get(0)
                        .equals(certificate)));
            }
        } finally {
            Files.delete(plain);
            Files.delete(signed);
        }
    }

    /** A page over https from a server with the default context, by a client with it. */
    private static String fetch() throws Exception {
        try (SSLServerSocket listener = (SSLServerSocket) SSLServerSocketFactory.getDefault()
                .createServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Thread server = new Thread(() -> serve(listener));
            server.setDaemon(true);
            server.start();
            URI page = URI.create("https://localhost:" + listener.getLocalPort() + "/");
            HttpsURLConnection connection = (HttpsURLConnection) page.toURL().openConnection();
            connection.setConnectTimeout(30_000);
            connection.setReadTimeout(30_000);
            try (InputStream in = connection.getInputStream()) {
                return new String(in.readAllBytes(), "US-ASCII");
            }
        }
    }

    private static void serve(SSLServerSocket listener) {
        try (Socket socket = listener.accept()) {
            socket.getInputStream().read(new byte[8192]);
            socket.getOutputStream().write(
                    "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\npage".getBytes("US-ASCII"));
            socket.getOutputStream().flush();
        } catch (Exception e) {
            System.out.println("server=" + e);
        }
    }
}

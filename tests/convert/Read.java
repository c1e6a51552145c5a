import java.io.FileInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.Key;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.Signature;
import java.security.cert.Certificate;
import java.util.Collections;
import java.util.List;
import java.util.Scanner;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Prints the entries of the stores that standard input names, one a line: file, type and password with tabs between.
 * The argument {@code bc} takes the provider of Bouncy Castle.
 */
class Read {
    public static void main(String[] arguments) throws Exception {
        System.setOut(new java.io.PrintStream(new java.io.FileOutputStream(java.io.FileDescriptor.out), true, "UTF-8"));
        Provider provider = null;
        if (arguments.length > 0) {
            String name = "org.bouncycastle.jce.provider.BouncyCastleProvider";
            provider = (Provider) Class.forName(name).getConstructor().newInstance();
        }
        Scanner lines = new Scanner(System.in, "UTF-8");
        while (lines.hasNextLine()) {
            String[] line = lines.nextLine().split("\t", -1);
            try {
                read(line[0], line[1], line[2].toCharArray(), provider);
            } catch (Exception refused) {
                System.out.println(line[0] + ": refused");
            }
        }
    }

    private static void read(String file, String type, char[] password, Provider provider) throws Exception {
        KeyStore store = provider == null ? KeyStore.getInstance(type) : KeyStore.getInstance(type, provider);
        try (InputStream in = new FileInputStream(file)) {
            store.load(in, password);
        }
        List<String> aliases = Collections.list(store.aliases());
        Collections.sort(aliases);
        for (String alias : aliases) {
            if (store.isKeyEntry(alias)) {
                Key key = store.getKey(alias, password);
                Certificate[] chain = store.getCertificateChain(alias);
                String kind = belongs((PrivateKey) key, chain[0]) ? "key" : "wrong-key";
                System.out.println(file + ": " + kind + " " + alias + " " + prints(Stream.of(chain)));
            } else {
                System.out.println(file + ": trusted " + alias + " " + prints(Stream.of(store.getCertificate(alias))));
            }
        }
    }

    private static boolean belongs(PrivateKey key, Certificate certificate) throws Exception {
        Signature signature = Signature.getInstance(key.getAlgorithm().equals("RSA") ? "SHA256withRSA" : "SHA256withECDSA");
        signature.initSign(key);
        signature.update("message".getBytes(StandardCharsets.UTF_8));
        byte[] signed = signature.sign();
        signature.initVerify(certificate.getPublicKey());
        signature.update("message".getBytes(StandardCharsets.UTF_8));
        return signature.verify(signed);
    }

    private static String prints(Stream<Certificate> certificates) {
        return certificates.map(Read::print).collect(Collectors.joining(","));
    }

    private static String print(Certificate certificate) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(certificate.getEncoded());
            StringBuilder text = new StringBuilder();
            for (int index = 0; index < 8; index++) {
                text.append(String.format("%02x", digest[index]));
            }
            return text.toString();
        } catch (Exception refused) {
            throw new IllegalStateException(refused);
        }
    }
}

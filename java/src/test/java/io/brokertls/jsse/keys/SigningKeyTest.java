package io.brokertls.jsse.keys;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.X509Certificate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Keys that sign by java.security.Signature. */
class SigningKeyTest {
    private static final byte[] MESSAGE = "message".getBytes(StandardCharsets.US_ASCII);

    @TempDir
    Path folder;

    @Test
    void rsaKeySignsWithEachOfItsSchemes() throws Exception {
        KeyStore store = KeytoolStore.make(folder, "-keyalg", "RSA", "-keysize", "2048");
        assertSigns(store, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601);
    }

    @Test
    void ecKeySignsInDer() throws Exception {
        KeyStore store = KeytoolStore.make(folder, "-keyalg", "EC", "-groupname", "secp256r1");
        assertSigns(store, 0x0403, 0x0503, 0x0603);
    }

    @Test
    void schemeOfAnotherKindOfKeyGivesNoSignature() throws Exception {
        SigningKey key = key(KeytoolStore.make(folder, "-keyalg", "EC", "-groupname", "secp256r1"));
        assertNull(key.sign(0x0804, MESSAGE));
        assertNull(key.sign(0xffff, MESSAGE));
    }

    @Test
    void keyThatNoProviderKnowsHasNoSchemes() throws Exception {
        KeyStore store = KeytoolStore.make(folder, "-keyalg", "EC", "-groupname", "secp256r1");
        SigningKey key = new SigningKey(new PrivateKey() {
            private static final long serialVersionUID = 1L;

            @Override
            public String getAlgorithm() {
                return "EC";
            }

            @Override
            public String getFormat() {
                return null;
            }

            @Override
            public byte[] getEncoded() {
                return null;
            }
        }, (X509Certificate) store.getCertificate(KeytoolStore.ALIAS));
        assertEquals(0, key.schemes().length);
        assertNull(key.sign(0x0403, MESSAGE));
    }

    @Test
    void namesAreGivenOnceAndUnknownNumbersLeftOut() {
        assertArrayEquals(new String[] {"SHA256withECDSA", "RSASSA-PSS"},
                SignatureScheme.jcaNames(new int[] {0x0403, 0x0804, 0x0805, 0x1a1a}));
    }

    private static SigningKey key(KeyStore store) throws Exception {
        return new SigningKey((PrivateKey) store.getKey(KeytoolStore.ALIAS, KeytoolStore.PASSWORD),
                (X509Certificate) store.getCertificate(KeytoolStore.ALIAS));
    }

    private static void assertSigns(KeyStore store, int... schemes) throws Exception {
        SigningKey key = key(store);
        assertArrayEquals(schemes, key.schemes());
        for (int number : schemes) {
            SignatureScheme scheme = SignatureScheme.of(number);
            Signature verifier = Signature.getInstance(scheme.jcaName);
            scheme.setParameters(verifier);
            verifier.initVerify(store.getCertificate(KeytoolStore.ALIAS));
            verifier.update(MESSAGE);
            assertTrue(verifier.verify(key.sign(number, MESSAGE)), scheme.name());
        }
    }
}

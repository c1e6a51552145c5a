package io.brokertls.jsse.keys;

import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import io.brokertls.internal.NativeStore;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyFactory;
import java.security.KeyStoreException;
import java.security.KeyStoreSpi;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.UnrecoverableKeyException;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Date;
import java.util.Enumeration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;

/**
 * Key stores that the native loader reads: PEM, and PKCS#12 and JKS with names of their own. They take other entries in
 * memory, as programs need that copy an entry into a store of the same type. They are not written.
 */
public abstract class NativeKeyStore extends KeyStoreSpi {
    private static final int MOST_BYTES = 16 << 20;

    private final String type;
    private Map<String, Entry> entries = new LinkedHashMap<>();

    NativeKeyStore(String type) {
        this.type = type;
    }

    /** The type PEM. */
    public static final class Pem extends NativeKeyStore {
        /** Makes an empty store. */
        public Pem() {
            super("pem");
        }
    }

    /** The type BrokerTLS-PKCS12. */
    public static final class Pkcs12 extends NativeKeyStore {
        /** Makes an empty store. */
        public Pkcs12() {
            super("pkcs12");
        }
    }

    /** The type BrokerTLS-JKS. */
    public static final class Jks extends NativeKeyStore {
        /** Makes an empty store. */
        public Jks() {
            super("jks");
        }
    }

    @Override
    public void engineLoad(InputStream stream, char[] password)
            throws IOException, NoSuchAlgorithmException, CertificateException {
        Map<String, Entry> found = new LinkedHashMap<>();
        if (stream != null) {
            byte[] content = stream.readNBytes(MOST_BYTES + 1);
            byte[] secret = Passwords.utf8(password);
            try {
                readEntries(new NativeStore(content, type + " key store", type, secret), found);
            } catch (TlsFailure e) {
                throw unreadable(e);
            } finally {
                Passwords.wipe(content);
                Passwords.wipe(secret);
            }
        }
        entries = Collections.synchronizedMap(found);
    }

    private static void readEntries(NativeStore opened, Map<String, Entry> found) throws CertificateException {
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        String[] aliases = opened.aliases();
        for (int i = 0; i < aliases.length; i++) {
            byte[][] der = opened.chain(i);
            Certificate[] chain = new Certificate[der.length];
            for (int k = 0; k < der.length; k++) {
                chain[k] = factory.generateCertificate(new ByteArrayInputStream(der[k]));
            }
            EntryKey key = opened.kind(i) == NativeStore.KEY ? new StoredKey(opened, i) : null;
            found.put(named(aliases[i]), new Entry(key, chain));
        }
    }

    /** Returns the alias in lower case, as in the stores of the JDK, so that case does not matter. */
    private static String named(String alias) {
        return alias.toLowerCase(Locale.ENGLISH);
    }

    /** Makes the exception of load. {@link java.security.KeyStore#load} specifies its cause for a wrong password. */
    private static IOException unreadable(TlsFailure failure) {
        if (!isAboutPassword(failure.code())) {
            return new IOException(failure.getMessage(), failure);
        }
        UnrecoverableKeyException cause = new UnrecoverableKeyException(failure.getMessage());
        cause.initCause(failure);
        return new IOException(failure.getMessage(), cause);
    }

    private static boolean isAboutPassword(ErrorCode code) {
        return code == ErrorCode.STORE_PASSWORD_WRONG || code == ErrorCode.STORE_PASSWORD_MISSING
                || code == ErrorCode.KEY_PASSWORD_WRONG || code == ErrorCode.KEY_PASSWORD_MISSING;
    }

    @Override
    public Key engineGetKey(String alias, char[] password) throws NoSuchAlgorithmException, UnrecoverableKeyException {
        Entry entry = entries.get(named(alias));
        return entry == null || !entry.isKey() ? null : entry.key.get(alias, entry.chain, password);
    }

    @Override
    public Certificate[] engineGetCertificateChain(String alias) {
        Entry entry = entries.get(named(alias));
        return entry == null || !entry.isKey() ? null : entry.chain.clone();
    }

    @Override
    public Certificate engineGetCertificate(String alias) {
        Entry entry = entries.get(named(alias));
        return entry == null || entry.chain.length == 0 ? null : entry.chain[0];
    }

    @Override
    public Date engineGetCreationDate(String alias) {
        Entry entry = entries.get(named(alias));
        return entry == null ? null : new Date(entry.created);
    }

    @Override
    public Enumeration<String> engineAliases() {
        return Collections.enumeration(aliases());
    }

    @Override
    public boolean engineContainsAlias(String alias) {
        return entries.containsKey(named(alias));
    }

    @Override
    public int engineSize() {
        return entries.size();
    }

    @Override
    public boolean engineIsKeyEntry(String alias) {
        Entry entry = entries.get(named(alias));
        return entry != null && entry.isKey();
    }

    @Override
    public boolean engineIsCertificateEntry(String alias) {
        Entry entry = entries.get(named(alias));
        return entry != null && !entry.isKey();
    }

    @Override
    public String engineGetCertificateAlias(Certificate certificate) {
        for (String alias : aliases()) {
            Certificate first = engineGetCertificate(alias);
            if (first != null && first.equals(certificate)) {
                return alias;
            }
        }
        return null;
    }

    /** Returns the aliases of now, so that entries can be deleted meanwhile. */
    private List<String> aliases() {
        synchronized (entries) {
            return new ArrayList<>(entries.keySet());
        }
    }

    @Override
    public void engineSetKeyEntry(String alias, Key key, char[] password, Certificate[] chain)
            throws KeyStoreException {
        if (!(key instanceof PrivateKey)) {
            throw new KeyStoreException("BrokerTLS key stores take private keys alone");
        }
        if (chain == null || chain.length == 0) {
            throw new KeyStoreException("a private key needs its certificate chain");
        }
        entries.put(named(alias), new Entry(new GivenKey((PrivateKey) key, password), chain.clone()));
    }

    @Override
    public void engineSetKeyEntry(String alias, byte[] key, Certificate[] chain) throws KeyStoreException {
        throw new KeyStoreException("BrokerTLS key stores take a key as an object and not as protected bytes");
    }

    @Override
    public void engineSetCertificateEntry(String alias, Certificate certificate) throws KeyStoreException {
        if (certificate == null) {
            throw new KeyStoreException("an entry needs its certificate");
        }
        if (engineIsKeyEntry(alias)) {
            throw new KeyStoreException("the entry " + alias + " is a key, which a certificate does not replace");
        }
        entries.put(named(alias), new Entry(null, new Certificate[] {certificate}));
    }

    @Override
    public void engineDeleteEntry(String alias) {
        entries.remove(named(alias));
    }

    @Override
    public void engineStore(OutputStream stream, char[] password) {
        throw new UnsupportedOperationException("BrokerTLS reads key stores and does not write them; KeyStoreConverter"
                + " writes PKCS#12 and PEM");
    }

    /** A private key, or the way to it. */
    private interface EntryKey {
        Key get(String alias, Certificate[] chain, char[] password)
                throws NoSuchAlgorithmException, UnrecoverableKeyException;
    }

    private static UnrecoverableKeyException unrecoverable(String alias, Exception cause) {
        UnrecoverableKeyException failure =
                new UnrecoverableKeyException("the key " + alias + ": " + cause.getMessage());
        failure.initCause(cause);
        return failure;
    }

    /** A key of the file, which native code decrypts. */
    private static final class StoredKey implements EntryKey {
        private final NativeStore store;
        private final int index;

        StoredKey(NativeStore store, int index) {
            this.store = store;
            this.index = index;
        }

        @Override
        public Key get(String alias, Certificate[] chain, char[] password)
                throws NoSuchAlgorithmException, UnrecoverableKeyException {
            byte[] secret = Passwords.utf8(password);
            byte[] pkcs8 = null;
            try {
                pkcs8 = store.key(index, secret);
                String algorithm = chain[0].getPublicKey().getAlgorithm();
                return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
            } catch (NoSuchAlgorithmException e) {
                throw e;
            } catch (GeneralSecurityException e) {
                throw unrecoverable(alias, e);
            } finally {
                Passwords.wipe(secret);
                Passwords.wipe(pkcs8);
            }
        }
    }

    /** A key that the caller has given, possibly one of a token. It is returned for the same password if it has one. */
    private static final class GivenKey implements EntryKey {
        private static final int SALT_LENGTH = 16;
        private static final int ROUNDS = 10_000;
        private static final int BITS = 256;

        private final PrivateKey key;
        private final byte[] salt = new byte[SALT_LENGTH];
        /** Derived from the password, which is not kept; null for none. */
        private final byte[] check;

        GivenKey(PrivateKey key, char[] password) throws KeyStoreException {
            this.key = key;
            new SecureRandom().nextBytes(salt);
            try {
                check = password == null ? null : derived(password);
            } catch (GeneralSecurityException e) {
                throw new KeyStoreException("the password of a key: " + e.getMessage(), e);
            }
        }

        private byte[] derived(char[] password) throws GeneralSecurityException {
            PBEKeySpec given = new PBEKeySpec(password, salt, ROUNDS, BITS);
            try {
                return SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256").generateSecret(given).getEncoded();
            } finally {
                given.clearPassword();
            }
        }

        @Override
        public Key get(String alias, Certificate[] chain, char[] password) throws UnrecoverableKeyException {
            try {
                if (check == null || password != null && MessageDigest.isEqual(check, derived(password))) {
                    return key;
                }
            } catch (GeneralSecurityException e) {
                throw unrecoverable(alias, e);
            }
            throw new UnrecoverableKeyException("the key " + alias + ": the password is wrong");
        }
    }

    private static final class Entry {
        /** Null for a certificate alone. */
        private final EntryKey key;
        private final Certificate[] chain;
        private final long created = System.currentTimeMillis();

        Entry(EntryKey key, Certificate[] chain) {
            this.key = key;
            this.chain = chain;
        }

        boolean isKey() {
            return key != null;
        }
    }
}

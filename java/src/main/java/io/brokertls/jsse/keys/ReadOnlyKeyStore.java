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
import java.security.NoSuchAlgorithmException;
import java.security.UnrecoverableKeyException;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Collections;
import java.util.Date;
import java.util.Enumeration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** Read-only key stores over the native loader: PEM, and PKCS#12 and JKS with names of their own. */
public abstract class ReadOnlyKeyStore extends KeyStoreSpi {
    private static final int MOST_BYTES = 16 << 20;

    private final String type;
    private Map<String, Entry> entries = Map.of();
    private NativeStore store;
    private Date loaded = new Date();

    ReadOnlyKeyStore(String type) {
        this.type = type;
    }

    /** The type PEM. */
    public static final class Pem extends ReadOnlyKeyStore {
        /** Makes an empty store. */
        public Pem() {
            super("pem");
        }
    }

    /** The type BrokerTLS-PKCS12. */
    public static final class Pkcs12 extends ReadOnlyKeyStore {
        /** Makes an empty store. */
        public Pkcs12() {
            super("pkcs12");
        }
    }

    /** The type BrokerTLS-JKS. */
    public static final class Jks extends ReadOnlyKeyStore {
        /** Makes an empty store. */
        public Jks() {
            super("jks");
        }
    }

    @Override
    public void engineLoad(InputStream stream, char[] password)
            throws IOException, NoSuchAlgorithmException, CertificateException {
        NativeStore opened = null;
        Map<String, Entry> found = new LinkedHashMap<>();
        if (stream != null) {
            byte[] content = stream.readNBytes(MOST_BYTES + 1);
            byte[] secret = Passwords.utf8(password);
            try {
                opened = new NativeStore(content, type + " key store", type, secret);
                readEntries(opened, found);
            } catch (TlsFailure e) {
                throw unreadable(e);
            } finally {
                Passwords.wipe(content);
                Passwords.wipe(secret);
            }
        }
        store = opened;
        entries = found;
        loaded = new Date();
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
            found.put(named(aliases[i]), new Entry(i, opened.kind(i) == NativeStore.KEY, chain));
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
        if (entry == null || !entry.isKey) {
            return null;
        }
        byte[] secret = Passwords.utf8(password);
        byte[] pkcs8 = null;
        try {
            pkcs8 = store.key(entry.index, secret);
            String algorithm = entry.chain[0].getPublicKey().getAlgorithm();
            return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
        } catch (NoSuchAlgorithmException e) {
            throw e;
        } catch (GeneralSecurityException e) {
            UnrecoverableKeyException failure =
                    new UnrecoverableKeyException("the key " + alias + ": " + e.getMessage());
            failure.initCause(e);
            throw failure;
        } finally {
            Passwords.wipe(secret);
            Passwords.wipe(pkcs8);
        }
    }

    @Override
    public Certificate[] engineGetCertificateChain(String alias) {
        Entry entry = entries.get(named(alias));
        return entry == null || !entry.isKey ? null : entry.chain.clone();
    }

    @Override
    public Certificate engineGetCertificate(String alias) {
        Entry entry = entries.get(named(alias));
        return entry == null || entry.chain.length == 0 ? null : entry.chain[0];
    }

    @Override
    public Date engineGetCreationDate(String alias) {
        return entries.containsKey(named(alias)) ? new Date(loaded.getTime()) : null;
    }

    @Override
    public Enumeration<String> engineAliases() {
        return Collections.enumeration(entries.keySet());
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
        return entry != null && entry.isKey;
    }

    @Override
    public boolean engineIsCertificateEntry(String alias) {
        Entry entry = entries.get(named(alias));
        return entry != null && !entry.isKey;
    }

    @Override
    public String engineGetCertificateAlias(Certificate certificate) {
        for (Map.Entry<String, Entry> each : entries.entrySet()) {
            Certificate[] chain = each.getValue().chain;
            if (chain.length > 0 && chain[0].equals(certificate)) {
                return each.getKey();
            }
        }
        return null;
    }

    @Override
    public void engineSetKeyEntry(String alias, Key key, char[] password, Certificate[] chain)
            throws KeyStoreException {
        throw readOnly();
    }

    @Override
    public void engineSetKeyEntry(String alias, byte[] key, Certificate[] chain) throws KeyStoreException {
        throw readOnly();
    }

    @Override
    public void engineSetCertificateEntry(String alias, Certificate certificate) throws KeyStoreException {
        throw readOnly();
    }

    @Override
    public void engineDeleteEntry(String alias) throws KeyStoreException {
        throw readOnly();
    }

    @Override
    public void engineStore(OutputStream stream, char[] password) {
        throw new UnsupportedOperationException("BrokerTLS reads key stores and does not write them");
    }

    private static KeyStoreException readOnly() {
        return new KeyStoreException("BrokerTLS reads key stores and does not change them; use a PKCS12 KeyStore");
    }

    private static final class Entry {
        private final int index;
        private final boolean isKey;
        private final Certificate[] chain;

        Entry(int index, boolean isKey, Certificate[] chain) {
            this.index = index;
            this.isKey = isKey;
            this.chain = chain;
        }
    }
}

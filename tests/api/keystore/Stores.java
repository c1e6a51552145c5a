import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.security.KeyStore;

/**
 * Copies the first key of a PKCS#12 store into a store of another type, where the key gets another password. The sixth
 * argument is a store that has the chain for it.
 */
class Stores {
    public static void main(String[] arguments) throws Exception {
        String type = arguments[0];
        char[] storePassword = arguments[3].toCharArray();
        KeyStore from = opened(arguments[1], storePassword);
        KeyStore chains = arguments.length > 5 ? opened(arguments[5], storePassword) : from;
        KeyStore to = KeyStore.getInstance(type);
        to.load(null, null);
        String alias = from.aliases().nextElement();
        to.setKeyEntry(alias, from.getKey(alias, storePassword), arguments[4].toCharArray(),
                chains.getCertificateChain(chains.aliases().nextElement()));
        try (FileOutputStream out = new FileOutputStream(arguments[2])) {
            to.store(out, storePassword);
        }
    }

    private static KeyStore opened(String file, char[] password) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (FileInputStream in = new FileInputStream(file)) {
            store.load(in, password);
        }
        return store;
    }
}

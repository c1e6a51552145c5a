import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.security.KeyStore;

/** Copies the first key of a PKCS#12 store into a store of another type, where the key gets another password. */
class Stores {
    public static void main(String[] arguments) throws Exception {
        String type = arguments[0];
        char[] storePassword = arguments[3].toCharArray();
        KeyStore from = KeyStore.getInstance("PKCS12");
        try (FileInputStream in = new FileInputStream(arguments[1])) {
            from.load(in, storePassword);
        }
        KeyStore to = KeyStore.getInstance(type);
        to.load(null, null);
        String alias = from.aliases().nextElement();
        to.setKeyEntry(alias, from.getKey(alias, storePassword), arguments[4].toCharArray(), from.getCertificateChain(alias));
        try (FileOutputStream out = new FileOutputStream(arguments[2])) {
            to.store(out, storePassword);
        }
    }
}

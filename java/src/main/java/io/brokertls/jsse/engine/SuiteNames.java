package io.brokertls.jsse.engine;

/**
 * The names that JSSE has for cipher suites. They are those of the IANA registry, but for suites that Java took over
 * from SSL 3.0.
 */
final class SuiteNames {
    private SuiteNames() {}

    /** Returns the name in JSSE; null for null. */
    static String ofJava(String iana) {
        if (iana == null) {
            return null;
        }
        switch (iana) {
            case "TLS_RSA_WITH_3DES_EDE_CBC_SHA":
                return "SSL_RSA_WITH_3DES_EDE_CBC_SHA";
            case "TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA":
                return "SSL_DHE_RSA_WITH_3DES_EDE_CBC_SHA";
            default:
                return iana;
        }
    }

    /** Replaces each name by that in JSSE. Returns the same array. */
    static String[] ofJava(String[] iana) {
        for (int i = 0; i < iana.length; i++) {
            iana[i] = ofJava(iana[i]);
        }
        return iana;
    }
}

package io.brokertls.jetty;

import javax.net.ssl.SSLEngine;

/** Tells engines of this provider from others. */
final class Engines {
    private Engines() {
    }

    /** Returns true for an engine of a class of this provider, which is in none of the packages for users. */
    static boolean areOurs(SSLEngine engine) {
        return engine.getClass().getName().startsWith("io.brokertls.");
    }
}

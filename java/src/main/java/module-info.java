/** TLS for message brokers: a JSSE provider, and contexts of one's own. */
module io.brokertls {
    // For MBeans and events, if the run-time image has them.
    requires static java.management;
    requires static jdk.jfr;

    exports io.brokertls;

    // Annotations alone; the module is not needed at run time.
    requires static transitive org.jspecify;

    provides java.security.Provider with io.brokertls.BrokerTlsProvider;
}

/** TLS for message brokers: a JSSE provider, and contexts of one's own. */
module io.brokertls {
    // For MBeans and events, if the run-time image has them.
    requires static java.management;
    requires static jdk.jfr;

    exports io.brokertls;

    provides java.security.Provider with io.brokertls.BrokerTlsProvider;
}

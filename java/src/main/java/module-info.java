/** TLS for message brokers: a JSSE provider, and contexts of one's own. */
module io.brokertls {
    exports io.brokertls;

    provides java.security.Provider with io.brokertls.BrokerTlsProvider;
}

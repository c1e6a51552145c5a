package io.brokertls.kafka;

import io.brokertls.BrokerTlsProvider;
import java.security.Provider;
import org.apache.kafka.common.security.auth.SecurityProviderCreator;

/**
 * Makes the provider for {@code security.providers}, which inserts it before the providers of the JDK. {@code
 * ssl.provider=BrokerTLS} then uses it.
 */
public final class BrokerTlsProviderCreator implements SecurityProviderCreator {
    /** Made by Kafka. */
    public BrokerTlsProviderCreator() {
    }

    @Override
    public Provider getProvider() {
        return new BrokerTlsProvider();
    }
}

/** The {@code <sslContext>} of an ActiveMQ broker: {@link io.brokertls.activemq.BrokerTlsSslContext}. */
package io.brokertls.activemq;

/** The engine factory for Kafka's brokers and clients. */
package io.brokertls.kafka;

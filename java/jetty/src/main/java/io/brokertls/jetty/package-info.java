/** The negotiation of protocols by ALPN for Jetty. Jetty finds it by itself. */
package io.brokertls.jetty;

package io.brokertls;

import java.nio.ByteBuffer;
import java.security.Provider;
import java.util.Map;
import java.util.ServiceLoader;

import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;

import org.osgi.framework.Bundle;
import org.osgi.framework.launch.Framework;
import org.osgi.framework.launch.FrameworkFactory;

/** Program of {@link BundleTest}: starts the bundle in the first argument, and a handshake with its provider. */
final class BundleCase {
    private BundleCase() {
    }

    public static void main(String[] arguments) throws Exception {
        FrameworkFactory factory = ServiceLoader.load(FrameworkFactory.class).iterator().next();
        Framework framework = factory.newFramework(Map.of("org.osgi.framework.storage", arguments[1]));
        framework.start();
        Bundle bundle = framework.getBundleContext().installBundle("file:" + arguments[0]);
        bundle.start();
        System.out.println(bundle.getSymbolicName() + " active " + (bundle.getState() == Bundle.ACTIVE));
        Class<?> type = bundle.loadClass("io.brokertls.BrokerTlsProvider");
        System.out.println("own classes " + (type.getClassLoader() != BundleCase.class.getClassLoader()));
        SSLContext context = SSLContext.getInstance("TLSv1.3", (Provider) type.getConstructor().newInstance());
        context.init(null, null, null);
        SSLEngine engine = context.createSSLEngine("broker.example", 8883);
        engine.setUseClientMode(true);
        engine.beginHandshake();
        ByteBuffer hello = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
        System.out.println(engine.wrap(ByteBuffer.allocate(0), hello).getHandshakeStatus());
        framework.stop();
        framework.waitForStop(0);
    }
}

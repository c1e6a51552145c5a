package io.brokertls.stacks;

import static io.brokertls.stacks.Checks.check;
import static io.brokertls.stacks.Checks.equal;
import static io.brokertls.stacks.Checks.refused;

import io.brokertls.BrokerTlsProvider;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCalls;
import io.grpc.util.AdvancedTlsX509KeyManager;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import javax.net.ssl.SSLException;

/** gRPC over Netty: {@code sslContextProvider} of the contexts of both sides. */
public final class GrpcStack {
    private static final MethodDescriptor<String, String> ECHO = MethodDescriptor.<String, String>newBuilder()
            .setType(MethodDescriptor.MethodType.UNARY).setFullMethodName("stacks/echo")
            .setRequestMarshaller(new Text()).setResponseMarshaller(new Text()).build();
    private static final ApplicationProtocolConfig H2 = new ApplicationProtocolConfig(
            ApplicationProtocolConfig.Protocol.ALPN, ApplicationProtocolConfig.SelectorFailureBehavior.NO_ADVERTISE,
            ApplicationProtocolConfig.SelectedListenerFailureBehavior.ACCEPT, "h2");

    private GrpcStack() {
    }

    public static void main(String[] arguments) throws Exception {
        AdvancedTlsX509KeyManager keys = new AdvancedTlsX509KeyManager();
        int port = start(keys, "server");
        int other = start(new AdvancedTlsX509KeyManager(), "other");
        check("grpc carries a message", () -> equal("hello", call("ca", port)));
        refused("grpc refuses a server of a strange CA", "unable to find valid certification path",
                () -> call("strange-ca", port));
        refused("grpc refuses a server with another name", "No subject alternative DNS name matching localhost",
                () -> call("ca", other));
        RawClient.strangersAreRefused("grpc", port, new byte[] {'?'});
        refused("GrpcSslContexts refuses a provider that it does not know", "Unknown provider",
                () -> GrpcSslContexts.configure(SslContextBuilder.forClient(), new BrokerTlsProvider()));
        check("grpc shows a new certificate after an update of AdvancedTlsX509KeyManager", () -> {
            equal("CN=localhost", shownName(port));
            keys.updateIdentityCredentials(Pki.file("renewed.chain.pem").toFile(), Pki.file("renewed.key").toFile());
            equal("CN=localhost-renewed", shownName(port));
            equal("hello", call("ca", port));
        });
    }

    private static String shownName(int port) throws Exception {
        return RawClient.shownName(port, "h2");
    }

    private static SslContextBuilder common(SslContextBuilder builder, String trust) {
        return builder.sslProvider(SslProvider.JDK).sslContextProvider(new BrokerTlsProvider())
                .trustManager(Pki.file(trust + ".crt").toFile()).applicationProtocolConfig(H2);
    }

    private static int start(AdvancedTlsX509KeyManager keys, String name) throws Exception {
        keys.updateIdentityCredentials(Pki.file(name + ".chain.pem").toFile(), Pki.file(name + ".key").toFile());
        SslContextBuilder tls = SslContextBuilder.forServer(keys).clientAuth(ClientAuth.REQUIRE);
        ServerServiceDefinition service = ServerServiceDefinition.builder("stacks")
                .addMethod(ECHO, ServerCalls.asyncUnaryCall((request, observer) -> {
                    observer.onNext(request);
                    observer.onCompleted();
                })).build();
        Server server = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .sslContext(common(tls, "ca").build()).addService(service).build().start();
        return server.getPort();
    }

    private static String call(String trust, int port) throws SSLException {
        SslContextBuilder tls = SslContextBuilder.forClient().keyManager(Pki.file("client.chain.pem").toFile(),
                Pki.file("client.key").toFile());
        ManagedChannel channel = NettyChannelBuilder.forAddress("localhost", port)
                .sslContext(common(tls, trust).build()).build();
        try {
            return ClientCalls.blockingUnaryCall(channel, ECHO, CallOptions.DEFAULT, "hello");
        } finally {
            channel.shutdownNow();
        }
    }

    /** Texts as messages. */
    private static final class Text implements MethodDescriptor.Marshaller<String> {
        @Override
        public InputStream stream(String value) {
            return new ByteArrayInputStream(value.getBytes(StandardCharsets.UTF_8));
        }

        @Override
        public String parse(InputStream stream) {
            try {
                return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}

package io.brokertls.stacks;

import static io.brokertls.stacks.Checks.check;
import static io.brokertls.stacks.Checks.equal;
import static io.brokertls.stacks.Checks.refused;

import io.brokertls.BrokerTlsContext;
import io.brokertls.BrokerTlsProvider;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.IdentityCipherSuiteFilter;
import io.netty.handler.ssl.JdkSslContext;
import io.netty.handler.ssl.SniHandler;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import io.netty.util.DomainWildcardMappingBuilder;
import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** Netty: {@code sslContextProvider}, a context of the builder, ALPN and names. */
public final class NettyStack {
    private static final EventLoopGroup LOOPS = Loops.make();

    private NettyStack() {
    }

    public static void main(String[] arguments) throws Exception {
        provider();
        alpn();
        names();
        builder();
    }

    private static SslContextBuilder server(String name) {
        return SslContextBuilder.forServer(Pki.file(name + ".chain.pem").toFile(), Pki.file(name + ".key").toFile())
                .sslProvider(SslProvider.JDK).sslContextProvider(new BrokerTlsProvider())
                .trustManager(Pki.file("ca.crt").toFile()).clientAuth(ClientAuth.REQUIRE);
    }

    private static SslContextBuilder client(String name) {
        return SslContextBuilder.forClient()
                .sslProvider(SslProvider.JDK).sslContextProvider(new BrokerTlsProvider())
                .keyManager(Pki.file(name + ".chain.pem").toFile(), Pki.file(name + ".key").toFile())
                .trustManager(Pki.file("ca.crt").toFile());
    }

    private static void provider() throws Exception {
        SslContext server = server("server").build();
        Channel listener = listen(channel -> server.newHandler(channel.alloc()));
        int port = port(listener);
        for (String version : List.of("TLSv1.2", "TLSv1.3")) {
            SslContext client = client("client").protocols(version).build();
            check("netty with sslContextProvider carries a message over " + version,
                    () -> equal("hello", exchange(client, port, "localhost")));
        }
        SslContext other = server("other").build();
        Channel elsewhere = listen(channel -> other.newHandler(channel.alloc()));
        refused("netty's client refuses a server with another name", "No subject alternative DNS name matching localhost",
                () -> exchange(client("client").build(), port(elsewhere), "localhost"));
        SslContext strange = server("stranger").build();
        Channel stranger = listen(channel -> strange.newHandler(channel.alloc()));
        refused("netty's client refuses a server of a strange CA", "unable to find valid certification path",
                () -> exchange(client("client").build(), port(stranger), "localhost"));
        RawClient.strangersAreRefused("netty", port, new byte[] {'?'});
    }

    private static void alpn() throws Exception {
        ApplicationProtocolConfig both = protocols("h2", "mqtt");
        SslContext server = server("server").applicationProtocolConfig(both).build();
        Channel listener = listen(channel -> server.newHandler(channel.alloc()));
        SslContext client = client("client").applicationProtocolConfig(protocols("x", "mqtt")).build();
        check("netty negotiates a protocol by ALPN", () -> {
            Connection connection = connect(client, port(listener), "localhost");
            equal("mqtt", connection.handler.applicationProtocol());
            connection.channel.close().sync();
        });
        SslContext stranger = client("client").applicationProtocolConfig(protocols("x")).build();
        check("netty connects without a protocol that both have", () -> {
            Connection connection = connect(stranger, port(listener), "localhost");
            equal(true, connection.handler.applicationProtocol() == null);
            connection.channel.close().sync();
        });
    }

    private static ApplicationProtocolConfig protocols(String... names) {
        return new ApplicationProtocolConfig(ApplicationProtocolConfig.Protocol.ALPN,
                ApplicationProtocolConfig.SelectorFailureBehavior.NO_ADVERTISE,
                ApplicationProtocolConfig.SelectedListenerFailureBehavior.ACCEPT, names);
    }

    private static void names() throws Exception {
        SslContext common = server("server").build();
        SslContext other = server("other").build();
        SniHandler[] made = new SniHandler[1];
        Channel listener = listen(channel -> {
            made[0] = new SniHandler(new DomainWildcardMappingBuilder<>(common).add("other.example", other).build());
            return made[0];
        });
        for (String name : List.of("localhost", "other.example")) {
            check("netty's SniHandler shows the certificate for " + name, () -> {
                Connection connection = connect(client("client").build(), port(listener), name);
                X509Certificate shown = (X509Certificate) connection.handler.engine().getSession()
                        .getPeerCertificates()[0];
                equal("CN=" + name, shown.getSubjectX500Principal().getName());
                equal("hello", connection.exchange("hello"));
            });
        }
    }

    private static void builder() throws Exception {
        java.nio.file.Path store = Pki.copy("server.p12", "server.p12");
        BrokerTlsContext tls = BrokerTlsContext.builder().keyStore(store, Pki.PASSWORD.toCharArray())
                .trustStore(Pki.file("ca.p12"), Pki.PASSWORD.toCharArray()).build();
        SslContext server = new JdkSslContext(tls.sslContext(), false, null, IdentityCipherSuiteFilter.INSTANCE, null,
                ClientAuth.REQUIRE, null, false);
        Channel listener = listen(channel -> server.newHandler(channel.alloc()));
        int port = port(listener);
        check("netty with a context of the builder carries a message",
                () -> equal("hello", exchange(client("client").build(), port, "localhost")));
        RawClient.strangersAreRefused("netty with a context of the builder", port, new byte[] {'?'});
        check("netty with a context of the builder shows a new certificate after reload()", () -> {
            equal("CN=localhost", RawClient.shownName(port));
            Pki.replace(store, "renewed.p12");
            tls.reload();
            equal("CN=localhost-renewed", RawClient.shownName(port));
        });
    }

    private static int port(Channel listener) {
        return ((java.net.InetSocketAddress) listener.localAddress()).getPort();
    }

    private static Channel listen(Function<Channel, io.netty.channel.ChannelHandler> tls) throws InterruptedException {
        return new ServerBootstrap().group(LOOPS).channel(NioServerSocketChannel.class)
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline().addLast(tls.apply(channel), new Echo());
                    }
                }).bind("localhost", 0).sync().channel();
    }

    private static String exchange(SslContext context, int port, String name) throws Exception {
        return connect(context, port, name).exchange("hello");
    }

    private static Connection connect(SslContext context, int port, String name) throws Exception {
        Connection connection = new Connection();
        connection.channel = new Bootstrap().group(LOOPS).channel(NioSocketChannel.class)
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        connection.handler = context.newHandler(channel.alloc(), name, port);
                        javax.net.ssl.SSLParameters parameters = connection.handler.engine().getSSLParameters();
                        parameters.setEndpointIdentificationAlgorithm("HTTPS");
                        connection.handler.engine().setSSLParameters(parameters);
                        channel.pipeline().addLast(connection.handler, connection);
                    }
                }).connect("localhost", port).sync().channel();
        connection.handler.handshakeFuture().get();
        return connection;
    }

    /** The client's end. */
    private static final class Connection extends SimpleChannelInboundHandler<ByteBuf> {
        private final BlockingQueue<Object> received = new LinkedBlockingQueue<>();
        private Channel channel;
        private SslHandler handler;

        String exchange(String message) throws Exception {
            channel.writeAndFlush(Unpooled.copiedBuffer(message, StandardCharsets.UTF_8)).sync();
            Object answer = received.poll(60, TimeUnit.SECONDS);
            if (answer instanceof Exception) {
                throw (Exception) answer;
            }
            channel.close().sync();
            return (String) answer;
        }

        @Override
        protected void channelRead0(ChannelHandlerContext context, ByteBuf message) {
            received.add(message.toString(StandardCharsets.UTF_8));
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            received.add(cause);
        }
    }

    /** The server's end. */
    private static final class Echo extends SimpleChannelInboundHandler<ByteBuf> {
        @Override
        protected void channelRead0(ChannelHandlerContext context, ByteBuf message) {
            context.writeAndFlush(message.retain());
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            context.close();
        }
    }
}

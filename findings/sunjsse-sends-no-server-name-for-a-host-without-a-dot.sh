#!/usr/bin/env bash
# A client of SunJSSE sends no server name to a host whose name has no dot, such as localhost or a container's.
#
# Seen with OpenJDK 17.0.21.1 of Debian 12 (package openjdk-17-jdk-headless), installed from there if javac is not on
# the path. Exits with 2 at another version than 17. The ClientHello of an engine, made with each name and port 8883:
#   broker            no server name
#   localhost         no server name
#   broker.test       broker.test
# RFC 6066 asks for the name of the server, and excludes literal addresses alone; curl sends a name without a dot. So a
# server that chooses its certificate by name shows such a client its default one, and a test over localhost shows
# nothing about that choice. A name that the host sets (SSLParameters.setServerNames) is sent:
#   localhost, set    localhost
# Exits with 0 while this is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
command -v javac > /dev/null || apt-get install -y -q openjdk-17-jdk-headless > /dev/null
version=$(java --version)
echo "${version%%$'\n'*}"
if ! [[ $version =~ ^openjdk\ 17[.\ ] ]]; then
    echo "another version than stated: this is about OpenJDK 17" >&2
    exit 2
fi
cat > "$folder/Names.java" << 'JAVA'
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;

public class Names {
    private static final int SERVER_NAME = 0;

    public static void main(String[] arguments) throws Exception {
        SSLContext context = SSLContext.getInstance("TLS", "SunJSSE");
        context.init(null, null, null);
        for (String host : List.of("broker", "localhost", "broker.test")) {
            System.out.println(host + ": " + sent(context.createSSLEngine(host, 8883)));
        }
        SSLEngine named = context.createSSLEngine("localhost", 8883);
        SSLParameters parameters = named.getSSLParameters();
        parameters.setServerNames(List.of(new SNIHostName("localhost")));
        named.setSSLParameters(parameters);
        System.out.println("localhost, set: " + sent(named));
    }

    /** Reads the server name in the engine's ClientHello. */
    private static String sent(SSLEngine engine) throws Exception {
        engine.setUseClientMode(true);
        ByteBuffer hello = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
        engine.wrap(ByteBuffer.allocate(0), hello);
        hello.flip();
        // Record header, message header, version and random.
        hello.position(5 + 4 + 2 + 32);
        hello.position(hello.position() + 1 + Byte.toUnsignedInt(hello.get(hello.position())));
        hello.position(hello.position() + 2 + Short.toUnsignedInt(hello.getShort(hello.position())));
        hello.position(hello.position() + 1 + Byte.toUnsignedInt(hello.get(hello.position())));
        hello.getShort();
        while (hello.hasRemaining()) {
            int type = Short.toUnsignedInt(hello.getShort());
            byte[] content = new byte[Short.toUnsignedInt(hello.getShort())];
            hello.get(content);
            if (type == SERVER_NAME) {
                return new String(content, 5, content.length - 5, StandardCharsets.US_ASCII);
            }
        }
        return "no server name";
    }
}
JAVA
javac -d "$folder" "$folder/Names.java"
seen=$(java -cp "$folder" Names)
echo "$seen"
[[ $seen == 'broker: no server name
localhost: no server name
broker.test: broker.test
localhost, set: localhost' ]]

package io.brokertls.stacks;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Chromium without a window, which runs mqtt.js in a page. */
final class Browser {
    private static final Path FILES = Path.of("browser");
    /** Chromium reads policies from this folder alone. */
    private static final Path POLICIES = Path.of("/etc/chromium/policies/managed");

    private Browser() {
    }

    /** The result of a run, and its log. */
    static final class Outcome {
        private final String result;
        private final String log;

        Outcome(String result, String log) {
            this.result = result;
            this.log = log;
        }

        /** Returns what the page has reported. */
        String result() {
            return result;
        }

        /** Throws unless the browser's own log has a connection with a version and a group, and no other. */
        void negotiated(String version, int group) {
            List<String> versions = found("\"version\":\"([^\"]*)\"");
            List<String> groups = found("\"key_exchange_group\":\"?([0-9]+)\"?");
            Checks.equal(List.of(version), versions);
            Checks.equal(List.of(Integer.toString(group)), groups);
        }

        /** Throws unless the browser's own log has a net error. */
        void failed(int error) {
            Checks.equal(true, log.contains("\"net_error\":" + error));
        }

        private List<String> found(String pattern) {
            List<String> values = new ArrayList<>();
            for (Matcher m = Pattern.compile("\"cipher_suite\"[^}]*").matcher(log); m.find();) {
                Matcher value = Pattern.compile(pattern).matcher(m.group());
                if (value.find() && !values.contains(value.group(1))) {
                    values.add(value.group(1));
                }
            }
            return values;
        }
    }

    /**
     * Opens the page with an address for MQTT over WebSocket.
     *
     * @param address {@code wss://localhost:PORT}
     * @param key the name of the client certificate, or null for none
     */
    static Outcome open(String address, String key) throws IOException, InterruptedException {
        BlockingQueue<String> results = new LinkedBlockingQueue<>();
        HttpServer pages = serve(results);
        Path home = home(key);
        Path policy = POLICIES.resolve("brokertls-" + ProcessHandle.current().pid() + ".json");
        Process browser = null;
        try {
            Files.createDirectories(POLICIES);
            Files.writeString(policy, "{\"AutoSelectCertificateForUrls\":"
                    + "[\"{\\\"pattern\\\":\\\"https://localhost\\\",\\\"filter\\\":{}}\"]}");
            browser = start(home, "http://127.0.0.1:" + pages.getAddress().getPort() + "/?url=" + address + "&visit="
                    + address.replace("wss:", "https:"));
            String result = results.poll(60, TimeUnit.SECONDS);
            browser.destroy();
            browser.waitFor(20, TimeUnit.SECONDS);
            return new Outcome(String.valueOf(result), Files.readString(home.resolve("net.json")));
        } finally {
            if (browser != null) {
                browser.descendants().forEach(ProcessHandle::destroyForcibly);
                browser.destroyForcibly();
            }
            Files.deleteIfExists(policy);
            pages.stop(0);
        }
    }

    private static Process start(Path home, String page) throws IOException {
        ProcessBuilder builder = new ProcessBuilder("chromium", "--headless=new", "--no-sandbox", "--disable-gpu",
                "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
                "--user-data-dir=" + home.resolve("profile"), "--log-net-log=" + home.resolve("net.json"), page);
        builder.environment().put("HOME", home.toString());
        return builder.redirectErrorStream(true).redirectOutput(home.resolve("output").toFile()).start();
    }

    /** Makes a folder with the database of certificates that the browser reads. */
    private static Path home(String key) throws IOException, InterruptedException {
        Path home = Files.createTempDirectory("browser");
        String database = "sql:" + Files.createDirectories(home.resolve(".pki/nssdb"));
        run("certutil", "-d", database, "-N", "--empty-password");
        run("certutil", "-d", database, "-A", "-n", "ca", "-t", "C,,", "-i", Pki.path("ca.crt"));
        if (key != null) {
            run("pk12util", "-d", database, "-i", Pki.path(key + ".p12"), "-W", Pki.PASSWORD);
        }
        return home;
    }

    private static void run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException(command[0] + ": " + output);
        }
    }

    private static HttpServer serve(BlockingQueue<String> results) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0), 0);
        server.createContext("/", exchange -> answer(exchange, "text/html", FILES.resolve("page.html")));
        server.createContext("/mqtt.js", exchange -> answer(exchange, "text/javascript",
                FILES.resolve("node_modules/mqtt/dist/mqtt.min.js")));
        server.createContext("/result", exchange -> {
            results.add(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
            exchange.sendResponseHeaders(204, -1);
            exchange.close();
        });
        server.start();
        return server;
    }

    private static void answer(HttpExchange exchange, String type, Path file) throws IOException {
        byte[] content = Files.readAllBytes(file);
        exchange.getResponseHeaders().set("Content-Type", type + "; charset=utf-8");
        exchange.sendResponseHeaders(200, content.length);
        exchange.getResponseBody().write(content);
        exchange.close();
    }
}

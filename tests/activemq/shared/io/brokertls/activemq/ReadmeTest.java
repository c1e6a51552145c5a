package io.brokertls.activemq;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.BrokerTlsContextBuilder;
import java.io.StringWriter;
import java.lang.reflect.Method;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.net.ssl.SSLSocket;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.apache.activemq.broker.BrokerService;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The pages that a user reads first: their code compiles and runs, and their tables are complete. */
public class ReadmeTest {
    /** Receives the port of the code that is run. */
    public static final CompletableFuture<Integer> PORT = new CompletableFuture<>();

    private static final Path ROOT = Path.of(System.getProperty("project.root"));
    private static final Pattern JAVA = Pattern.compile("^ *```java\n(.*?)^ *```$", Pattern.MULTILINE | Pattern.DOTALL);

    private static final int LIMIT_S = 30;

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"README.md", "java/README.md"})
    void javaOfThePageCompiles(String page) throws Exception {
        List<String> blocks = blocks(Files.readString(ROOT.resolve(page)));
        assertTrue(!blocks.isEmpty(), "no Java code in " + page);
        for (String block : blocks) {
            assertEquals("", problems(block), block);
        }
    }

    /** Only the port differs from the page: the system chooses it. */
    @Test
    void quickStartEchoesToAClient() throws Exception {
        Files.copy(Path.of(Stores.ours().path("broker.ks")), folder.resolve("broker.ks"));
        String page = Files.readString(ROOT.resolve("java/README.md"));
        String listen = ".createServerSocket(8883);";
        String block = blocks(page.substring(page.indexOf("\n## Quick start\n"))).get(0);
        assertTrue(block.contains(listen), block);
        block = block.replace("Path.of(\"", "Path.of(\"" + folder + "/").replace(listen,
                ".createServerSocket(0); io.brokertls.activemq.ReadmeTest.PORT.complete(listener.getLocalPort());");
        assertEquals("", compile(block, folder));
        try (URLClassLoader loader = new URLClassLoader(new URL[] {folder.toUri().toURL()})) {
            Method run = loader.loadClass("Page").getMethod("run", char[].class, BrokerService.class);
            CompletableFuture<Object> server = CompletableFuture.supplyAsync(() -> {
                try {
                    return run.invoke(null, Stores.PASSWORD.toCharArray(), null);
                } catch (ReflectiveOperationException e) {
                    throw new CompletionException(e.getCause());
                }
            });
            int port = PORT.get(LIMIT_S, TimeUnit.SECONDS);
            try (SSLSocket client = Sockets.connect(Stores.ours().clientContext(Tls.JDK, false), port)) {
                byte[] line = {1, 2, 3};
                client.getOutputStream().write(line);
                assertArrayEquals(line, client.getInputStream().readNBytes(line.length));
            }
            server.get(LIMIT_S, TimeUnit.SECONDS);
        }
    }

    @Test
    void tableHasEveryPropertyOfSpringSslContext() throws Exception {
        String page = Files.readString(ROOT.resolve("java/README.md"));
        String table = page.substring(page.indexOf("| `SpringSslContext` |"));
        List<String> missing = Stream.of(Class.forName("org.apache.activemq.spring.SpringSslContext").getMethods())
                .filter(method -> method.getName().startsWith("set") && method.getParameterCount() == 1
                        && method.getParameterTypes()[0] == String.class)
                .map(method -> Character.toLowerCase(method.getName().charAt(3)) + method.getName().substring(4))
                .filter(property -> !table.contains("`" + property + "`"))
                .collect(Collectors.toList());
        assertEquals(List.of(), missing);
    }

    /** Each property of the JDK has a row, and each row names existing options. */
    @Test
    void tableOfRevocationHasEveryPropertyOfTheJdkAndOnlyOptionsThatThereAre() throws Exception {
        String page = Files.readString(ROOT.resolve("java/README.md"));
        String section = page.substring(page.indexOf("\n## Revocation\n"));
        section = section.substring(0, section.indexOf("\n## ", 1));
        for (String property : List.of("crlPath", "ocsp.enable", "ocsp.responderURL", "com.sun.security.enableCRLDP",
                "com.sun.net.ssl.checkRevocation")) {
            assertTrue(section.contains("\n| `" + property + "`"), property);
        }
        Matcher named = Pattern.compile("option\\(\"([^\"]+)\"").matcher(section);
        List<String> unknown = named.results().map(found -> found.group(1))
                .filter(option -> !BrokerTlsContextBuilder.optionNames().contains(option)).collect(Collectors.toList());
        assertEquals(List.of(), unknown);
    }

    static List<String> blocks(String page) {
        List<String> blocks = new ArrayList<>();
        Matcher matcher = JAVA.matcher(page);
        while (matcher.find()) {
            blocks.add(matcher.group(1));
        }
        return blocks;
    }

    /** Returns the messages of the compiler for a block as the body of a method. */
    private String problems(String block) {
        return compile(block, folder);
    }

    /**
     * Compiles a block as {@code Page.run(char[] password, BrokerService broker)}. Returns the messages of the
     * compiler.
     */
    static String compile(String block, Path folder) {
        String source = "import io.brokertls.*; import java.net.*; import java.nio.file.Path;"
                + "import java.security.Security; import javax.net.ssl.*; import org.apache.activemq.broker.*;\n"
                + "public class Page {"
                + " public static void run(char[] password, BrokerService broker) throws Exception {\n"
                + block + "}}\n";
        JavaFileObject file = new SimpleJavaFileObject(URI.create("string:///Page.java"), JavaFileObject.Kind.SOURCE) {
            @Override
            public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                return source;
            }
        };
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter messages = new StringWriter();
        String classPath = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        boolean isCompiled = compiler.getTask(messages, null, null,
                List.of("-d", folder.toString(), "-classpath", classPath, "-proc:none"), null, List.of(file)).call();
        return isCompiled ? "" : messages + " ";
    }
}

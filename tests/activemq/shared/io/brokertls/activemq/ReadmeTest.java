package io.brokertls.activemq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.BrokerTlsContextBuilder;
import java.io.StringWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The pages that a user reads first: their code compiles, and their tables leave nothing of SpringSslContext's out. */
class ReadmeTest {
    private static final Path ROOT = Path.of(System.getProperty("project.root"));
    private static final Pattern JAVA = Pattern.compile("^ *```java\n(.*?)^ *```$", Pattern.MULTILINE | Pattern.DOTALL);

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

    /** Whoever comes with one of these finds what to say here, and it is something that can be said. */
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

    /** What the compiler says of {@code block} as the body of a method that has what its text speaks of. */
    private String problems(String block) {
        return compile(block, folder);
    }

    /** Compiles {@code block} as {@code Page.run(char[] password, BrokerService broker)}; what the compiler says. */
    static String compile(String block, Path folder) {
        String source = "import io.brokertls.*; import java.nio.file.Path; import java.security.Security;"
                + "import javax.net.ssl.SSLContext; import org.apache.activemq.broker.*;\n"
                + "public class Page {"
                + " public static void run(char[] password, BrokerService broker) throws Exception {\n" + block + "}}\n";
        JavaFileObject file = new SimpleJavaFileObject(URI.create("string:///Page.java"), JavaFileObject.Kind.SOURCE) {
            @Override
            public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                return source;
            }
        };
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter said = new StringWriter();
        String classPath = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        boolean isCompiled = compiler.getTask(said, null, null,
                List.of("-d", folder.toString(), "-classpath", classPath, "-proc:none"), null, List.of(file)).call();
        return isCompiled ? "" : said + " ";
    }
}

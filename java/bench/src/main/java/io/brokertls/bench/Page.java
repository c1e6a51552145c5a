package io.brokertls.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/** The table and the plot in a page of the manual, between two marks, as `make bench-page` writes those of C. */
final class Page {
    private static final String COMMAND = "make bench-java-page";
    private static final String START = "<!-- tables of " + COMMAND + " -->\n";
    private static final String END = "<!-- end of the tables of " + COMMAND + " -->";

    private Page() {
    }

    /** Rewrites what is between the marks, and the plot in the folder beside the page, which has the page's name. */
    static void write(Path page, Table table) throws IOException {
        String text = new String(Files.readAllBytes(page), StandardCharsets.UTF_8);
        int start = text.indexOf(START);
        int end = text.indexOf(END);
        if (start < 0 || end < start) {
            throw new IOException(page + " lacks the marks of " + COMMAND);
        }
        String name = page.getFileName().toString().replaceFirst("\\.md$", "");
        Path folder = Files.createDirectories(page.resolveSibling(name));
        Files.write(folder.resolve("java.svg"), new Plot(table).text().getBytes(StandardCharsets.UTF_8));
        // An image by a link of Markdown would be a link between pages for rustdoc.
        String made = "\n- Measured by `" + COMMAND + "`\n- Machine: " + machine() + "\n\n<img src=\"" + name
                + "/java.svg\" alt=\"The speed of the JSSE provider divided by that of others\">\n\n" + table.text()
                + "\n";
        String changed = text.substring(0, start + START.length()) + made + text.substring(end);
        Files.write(page, changed.getBytes(StandardCharsets.UTF_8));
    }

    private static String machine() throws IOException {
        List<String> models = Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
                .filter(line -> line.startsWith("model name")).map(line -> line.substring(line.indexOf(": ") + 2))
                .collect(Collectors.toList());
        return models.size() + " cores of " + (models.isEmpty() ? "an unknown processor" : models.get(0)) + ", Linux "
                + System.getProperty("os.version");
    }
}

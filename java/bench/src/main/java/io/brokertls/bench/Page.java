package io.brokertls.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/** A page of the manual with the figures of a command between two marks, as `make bench-page` writes those of C. */
final class Page {
    private final Path page;
    private final String command;

    Page(Path page, String command) {
        this.page = page;
        this.command = command;
    }

    /** Returns the name of the page, which is that of its folder of plots too. */
    String name() {
        return page.getFileName().toString().replaceFirst("\\.md$", "");
    }

    /** Writes a plot into the folder beside the page. */
    void plot(String file, String text) throws IOException {
        Path folder = Files.createDirectories(page.resolveSibling(name()));
        Files.write(folder.resolve(file), text.getBytes(StandardCharsets.UTF_8));
    }

    /** Rewrites what is between the marks: the command, the machine, and this text. */
    void write(String figures) throws IOException {
        String text = new String(Files.readAllBytes(page), StandardCharsets.UTF_8);
        String mark = "<!-- tables of " + command + " -->\n";
        int start = text.indexOf(mark);
        int end = text.indexOf("<!-- end of the tables of " + command + " -->");
        if (start < 0 || end < start) {
            throw new IOException(page + " lacks the marks of " + command);
        }
        String made = "\n- Measured by `" + command + "`\n- Machine: " + machine() + "\n" + figures + "\n";
        String changed = text.substring(0, start + mark.length()) + made + text.substring(end);
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

package io.brokertls.bench;

import java.util.List;
import java.util.Locale;

/** The ratios of {@link Table} as a picture: a bar for each row and other implementation, and a line at 1. */
final class Plot {
    private static final int NAME_WIDTH = 270;
    private static final int BAR_HEIGHT = 12;
    private static final int GAP = 10;
    private static final int TOP = 54;
    private static final int LEGEND_WIDTH = 190;
    /** The width of one times the speed. Longer bars than {@link #RATIO_MAX} are cut, and say their ratio. */
    private static final int UNIT = 110;
    private static final double RATIO_MAX = 5;
    private static final String[] COLORS = {"#4477aa", "#66ccee", "#228833", "#ccbb44", "#ee6677", "#aa3377"};

    private final Table table;
    private final StringBuilder text = new StringBuilder();

    Plot(Table table) {
        this.table = table;
    }

    /** Returns the SVG. */
    String text() {
        List<Contender> others = table.others();
        int rowHeight = others.size() * BAR_HEIGHT + GAP;
        int height = TOP + table.rows().size() * rowHeight + GAP;
        int width = NAME_WIDTH + (int) (UNIT * RATIO_MAX) + 60;
        text.append(String.format(Locale.ROOT, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%1$d\" "
                + "height=\"%2$d\" viewBox=\"0 0 %1$d %2$d\" font-family=\"sans-serif\" font-size=\"11\">%n",
                width, height));
        text.append("<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n");
        label(GAP, 16, "The speed of brokertls divided by that of the other on the same Java, server side");
        for (int i = 0; i < others.size(); i++) {
            bar(GAP + i * LEGEND_WIDTH, 26, BAR_HEIGHT, COLORS[i % COLORS.length]);
            label(GAP + i * LEGEND_WIDTH + BAR_HEIGHT + 4, 35, others.get(i).title());
        }
        int y = TOP;
        for (Row row : table.rows()) {
            label(GAP, y + rowHeight / 2, row.title());
            for (int i = 0; i < others.size(); i++) {
                ratio(y + i * BAR_HEIGHT, table.ratio(row, others.get(i)), COLORS[i % COLORS.length]);
            }
            y += rowHeight;
        }
        text.append(String.format(Locale.ROOT,
                "<line x1=\"%1$d\" x2=\"%1$d\" y1=\"%2$d\" y2=\"%3$d\" stroke=\"black\"/>%n</svg>%n",
                NAME_WIDTH + UNIT, TOP - 4, height - GAP));
        return text.toString();
    }

    private void ratio(int y, double ratio, String color) {
        if (Double.isNaN(ratio)) {
            return;
        }
        int width = (int) (UNIT * Math.min(ratio, RATIO_MAX));
        bar(NAME_WIDTH, y, width, color);
        label(NAME_WIDTH + width + 4, y + BAR_HEIGHT, String.format(Locale.ROOT, "%.2f", ratio));
    }

    private void bar(int x, int y, int width, String color) {
        text.append(String.format(Locale.ROOT, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\"/>%n",
                x, y, width, BAR_HEIGHT - 1, color));
    }

    private void label(int x, int y, String words) {
        text.append(String.format(Locale.ROOT, "<text x=\"%d\" y=\"%d\">%s</text>%n", x, y,
                words.replace("&", "&amp;").replace("<", "&lt;")));
    }
}

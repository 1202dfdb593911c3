package dev.lakemill.server;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Prints a statement's rows for people, as CSV or as JSON, a row a line. */
enum SqlTable {
    TABLE {
        @Override
        void print(SqlClient.Answer answer, PrintWriter out) {
            var widths = widths(answer);
            line(out, answer.columns(), widths);
            var rule = new StringBuilder();
            for (int width : widths) {
                rule.append(rule.isEmpty() ? "" : "-+-").append("-".repeat(width));
            }
            out.println(rule);
            answer.rows().forEach(row -> line(out, row, widths));
            out.printf(
                    "(%d %s%s)%n",
                    answer.rows().size(),
                    answer.rows().size() == 1 ? "row" : "rows",
                    answer.cut() ? ", and there are more" : "");
        }
    },
    CSV {
        @Override
        void print(SqlClient.Answer answer, PrintWriter out) {
            out.println(csv(answer.columns()));
            answer.rows().forEach(row -> out.println(csv(row)));
        }
    },
    JSON {
        @Override
        void print(SqlClient.Answer answer, PrintWriter out) {
            for (var row : answer.rows()) {
                var values = new LinkedHashMap<String, @Nullable String>();
                for (int i = 0; i < row.size(); i++) {
                    values.put(answer.columns().get(i), row.get(i));
                }
                out.println(json(values));
            }
        }
    };

    private static final int WIDTH_MAX = 60;
    private static final ObjectMapper MAPPER = new ObjectMapper();

    abstract void print(SqlClient.Answer answer, PrintWriter out);

    private static int[] widths(SqlClient.Answer answer) {
        var widths = answer.columns().stream().mapToInt(String::length).toArray();
        for (var row : answer.rows()) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.clamp(shown(row.get(i)).length(), widths[i], WIDTH_MAX);
            }
        }
        return widths;
    }

    private static void line(PrintWriter out, List<? extends @Nullable String> row, int[] widths) {
        var line = new StringBuilder();
        for (int i = 0; i < widths.length; i++) {
            var text = shown(row.get(i));
            line.append(line.isEmpty() ? "" : " | ")
                    .append(text)
                    .append(" ".repeat(Math.max(0, widths[i] - text.length())));
        }
        out.println(line.toString().stripTrailing());
    }

    private static String shown(@Nullable String value) {
        return value == null ? "NULL" : value.replace("\n", "\\n");
    }

    /** By RFC 4180; NULL is empty, and the empty text is in quotes. */
    private static String csv(List<? extends @Nullable String> row) {
        var line = new StringBuilder();
        for (int i = 0; i < row.size(); i++) {
            var value = row.get(i);
            line.append(i == 0 ? "" : ",");
            if (value != null) {
                var plain =
                        !value.isEmpty() && value.chars().noneMatch(c -> "\",\r\n".indexOf(c) >= 0);
                line.append(plain ? value : "\"" + value.replace("\"", "\"\"") + "\"");
            }
        }
        return line.toString();
    }

    private static String json(Object value) {
        try {
            return MAPPER.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}

package dev.lakemill.plan;

import java.util.List;

/** The functions of a row's place in its window that a plan may hold. */
public enum WindowFunction {
    ROW_NUMBER("row_number"),
    RANK("rank"),
    DENSE_RANK("dense_rank"),
    PERCENT_RANK("percent_rank"),
    CUME_DIST("cume_dist"),
    NTILE("ntile"),
    LAG("lag"),
    LEAD("lead"),
    FIRST_VALUE("first_value", "first"),
    LAST_VALUE("last_value", "last"),
    NTH_VALUE("nth_value");

    @SuppressWarnings("ImmutableEnumChecker") // List.of gives an immutable list
    private final List<String> forms;

    WindowFunction(String... forms) {
        this.forms = List.of(forms);
    }

    /** How it is written in SQL. */
    public List<String> forms() {
        return forms;
    }
}

package dev.lakemill.pipeline;

import dev.lakemill.plan.OnViolation;
import dev.lakemill.types.TableName;
import java.util.ArrayList;
import java.util.List;

/** Programs written by hand. */
final class TestPrograms {
    private final List<Step> steps = new ArrayList<>();

    static TestPrograms program() {
        return new TestPrograms();
    }

    TestPrograms source(String name, String columns) {
        steps.add(new Step.Source(TableName.parse(name), TestRows.schema(columns), ""));
        return this;
    }

    TestPrograms stream(String name, String columns, String query, Rule... rules) {
        steps.add(
                new Step.Stream(
                        TableName.parse(name),
                        TestRows.schema(columns),
                        "",
                        new TestQuery(query),
                        List.of(rules)));
        return this;
    }

    TestPrograms view(String name, String columns, String query, Rule... rules) {
        steps.add(
                new Step.View(
                        TableName.parse(name),
                        TestRows.schema(columns),
                        "",
                        new TestQuery(query),
                        List.of(rules)));
        return this;
    }

    Program build() {
        return build("hash");
    }

    Program build(String planHash) {
        return new Program("test", planHash, steps);
    }

    static Rule condition(String name, String sql, OnViolation onViolation) {
        return new Rule(
                name,
                onViolation,
                "%s EXPECT (%s) at test.sql:1:1".formatted(name, sql),
                new Rule.Test.Condition(now -> sql.replace("{now}", now)));
    }

    static Rule unique(String name, OnViolation onViolation, String... columns) {
        return new Rule(
                name,
                onViolation,
                "%s EXPECT UNIQUE (%s) at test.sql:1:1".formatted(name, String.join(", ", columns)),
                new Rule.Test.Unique(List.of(columns)));
    }
}

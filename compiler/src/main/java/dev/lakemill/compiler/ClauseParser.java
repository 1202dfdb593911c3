package dev.lakemill.compiler;

import dev.lakemill.compiler.Statement.Clauses;
import dev.lakemill.compiler.Statement.Layout;
import dev.lakemill.compiler.Statement.Word;
import dev.lakemill.plan.RefreshPolicy;
import dev.lakemill.plan.SourcePosition;
import dev.lakemill.plan.TableOptions;
import dev.lakemill.plan.TextRefused;
import dev.lakemill.plan.TokenReader;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads the clauses between a dataset's columns and its query, in any order. */
final class ClauseParser {
    private static final Map<String, String> LEFT_OUT =
            Map.of(
                    "LOCATION",
                    "the catalog says where a table stands: leave the clause out",
                    "WITH",
                    "set row filters with ALTER TABLE … SET ROW FILTER",
                    "SCHEDULE",
                    "a pipeline runs as rows come: leave the clause out",
                    "TRIGGER",
                    "a pipeline runs as rows come; TBLPROPERTIES ('pipelines.trigger.interval' ="
                            + " '1 second') has a view refreshed less often");

    private final TokenReader in;
    private String comment = "";
    private final Map<String, String> properties = new LinkedHashMap<>();
    private Optional<RefreshPolicy> policy = Optional.empty();
    private List<Word> partitionedBy = List.of();
    private List<Word> clusteredBy = List.of();

    /** Where the trigger interval stands. */
    private Optional<SourcePosition> intervalAt = Optional.empty();

    ClauseParser(TokenReader in) {
        this.in = in;
    }

    /** Of CREATE TABLE. */
    Clauses ofTable() {
        while (!isEnd()) {
            if (!usual() && !using()) {
                throw unexpected();
            }
        }
        refuseInterval();
        return clauses(false);
    }

    /** Of CREATE TEMPORARY VIEW. */
    void ofView() {
        while (!isEnd()) {
            if (!usual()) {
                throw unexpected();
            }
        }
        refuseInterval();
    }

    /** Of a streaming table or a materialized view. */
    Clauses ofDataset(boolean streaming, boolean isPrivate) {
        while (!isEnd()) {
            if (!streaming && in.accept("REFRESH", "POLICY")) {
                policy = Optional.of(policy());
            } else if (!usual() && !using() && !layout()) {
                throw unexpected();
            }
        }
        if (streaming) {
            refuseInterval();
        }
        return clauses(isPrivate);
    }

    private void refuseInterval() {
        if (intervalAt.isPresent()) {
            throw new TextRefused(
                    intervalAt.get(),
                    TableOptions.TRIGGER_INTERVAL + " stands on materialized views",
                    "rows of tables go on as they come: leave it out");
        }
    }

    private Clauses clauses(boolean isPrivate) {
        return new Clauses(
                comment,
                isPrivate,
                properties,
                policy.orElse(RefreshPolicy.AUTO),
                new Layout(partitionedBy, clusteredBy));
    }

    private boolean isEnd() {
        return in.atEnd()
                || in.peek().isWord("AS")
                || in.peek().isWord("FLOW")
                || in.peek().isSign(';');
    }

    private boolean usual() {
        if (in.accept("COMMENT")) {
            comment = in.string("the comment");
            return true;
        }
        if (in.accept("TBLPROPERTIES")) {
            in.list("list properties: ('key' = 'value', …)", this::property);
            return true;
        }
        return false;
    }

    private boolean using() {
        if (!in.accept("USING")) {
            return false;
        }
        in.expect("every table is a Delta table: leave USING out", "DELTA");
        return true;
    }

    private boolean layout() {
        var isPartition = in.peek().isWord("PARTITIONED");
        if (!isPartition && !in.peek().isWord("CLUSTER")) {
            return false;
        }
        if (!partitionedBy.isEmpty() || !clusteredBy.isEmpty()) {
            throw in.unexpected("AS", "a table is partitioned or clustered, once");
        }
        in.next();
        in.expect("write the columns: BY (a, b)", "BY");
        if (isPartition) {
            partitionedBy =
                    in.list(
                            "list columns of the table: PARTITIONED BY (a, b); to partition by a"
                                    + " value that is computed, make it a column",
                            () -> StatementParser.word(in));
        } else if (!in.accept("NONE")) {
            clusteredBy =
                    in.list(
                            "name the columns: CLUSTER BY (a, b); nothing chooses them here",
                            () -> StatementParser.word(in));
        }
        return true;
    }

    private String property() {
        var key = new StringBuilder(nameOrString("a property's name"));
        while (in.accept('.')) {
            key.append('.').append(in.name("a part of the property's name"));
        }
        in.expect('=', "write 'key' = 'value'");
        var at = in.position();
        var value = nameOrString("the property's value");
        if (key.toString().equals(TableOptions.TRIGGER_INTERVAL)) {
            intervalAt = Optional.of(at);
            if (TableOptions.interval(value).isEmpty()) {
                throw new TextRefused(
                        at,
                        "'%s' is no interval from 1 millisecond to 24 hours".formatted(value),
                        "write a whole number and a unit: '500 milliseconds', '1 second',"
                                + " '10 minutes'");
            }
        }
        properties.put(key.toString(), value);
        return value;
    }

    private String nameOrString(String what) {
        return switch (in.peek().kind()) {
            case STRING -> in.string(what);
            case WORD, NAME, SIGN, END -> in.name(what);
        };
    }

    private RefreshPolicy policy() {
        if (in.accept("AUTO")) {
            return RefreshPolicy.AUTO;
        }
        if (in.accept("INCREMENTAL", "STRICT")) {
            return RefreshPolicy.INCREMENTAL_STRICT;
        }
        if (in.accept("INCREMENTAL")) {
            return RefreshPolicy.INCREMENTAL;
        }
        if (in.accept("FULL")) {
            return RefreshPolicy.FULL;
        }
        throw in.unexpected("a policy", "write AUTO, INCREMENTAL, INCREMENTAL STRICT or FULL");
    }

    private RuntimeException unexpected() {
        for (var clause : LEFT_OUT.entrySet()) {
            if (in.peek().isWord(clause.getKey())) {
                return in.unexpected("AS", clause.getValue());
            }
        }
        return in.unexpected(
                "COMMENT, TBLPROPERTIES, PARTITIONED BY, CLUSTER BY or AS",
                in.peek().isWord("REFRESH") ? "REFRESH POLICY stands on materialized views" : "");
    }
}

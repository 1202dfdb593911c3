package dev.lakemill.pipeline;

import java.util.ArrayList;
import java.util.List;

/**
 * What became of the rows of one table. Of a source and a streaming table since its first row, also
 * over crashes and replays: {@code in = kept + quarantined + dropped}. Of a view as it stands now.
 *
 * @param in rows that came in; of a streaming table, what its query gave
 */
public record TableCount(
        long in, long kept, long quarantined, long dropped, List<RuleCount> rules) {
    public TableCount {
        rules = List.copyOf(rules);
    }

    /** How many rows an expectation judged. UNIQUE does not judge rows that others took out. */
    public record RuleCount(String rule, long passed, long failed) {}

    /** Of a table without expectations. */
    static TableCount allKept(long rows) {
        return new TableCount(rows, rows, 0, 0, List.of());
    }

    /** The sum; rules that {@code more} does not know are gone, since the plan has changed. */
    TableCount plus(TableCount more) {
        var sums = new ArrayList<RuleCount>();
        for (var rule : more.rules) {
            sums.add(
                    rules.stream()
                            .filter(old -> old.rule.equals(rule.rule))
                            .findFirst()
                            .map(
                                    old ->
                                            new RuleCount(
                                                    rule.rule,
                                                    old.passed + rule.passed,
                                                    old.failed + rule.failed))
                            .orElse(rule));
        }
        return new TableCount(
                in + more.in,
                kept + more.kept,
                quarantined + more.quarantined,
                dropped + more.dropped,
                sums);
    }
}

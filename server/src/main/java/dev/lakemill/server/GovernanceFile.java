package dev.lakemill.server;

import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.GovernanceParser;
import dev.lakemill.catalog.GovernanceStatement;
import dev.lakemill.catalog.NameDefaults;
import dev.lakemill.plan.SourceText;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The project's file of governance: principals, schemas, grants and policies in SQL, applied by the
 * node itself at every start, before its pipelines. So each statement has to be one that can be
 * repeated: IF NOT EXISTS, OR REPLACE, GRANT, SET.
 *
 * <p>What concerns a table that no pipeline has made yet is left until the pipelines are there.
 */
final class GovernanceFile {
    private final @Nullable Path file;
    private final GovernanceStatements statements;
    private final Caller system;

    /**
     * @param file null when the project has none
     */
    GovernanceFile(@Nullable Path file, GovernanceStatements statements, Caller system) {
        this.file = file;
        this.statements = statements;
        this.system = system;
    }

    /** Applies what can be before there are tables; the tables' own statements wait. */
    void applyBeforeTables() {
        apply(false);
    }

    /** Applies all of it. INVALID_ARGUMENT names the place of what is wrong. */
    void apply() {
        apply(true);
    }

    private void apply(boolean withTables) {
        if (file == null) {
            return;
        }
        for (var statement : GovernanceParser.parseAll(read(file), NameDefaults.NONE)) {
            try {
                statements.run(system, statement);
            } catch (LakemillException e) {
                if (withTables || e.code() != ErrorCode.NOT_FOUND) {
                    throw told(statement, e);
                }
            }
        }
    }

    private LakemillException told(GovernanceStatement statement, LakemillException e) {
        return new LakemillException(
                e.code(), "%s: %s (%s)".formatted(file, e.problem(), statement), e.hint(), e);
    }

    private static SourceText read(Path file) {
        try {
            return new SourceText(file.getFileName().toString(), Files.readString(file));
        } catch (IOException e) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "cannot read " + file,
                    "%s names it; mend the name or its permissions"
                            .formatted(Setting.GOVERNANCE.key()),
                    e);
        }
    }
}

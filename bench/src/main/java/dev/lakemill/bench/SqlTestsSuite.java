package dev.lakemill.bench;

import java.io.IOException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Spark's own sql-tests, as they stand in the jar of its tests.
 *
 * <p>All files but those of another language or mode: user-defined functions, settings of a session
 * (a pipeline has one mode, Spark's default), columns of type CHAR, which no table of ours has, and
 * commands, which are run but not counted.
 */
final class SqlTestsSuite {
    private static final String RESULTS = "sql-tests/results/";
    private static final Pattern LEFT_OUT =
            Pattern.compile("(nonansi|udf|udaf|udtf|scripting|timestampNTZ)/.*|charvarchar");
    private static final Pattern SETTING =
            Pattern.compile("(?mi)^--(SET|IMPORT)\\b|^\\s*SET\\s+(TIME ZONE|spark\\.)");
    private static final Pattern COMMENT =
            Pattern.compile("\\A(\\s+|--[^\n]*(\n|\\z)|/\\*.*?\\*/)+", Pattern.DOTALL);
    private static final Pattern QUERY =
            Pattern.compile("(?is)\\(*\\s*(select|with|values|from|table)\\b.*");
    private static final Pattern TEST_TABLES =
            Pattern.compile("(?i)\\b(testdata|arraydata|mapdata|aggtest|onek|tenk1)\\b");
    private static final Pattern WRITES =
            Pattern.compile("(?is).*\\binsert\\s+(into|overwrite)\\b.*");

    private final Conformance conformance;
    private final EngineQueries engine;
    private final SparkPeer spark;

    SqlTestsSuite(Conformance conformance, EngineQueries engine, SparkPeer spark) {
        this.conformance = conformance;
        this.engine = engine;
        this.spark = spark;
    }

    /**
     * @param files a regular expression that a file's name must hold
     */
    Conformance.Counts run(String files) throws IOException, SQLException {
        var counts = new Conformance.Counts("sqltests");
        var wanted = Pattern.compile(files);
        for (var file : spark.files(RESULTS)) {
            var name = file.substring(RESULTS.length()).replace(".sql.out", "");
            if (file.endsWith(".sql.out")
                    && wanted.matcher(name).find()
                    && !LEFT_OUT.matcher(name).matches()
                    && !SETTING.matcher(spark.read("sql-tests/inputs/" + name + ".sql")).find()) {
                var results = spark.read(file);
                spark.fresh(TEST_TABLES.matcher(results).find());
                engine.clear();
                file(counts, name, results);
            }
        }
        return counts;
    }

    private void file(Conformance.Counts counts, String name, String results)
            throws IOException, SQLException {
        for (var statement : statements(results)) {
            var text = COMMENT.matcher(statement).replaceFirst("");
            if (QUERY.matcher(text).matches() && !WRITES.matcher(text).matches()) {
                conformance.ask(counts, name, statement);
            } else {
                spark.query(statement);
                engine.clear();
            }
        }
    }

    /** What stands between the marks of a file of results. */
    static List<String> statements(String results) {
        var statements = new ArrayList<String>();
        for (var part : results.split("(?m)^-- !query\n")) {
            var end = part.indexOf("\n-- !query schema");
            if (end >= 0) {
                statements.add(part.substring(0, end));
            }
        }
        return statements;
    }
}

package dev.lakemill.compiler;

import dev.lakemill.plan.BucketPath;
import dev.lakemill.plan.FileSource;
import dev.lakemill.plan.FileSource.Evolution;
import dev.lakemill.plan.FileSource.Format;
import dev.lakemill.plan.Fragment;
import dev.lakemill.plan.NearestName;
import dev.lakemill.plan.SourcePosition;
import dev.lakemill.plan.SourceText;
import dev.lakemill.plan.TextRefused;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.LakemillException;
import java.nio.file.FileSystems;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.apache.spark.sql.catalyst.analysis.UnresolvedTableValuedFunction;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.expressions.NamedArgumentExpression;
import org.apache.spark.sql.types.StructType;

/** Reads the arguments of {@code read_files}. */
final class FileCalls {
    static final String FUNCTION = "read_files";
    private static final String RESCUED = "_rescued_data";
    private static final Pattern SCHEME = Pattern.compile("[a-z][a-z0-9+.-]+:.*");
    private static final String FORMATS = "write format => 'json', 'csv' or 'parquet'";

    /** By their names in lower case, with what is written. */
    private static final Map<String, String> OPTIONS = new TreeMap<>();

    /** Those that only one format has. */
    private static final List<String> OF_CSV =
            List.of("header", "sep", "delimiter", "quote", "escape", "nullvalue");

    static {
        for (var option :
                List.of(
                        "format",
                        "schema",
                        "schemaHints",
                        "inferColumnTypes",
                        "schemaEvolutionMode",
                        "rescuedDataColumn",
                        "pathGlobFilter",
                        "recursiveFileLookup",
                        "multiLine",
                        "header",
                        "sep",
                        "delimiter",
                        "quote",
                        "escape",
                        "nullValue")) {
            OPTIONS.put(option.toLowerCase(Locale.ROOT), option);
        }
    }

    private final Catalyst catalyst;
    private final SourcePosition position;
    private final Map<String, String> options = new TreeMap<>();
    private String path = "";

    private FileCalls(Catalyst catalyst, SourcePosition position) {
        this.catalyst = catalyst;
        this.position = position;
    }

    static boolean isOne(UnresolvedTableValuedFunction call) {
        return call.name().size() == 1 && call.name().head().equalsIgnoreCase(FUNCTION);
    }

    /**
     * @throws TextRefused for what the call says wrongly
     */
    static FileSource source(
            Catalyst catalyst, UnresolvedTableValuedFunction call, SourcePosition position) {
        if (!call.isStreaming()) {
            throw new TextRefused(
                    position,
                    "files are read as a stream, each one once",
                    "write FROM STREAM read_files(…) in a STREAMING TABLE, and read that table");
        }
        var calls = new FileCalls(catalyst, position);
        Scala.<Expression>list(call.functionArgs()).forEach(calls::argument);
        return calls.source();
    }

    private void argument(Expression argument) {
        var at = catalyst.position(argument.origin(), position);
        if (argument instanceof NamedArgumentExpression named) {
            var key = named.key().toLowerCase(Locale.ROOT);
            if (!OPTIONS.containsKey(key)) {
                throw new TextRefused(
                        at,
                        "read_files has no option '%s'".formatted(named.key()),
                        NearestName.hint(named.key(), new TreeSet<>(OPTIONS.values())));
            }
            if (options.put(key, literal(named.value(), at)) != null) {
                throw new TextRefused(at, "'%s' is given twice".formatted(named.key()), "");
            }
        } else if (path.isEmpty()) {
            path = literal(argument, at);
        } else {
            throw new TextRefused(
                    at, "read_files takes one path", "give the others as name => value");
        }
    }

    private static String literal(Expression value, SourcePosition at) {
        if (value instanceof Literal literal && literal.value() != null) {
            return literal.value().toString();
        }
        throw new TextRefused(
                at, "the arguments of read_files are constants", "write 'text', true or a number");
    }

    private FileSource source() {
        if (path.isBlank()) {
            throw new TextRefused(position, "read_files needs a path", "read_files('folder', …)");
        }
        checkPlace();
        checkPattern(path);
        checkPattern(options.getOrDefault("pathglobfilter", ""));
        var format = format();
        for (var option : OF_CSV) {
            if (format != Format.CSV && options.containsKey(option)) {
                throw new TextRefused(
                        position,
                        "'%s' is an option of CSV files".formatted(OPTIONS.get(option)),
                        "leave it out");
            }
        }
        var declared = columns("schema", format);
        var evolution = evolution(!declared.isEmpty());
        var rescued = options.getOrDefault("rescueddatacolumn", declared.isEmpty() ? RESCUED : "");
        if (evolution == Evolution.RESCUE && rescued.isEmpty()) {
            rescued = RESCUED;
        }
        var kept = new TreeMap<>(options);
        kept.keySet()
                .removeAll(
                        List.of(
                                "format",
                                "schema",
                                "schemahints",
                                "infercolumntypes",
                                "schemaevolutionmode",
                                "rescueddatacolumn"));
        return new FileSource(
                path,
                format,
                kept,
                evolution,
                rescued,
                declared,
                columns("schemahints", format),
                flag("infercolumntypes", true));
    }

    private void checkPlace() {
        if (BucketPath.isOne(path)) {
            try {
                BucketPath.parse(path);
            } catch (LakemillException e) {
                throw new TextRefused(position, e.problem(), e.hint());
            }
        } else if (SCHEME.matcher(path).matches() && !path.startsWith("file:")) {
            throw new TextRefused(
                    position,
                    "files are read from this machine's folders and from S3 buckets, not from '%s'"
                            .formatted(path),
                    "write a path or s3://bucket/folder; other stores have an endpoint for S3,"
                            + " which s3.endpoint names");
        }
    }

    private void checkPattern(String glob) {
        try {
            var _ = FileSystems.getDefault().getPathMatcher("glob:" + glob);
        } catch (PatternSyntaxException e) {
            throw new TextRefused(
                    position,
                    "'%s' is no pattern: %s".formatted(glob, e.getDescription()),
                    "close each [ and {; a backslash before one of these takes it as it is");
        }
    }

    private Format format() {
        var text = options.get("format");
        if (text == null) {
            throw new TextRefused(position, "read_files needs a format", FORMATS);
        }
        return Arrays.stream(Format.values())
                .filter(f -> f != Format.DELTA && f.name().equalsIgnoreCase(text))
                .findFirst()
                .orElseThrow(
                        () ->
                                new TextRefused(
                                        position,
                                        "files of the format '%s' are not read".formatted(text),
                                        FORMATS));
    }

    private Evolution evolution(boolean isDeclared) {
        var text = options.get("schemaevolutionmode");
        if (text == null) {
            return isDeclared ? Evolution.NONE : Evolution.ADD_NEW_COLUMNS;
        }
        var mode =
                switch (text.toLowerCase(Locale.ROOT)) {
                    case "addnewcolumns" -> Evolution.ADD_NEW_COLUMNS;
                    case "rescue" -> Evolution.RESCUE;
                    case "failonnewcolumns" -> Evolution.FAIL_ON_NEW_COLUMNS;
                    case "none" -> Evolution.NONE;
                    default ->
                            throw new TextRefused(
                                    position,
                                    "there is no schemaEvolutionMode '%s'".formatted(text),
                                    "write addNewColumns, rescue, failOnNewColumns or none");
                };
        if (isDeclared && mode == Evolution.ADD_NEW_COLUMNS) {
            throw new TextRefused(
                    position,
                    "columns cannot be added to a schema that the text gives",
                    "give schemaHints in place of schema, or another schemaEvolutionMode");
        }
        return mode;
    }

    private boolean flag(String option, boolean otherwise) {
        var text = options.get(option);
        return text == null ? otherwise : text.equalsIgnoreCase("true");
    }

    private static boolean isNested(DataType type) {
        return switch (type) {
            case DataType.Primitive _, DataType.Decimal _ -> false;
            case DataType.Array _, DataType.Map _, DataType.Struct _ -> true;
        };
    }

    /** Of {@code schema} or {@code schemaHints}; all may be NULL. */
    private List<Column> columns(String option, Format format) {
        var text = options.get(option);
        if (text == null) {
            return List.of();
        }
        try {
            var source = new SourceText(position.file(), "struct<" + text + ">");
            var columns = new ArrayList<Column>();
            for (var field : ((StructType) catalyst.parseType(Fragment.all(source))).fields()) {
                var type = SparkTypes.column(field.dataType());
                if (type.isEmpty() || (format == Format.CSV && isNested(type.get()))) {
                    throw new TextRefused(
                            position,
                            "a column of type %s is not read from %s files"
                                    .formatted(field.dataType().sql(), format),
                            "");
                }
                columns.add(Column.nullable(field.name(), type.get()));
            }
            return columns;
        } catch (TextRefused e) {
            throw new TextRefused(
                    position,
                    "%s: %s".formatted(OPTIONS.get(option), e.error().message()),
                    "write 'name TYPE, name TYPE', as in CREATE TABLE");
        }
    }
}

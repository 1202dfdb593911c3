package dev.lakemill.capture;

import dev.lakemill.capture.Change.Kind;
import dev.lakemill.capture.Change.Origin;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/**
 * A transaction of Postgres while it is read: its changes by table, and the commands in it that
 * changed tables. One thread uses it.
 *
 * <p>One that holds more than the limit gives its changes up and keeps only which tables it
 * touched.
 */
final class Transaction {
    /** The tag of a command that brought rows, or took some away, which the log does not tell. */
    private static final String COMPARE = "COMPARE";

    /** A command that changed a table; no shape for one that dropped it. */
    record Command(long number, String tag, long relation, @Nullable TableShape shape) {}

    /**
     * What all commands of the transaction did to one table. It comes at one place of the log, so
     * that a table takes it on as one change.
     *
     * @param tag of the first command
     * @param isCompared whether its rows are to be compared
     * @param shapes that it had one after the other; none where it was dropped
     */
    record Net(String tag, long relation, boolean isCompared, List<TableShape> shapes) {
        Net {
            shapes = List.copyOf(shapes);
        }

        private Net then(Command later) {
            var shape = later.shape();
            if (shape == null) {
                return new Net(tag, relation, false, List.of());
            }
            var all = new ArrayList<>(shapes);
            all.add(shape);
            return new Net(tag, relation, isCompared || later.tag().equals(COMPARE), all);
        }
    }

    /** How the values of a relation are called, and the numbers of those columns once known. */
    static final class Names {
        private final List<String> columns;
        private int @Nullable [] numbers;

        Names(List<String> columns) {
            this.columns = columns;
        }

        List<String> columns() {
            return columns;
        }

        /** Looks the numbers up in a shape, the first time. */
        int[] numbers(TableShape shape) {
            var known = numbers;
            if (known == null) {
                known = columns.stream().mapToInt(shape::number).toArray();
                numbers = known;
            }
            return known;
        }

        boolean isBound() {
            return numbers != null;
        }
    }

    private record Raw(
            long relation, Kind kind, Names names, byte[][] values, byte @Nullable [][] old) {}

    private final long xid;
    private final long commitMicros;
    private final long bytesMax;
    private final List<Raw> changes = new ArrayList<>();
    private final List<Command> commands = new ArrayList<>();
    private final Set<Long> touched = new HashSet<>();
    private long bytes;
    private boolean tooLarge;

    Transaction(PgOutput.Begin begin, long bytesMax) {
        this.xid = Integer.toUnsignedLong(begin.xid());
        this.commitMicros = begin.commitMicros();
        this.bytesMax = bytesMax;
    }

    void command(Command command) {
        commands.add(command);
    }

    long commitMicros() {
        return commitMicros;
    }

    /**
     * The shape of a table at this place of the transaction.
     *
     * @param before the transaction; null for a table that was not known
     */
    @Nullable TableShape shape(long relation, @Nullable TableShape before) {
        return shape(commands.reversed(), relation, before);
    }

    private static @Nullable TableShape shape(
            List<Command> commands, long relation, @Nullable TableShape otherwise) {
        for (var command : commands) {
            if (command.relation() == relation && command.shape() != null) {
                return command.shape();
            }
        }
        return otherwise;
    }

    /** The number of the last command; -1 without one. */
    long lastCommand() {
        return commands.isEmpty() ? -1 : commands.getLast().number();
    }

    /** What the commands did, in order of the last one of each table: a name is free by then. */
    Collection<Net> net() {
        var net = new LinkedHashMap<Long, Net>();
        for (var command : commands) {
            var before = net.remove(command.relation());
            var first = new Net(command.tag(), command.relation(), false, List.of());
            net.put(command.relation(), (before == null ? first : before).then(command));
        }
        return net.values();
    }

    /** Whether its changes were given up. */
    boolean tooLarge() {
        return tooLarge;
    }

    /** The tables whose changes were given up. */
    Set<Long> touched() {
        return touched;
    }

    void insert(long relation, Names names, byte[][] row) {
        add(new Raw(relation, Kind.INSERT, names, row, null));
    }

    /**
     * An update.
     *
     * @param old null where the key stayed
     */
    void update(long relation, Names names, byte[][] row, byte @Nullable [][] old) {
        if (old != null) {
            add(new Raw(relation, Kind.UPDATE_PREIMAGE, names, old, null));
        }
        add(new Raw(relation, Kind.UPDATE, names, row, old));
    }

    void delete(long relation, Names names, byte[][] old) {
        add(new Raw(relation, Kind.DELETE, names, old, null));
    }

    void truncate(long relation) {
        add(new Raw(relation, Kind.TRUNCATE, new Names(List.of()), new byte[0][], null));
    }

    private void add(Raw raw) {
        touched.add(raw.relation());
        if (tooLarge) {
            return;
        }
        changes.add(raw);
        bytes +=
                160
                        + Arrays.stream(raw.values())
                                .mapToLong(v -> v == null ? 24 : 24 + v.length)
                                .sum();
        if (bytes > bytesMax) {
            tooLarge = true;
            changes.clear();
        }
    }

    /** Its changes as of its end, those of tables that a function knows. */
    Map<Long, List<Change>> end(long endLsn, LongFunction<@Nullable TableShape> shapes) {
        var origin = new Origin(endLsn, xid, commitMicros);
        var byTable = new HashMap<Long, List<Change>>();
        int place = 0;
        for (var raw : changes) {
            place++;
            var shape = shapes.apply(raw.relation());
            if (shape != null) {
                // A table that is made of a query has rows before its shape is told.
                var made = shape(commands, raw.relation(), shape);
                var numbers = raw.names().numbers(made == null ? shape : made);
                byTable.computeIfAbsent(raw.relation(), _ -> new ArrayList<>())
                        .add(
                                new Change(
                                        raw.kind(),
                                        numbers,
                                        raw.values(),
                                        numbers,
                                        raw.old(),
                                        origin,
                                        place));
            }
        }
        return byTable;
    }
}

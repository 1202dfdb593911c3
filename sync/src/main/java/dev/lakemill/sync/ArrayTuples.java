package dev.lakemill.sync;

import java.nio.ByteBuffer;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;
import org.postgresql.util.PGBinaryObject;
import org.postgresql.util.PGobject;

/**
 * Rows as one array per column, for a statement that unnests them.
 *
 * <p>Arrays go in Postgres's binary form (array_recv in the server's source, arrayfuncs.c): number
 * of dimensions, whether there are NULLs, the elements' type, length and lower bound, then the
 * elements, which look as they do in COPY.
 */
final class ArrayTuples implements Tuples {
    private static final int HEADER_BYTES = 5 * Integer.BYTES;

    private final List<PostgresType> types;
    private final ByteArray[] columns;
    private int count;

    ArrayTuples(List<PostgresType> types) {
        this.types = types;
        this.columns = new ByteArray[types.size()];
        for (var i = 0; i < columns.length; i++) {
            columns[i] = new ByteArray();
        }
    }

    @Override
    public void put(byte[] fields) {
        var buffer = ByteBuffer.wrap(fields);
        for (var column : columns) {
            var from = buffer.position();
            var length = Math.max(0, buffer.getInt());
            column.putBytes(fields, from, Integer.BYTES + length);
            buffer.position(from + Integer.BYTES + length);
        }
        count++;
    }

    /** Sets the statement's parameters, one per column. */
    void bind(PreparedStatement statement) throws SQLException {
        for (var i = 0; i < columns.length; i++) {
            statement.setObject(i + 1, new Parameter(types.get(i), array(i)));
        }
    }

    private byte[] array(int column) {
        var elements = columns[column];
        var bytes = new byte[HEADER_BYTES + elements.length()];
        ByteBuffer.wrap(bytes)
                .putInt(1) // dimension
                .putInt(1) // there may be NULLs
                .putInt(types.get(column).oid())
                .putInt(count)
                .putInt(1) // lower bound
                .put(elements.array(), 0, elements.length());
        return bytes;
    }

    /** How pgjdbc is told to send bytes as they are. */
    private static final class Parameter extends PGobject implements PGBinaryObject {
        private static final long serialVersionUID = 1L;

        private final byte[] bytes;

        Parameter(PostgresType type, byte[] bytes) {
            setType(type.arrayName());
            this.bytes = bytes;
        }

        @Override
        public int lengthInBytes() {
            return bytes.length;
        }

        @Override
        public void toBytes(byte[] target, int offset) {
            System.arraycopy(bytes, 0, target, offset, bytes.length);
        }

        @Override
        public void setByteValue(byte[] value, int offset) {
            throw new IllegalStateException("a parameter is only sent");
        }
    }
}

package dev.lakemill.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Varints of every length, wherever they stand. */
final class WireReaderTest {
    private static final int BYTES_MAX = 10;

    /** As many bytes as the reader may take at once, and some. */
    private static final int BEHIND_MAX = 12;

    private static byte[] varint(long value) {
        var out = new RowWriter(1 << 10);
        out.varint(value);
        return out.toByteArray();
    }

    /** The largest number that a varint of so many bytes holds. */
    private static long most(int bytes) {
        return bytes == BYTES_MAX ? -1 : (1L << (7 * bytes)) - 1;
    }

    /** Bytes with some before them, and some behind, which are all alike. */
    private static byte[] between(int before, byte[] bytes, int behind, int filling) {
        var all = new byte[before + bytes.length + behind];
        Arrays.fill(all, (byte) filling);
        System.arraycopy(bytes, 0, all, before, bytes.length);
        return all;
    }

    /** With each number of bytes behind it, within the range and not. */
    private static void assertRead(long value, byte[] bytes) {
        for (int behind = 0; behind <= BEHIND_MAX; behind++) {
            for (int filling : new int[] {0, 0x7F, 0x80, 0xFF}) {
                var all = between(3, bytes, behind, filling);
                int after = 3 + bytes.length;
                for (int end = after; end <= all.length; end++) {
                    var in = new WireReader().on(all, 3, end);
                    assertThat(in.varint()).isEqualTo(value);
                    assertThat(in.at()).isEqualTo(after);
                    in.on(all, 3, end);
                    assertThat(in.longVarint()).isEqualTo(value);
                    assertThat(in.at()).isEqualTo(after);
                }
            }
        }
    }

    @Test
    void aVarintOfAnyLengthIsRead() {
        for (int bytes = 1; bytes <= BYTES_MAX; bytes++) {
            long least = bytes == 1 ? 0 : 1L << (7 * (bytes - 1));
            long most = most(bytes);
            for (long value :
                    new long[] {
                        least, least | (least >> 1), (most & 0x5AA5_5AA5_5AA5_5AA5L) | least, most
                    }) {
                assertThat(varint(value)).hasSize(bytes);
                assertRead(value, varint(value));
            }
        }
    }

    @Test
    void numbersOfBothSignsAreRead() {
        var random = new Random(7);
        for (int bits = 0; bits < Long.SIZE; bits++) {
            long value = random.nextLong() >>> bits;
            assertRead(value, varint(value));
            assertRead(-value, varint(-value));
        }
        assertRead(Long.MIN_VALUE, varint(Long.MIN_VALUE));
        assertRead(Long.MAX_VALUE, varint(Long.MAX_VALUE));
    }

    /** Others write numbers with more bytes than they need. */
    @Test
    void aVarintMayBeLongerThanItsNumber() {
        for (int bytes = 2; bytes <= BYTES_MAX; bytes++) {
            var padded = new byte[bytes];
            Arrays.fill(padded, (byte) 0x80);
            padded[0] = (byte) 0xD5;
            padded[bytes - 1] = 0;
            assertRead(0x55, padded);
        }
    }

    @Test
    void aVarintThatTheRangeCutsShortIsRefused() {
        for (int bytes = 1; bytes <= BYTES_MAX; bytes++) {
            var varint = varint(most(bytes));
            for (int behind = 0; behind <= BEHIND_MAX; behind++) {
                var all = between(0, varint, behind, 0);
                for (int end = 0; end < bytes; end++) {
                    var in = new WireReader().on(all, 0, end);
                    assertThatThrownBy(in::varint)
                            .isInstanceOf(RefusedRow.class)
                            .hasMessageContaining("ends in the middle of a field");
                    in.on(all, 0, end);
                    assertThatThrownBy(in::longVarint)
                            .isInstanceOf(RefusedRow.class)
                            .hasMessageContaining("ends in the middle of a field");
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {10, 11, 16, 20})
    void aVarintWithoutAnEndIsRefused(int bytes) {
        var endless = new byte[bytes];
        Arrays.fill(endless, (byte) 0x80);
        var in = new WireReader().on(endless, 0, bytes);
        assertThatThrownBy(in::varint)
                .isInstanceOf(RefusedRow.class)
                .hasMessageContaining("a varint of more than 10 bytes");
    }
}

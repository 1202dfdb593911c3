package dev.lakemill.sync;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** What text Postgres stores: UTF-8 without U+0000. */
final class Utf8 {
    private Utf8() {}

    /** Null when Postgres stores it. Plain ASCII is seen in one pass. */
    static @Nullable SkipReason check(byte[] bytes, int from, int to) {
        var ascii = true;
        for (var i = from; i < to; i++) {
            if (bytes[i] == 0) {
                return SkipReason.ZERO_CHARACTER;
            }
            ascii &= bytes[i] > 0;
        }
        return ascii || isUtf8(bytes, from, to) ? null : SkipReason.INVALID_UTF8;
    }

    private static boolean isUtf8(byte[] bytes, int from, int to) {
        try {
            var _ =
                    StandardCharsets.UTF_8
                            .newDecoder()
                            .decode(ByteBuffer.wrap(bytes, from, to - from));
            return true;
        } catch (CharacterCodingException e) {
            return false;
        }
    }

    /** Code points of text that is valid. */
    static int characters(byte[] bytes, int from, int to) {
        var count = 0;
        for (var i = from; i < to; i++) {
            count += (bytes[i] & 0xC0) == 0x80 ? 0 : 1;
        }
        return count;
    }
}

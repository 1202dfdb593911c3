package dev.lakemill.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Locale;
import java.util.regex.Pattern;
import org.apache.spark.sql.catalyst.util.CollationSupport;
import org.apache.spark.unsafe.types.UTF8String;
import org.junit.jupiter.api.Test;

/** The printer's tests take Java's rules of upper and lower case for Spark's. */
final class SparkLettersTest {
    /** Alphabets newer than Java's tables; the printer refuses these letters. */
    private static final Pattern NEWER =
            Pattern.compile(
                    "[\\x{019B}\\x{0264}\\x{1C89}\\x{1C8A}\\x{A7CB}-\\x{A7DC}\\x{10D50}-\\x{10D85}"
                            + "\\x{16EA0}-\\x{16EDF}]");

    @Test
    void sparkChangesLettersAsJavaDoes() {
        for (int letter = 1; letter <= Character.MAX_CODE_POINT; letter++) {
            var text = Character.toString(letter);
            if (Character.getType(letter) != Character.SURROGATE
                    && !NEWER.matcher(text).matches()) {
                var spark = UTF8String.fromString(text);
                assertThat(CollationSupport.Upper.exec(spark, 0, true).toString())
                        .isEqualTo(text.toUpperCase(Locale.ROOT));
                assertThat(CollationSupport.Lower.exec(spark, 0, true).toString())
                        .isEqualTo(text.toLowerCase(Locale.ROOT));
            }
        }
    }
}

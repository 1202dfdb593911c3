package dev.lakemill.compiler;

import static java.util.Map.entry;

import dev.lakemill.plan.Function;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.spark.sql.catalyst.expressions.*;

/**
 * Spark's expressions that a plan says by one function of the same arguments in the same order,
 * because they hold nothing else: no mode, zone or format that could be lost.
 */
final class PlainFunctions {
    private static final Map<Class<? extends Expression>, Function> FUNCTIONS =
            Map.ofEntries(
                    entry(And.class, Function.AND),
                    entry(Or.class, Function.OR),
                    entry(Not.class, Function.NOT),
                    entry(EqualTo.class, Function.EQUAL),
                    entry(EqualNullSafe.class, Function.NULL_SAFE_EQUAL),
                    entry(LessThan.class, Function.LESS),
                    entry(LessThanOrEqual.class, Function.LESS_OR_EQUAL),
                    entry(GreaterThan.class, Function.GREATER),
                    entry(GreaterThanOrEqual.class, Function.GREATER_OR_EQUAL),
                    entry(In.class, Function.IN),
                    entry(IsNull.class, Function.IS_NULL),
                    entry(IsNotNull.class, Function.IS_NOT_NULL),
                    entry(IsNaN.class, Function.IS_NAN),
                    entry(Coalesce.class, Function.COALESCE),
                    entry(Greatest.class, Function.GREATEST),
                    entry(Least.class, Function.LEAST),
                    entry(NaNvl.class, Function.NANVL),
                    entry(UnaryMinus.class, Function.NEGATE),
                    entry(Abs.class, Function.ABS),
                    entry(BitwiseAnd.class, Function.BIT_AND),
                    entry(BitwiseOr.class, Function.BIT_OR),
                    entry(BitwiseXor.class, Function.BIT_XOR),
                    entry(BitwiseNot.class, Function.BIT_NOT),
                    entry(Ceil.class, Function.CEIL),
                    entry(Floor.class, Function.FLOOR),
                    entry(Sqrt.class, Function.SQRT),
                    entry(Cbrt.class, Function.CBRT),
                    entry(Exp.class, Function.EXP),
                    entry(Log.class, Function.LN),
                    entry(Log10.class, Function.LOG10),
                    entry(Log2.class, Function.LOG2),
                    entry(Pow.class, Function.POWER),
                    entry(Signum.class, Function.SIGN),
                    entry(Sin.class, Function.SIN),
                    entry(Cos.class, Function.COS),
                    entry(Tan.class, Function.TAN),
                    entry(Asin.class, Function.ASIN),
                    entry(Acos.class, Function.ACOS),
                    entry(Atan.class, Function.ATAN),
                    entry(Atan2.class, Function.ATAN2),
                    entry(ToDegrees.class, Function.DEGREES),
                    entry(ToRadians.class, Function.RADIANS),
                    entry(Concat.class, Function.CONCAT),
                    entry(ConcatWs.class, Function.CONCAT_WS),
                    entry(Upper.class, Function.UPPER),
                    entry(Lower.class, Function.LOWER),
                    entry(Length.class, Function.LENGTH),
                    entry(OctetLength.class, Function.OCTET_LENGTH),
                    entry(Substring.class, Function.SUBSTRING),
                    entry(StringTrim.class, Function.TRIM),
                    entry(StringTrimLeft.class, Function.TRIM_LEFT),
                    entry(StringTrimRight.class, Function.TRIM_RIGHT),
                    entry(StringReplace.class, Function.REPLACE),
                    entry(StringTranslate.class, Function.TRANSLATE),
                    entry(StringLPad.class, Function.LPAD),
                    entry(StringRPad.class, Function.RPAD),
                    entry(StringRepeat.class, Function.REPEAT),
                    entry(Reverse.class, Function.REVERSE),
                    entry(StartsWith.class, Function.STARTS_WITH),
                    entry(EndsWith.class, Function.ENDS_WITH),
                    entry(Contains.class, Function.CONTAINS),
                    entry(RLike.class, Function.RLIKE),
                    entry(RegExpReplace.class, Function.REGEXP_REPLACE),
                    entry(RegExpExtract.class, Function.REGEXP_EXTRACT),
                    entry(SplitPart.class, Function.SPLIT_PART),
                    entry(Ascii.class, Function.ASCII),
                    entry(Md5.class, Function.MD5),
                    entry(Sha2.class, Function.SHA2),
                    entry(Hex.class, Function.HEX),
                    entry(FormatNumber.class, Function.FORMAT_NUMBER),
                    entry(CurrentUser.class, Function.CURRENT_USER),
                    entry(Now.class, Function.NOW),
                    entry(CurrentTimestamp.class, Function.NOW),
                    entry(CurrentDate.class, Function.CURRENT_DATE),
                    entry(Year.class, Function.YEAR),
                    entry(Quarter.class, Function.QUARTER),
                    entry(Month.class, Function.MONTH),
                    entry(DayOfMonth.class, Function.DAY),
                    entry(DayOfWeek.class, Function.DAY_OF_WEEK),
                    entry(WeekDay.class, Function.WEEKDAY),
                    entry(DayOfYear.class, Function.DAY_OF_YEAR),
                    entry(WeekOfYear.class, Function.WEEK_OF_YEAR),
                    entry(Hour.class, Function.HOUR),
                    entry(Minute.class, Function.MINUTE),
                    entry(Second.class, Function.SECOND),
                    entry(SecondWithFraction.class, Function.SECOND_WITH_FRACTION),
                    entry(TruncTimestamp.class, Function.DATE_TRUNC),
                    entry(TruncDate.class, Function.TRUNC),
                    entry(DateAdd.class, Function.DATE_ADD),
                    entry(DateSub.class, Function.DATE_SUB),
                    entry(DateDiff.class, Function.DATE_DIFF),
                    entry(AddMonths.class, Function.ADD_MONTHS),
                    entry(DateAddYMInterval.class, Function.ADD_MONTHS),
                    entry(LastDay.class, Function.LAST_DAY),
                    entry(MakeDate.class, Function.MAKE_DATE),
                    entry(UnixDate.class, Function.UNIX_DATE),
                    entry(DateFromUnixDate.class, Function.DATE_FROM_UNIX_DATE),
                    entry(UnixSeconds.class, Function.UNIX_SECONDS),
                    entry(UnixMillis.class, Function.UNIX_MILLIS),
                    entry(UnixMicros.class, Function.UNIX_MICROS),
                    entry(SecondsToTimestamp.class, Function.TIMESTAMP_SECONDS),
                    entry(MillisToTimestamp.class, Function.TIMESTAMP_MILLIS),
                    entry(MicrosToTimestamp.class, Function.TIMESTAMP_MICROS),
                    entry(TimestampAddYMInterval.class, Function.TIMESTAMP_ADD_MONTHS),
                    entry(DateFormatClass.class, Function.DATE_FORMAT),
                    entry(CreateArray.class, Function.ARRAY),
                    entry(ArrayContains.class, Function.ARRAY_CONTAINS));

    /** What means the same for microseconds and months as for any number. */
    private static final Set<Function> FOR_INTERVALS =
            Set.of(
                    Function.EQUAL,
                    Function.NULL_SAFE_EQUAL,
                    Function.LESS,
                    Function.LESS_OR_EQUAL,
                    Function.GREATER,
                    Function.GREATER_OR_EQUAL,
                    Function.IN,
                    Function.IS_NULL,
                    Function.IS_NOT_NULL,
                    Function.COALESCE,
                    Function.GREATEST,
                    Function.LEAST,
                    Function.NEGATE,
                    Function.ABS,
                    Function.ADD,
                    Function.SUBTRACT,
                    Function.ADD_MONTHS,
                    Function.TIMESTAMP_ADD_MICROS,
                    Function.TIMESTAMP_ADD_MONTHS);

    private PlainFunctions() {}

    static Optional<Function> of(Expression expression) {
        return Optional.ofNullable(FUNCTIONS.get(expression.getClass()));
    }

    static boolean takesIntervals(Function function) {
        return FOR_INTERVALS.contains(function);
    }
}

package dev.lakemill.api.pipeline;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Repeatable;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** An expectation on the rows of the method's table: a condition, or columns that are unique. */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
@Repeatable(Expect.All.class)
public @interface Expect {
    String name();

    /** SQL over the table's columns; empty where {@link #unique} is given. */
    String condition() default "";

    /** Columns; of rows that are equal in all of them, the first stays. */
    String[] unique() default {};

    OnViolation onViolation() default OnViolation.WARN;

    /** All expectations of a method. */
    @Documented
    @Retention(RetentionPolicy.RUNTIME)
    @Target(ElementType.METHOD)
    @interface All {
        Expect[] value();
    }
}

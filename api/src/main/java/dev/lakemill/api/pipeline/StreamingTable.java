package dev.lakemill.api.pipeline;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Marks a method without parameters that returns the query of a {@code STREAMING TABLE}, as text or
 * as {@link Query}: each row of its sources is processed once; the query reads {@code
 * STREAM(table)}.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface StreamingTable {
    /** The table's full name: {@code catalog.schema.table}. */
    String value();

    String comment() default "";
}

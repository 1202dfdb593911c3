package dev.lakemill.api.pipeline;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Marks a method without parameters that returns the query of a {@code MATERIALIZED VIEW}, as text
 * or as {@link Query}: always equal to its query.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface MaterializedView {
    /** The table's full name: {@code catalog.schema.table}. */
    String value();

    String comment() default "";
}

package dev.lakemill.api.pipeline;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Marks a public static method that the pipeline's SQL can call.
 *
 * <p>Types: boolean, int, long, float, double and their boxes, {@code String}, {@code LocalDate}
 * (DATE), {@code Instant} (TIMESTAMP), {@code LocalDateTime} (TIMESTAMP_NTZ). A parameter of a
 * primitive type is never NULL: where the argument is, the method is not called, and the result is
 * NULL. Others are given null; null returned is NULL.
 *
 * <p>The result depends on the arguments alone: the function is called as often as the engine
 * likes, for rows in any order, by several threads. An exception fails the pipeline.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface SqlFunction {
    /** Its name in SQL; empty for the method's. Upper and lower case are one. */
    String value() default "";
}

package dev.lakemill.api.pipeline;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Marks a public class whose methods define tables ({@link StreamingTable}, {@link
 * MaterializedView}, {@link Statements}) or functions ({@link SqlFunction}). Methods that define
 * tables are static, or the class has a public constructor without arguments; they are called once,
 * when the jar is compiled.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
public @interface Pipeline {
    /** The pipeline's name; empty for the name of the jar. */
    String value() default "";
}

package dev.lakemill.api.pipeline;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Marks a method without parameters that returns whole statements as a file of SQL would hold them:
 * {@code CREATE TABLE}, {@code CREATE SYNCED TABLE}, {@code AUTO CDC}.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface Statements {}

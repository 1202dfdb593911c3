/**
 * The farm's own application, as a node hosts it: pages, live tables, and what people do there. It
 * speaks SQL: it reads as its own principal, and writes as the person whose page asks for it.
 */
@NullMarked
package dev.lakemill.farm.app;

import org.jspecify.annotations.NullMarked;

/** Main, config, CLI, HTTP: composes all. */
@NullMarked
package dev.lakemill.server;

import org.jspecify.annotations.NullMarked;

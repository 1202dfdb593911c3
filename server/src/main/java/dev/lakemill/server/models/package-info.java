/** The model gateway over HTTP, as OpenAI's and Databricks' clients call it. */
@NullMarked
package dev.lakemill.server.models;

import org.jspecify.annotations.NullMarked;

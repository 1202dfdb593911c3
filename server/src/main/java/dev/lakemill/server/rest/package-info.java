/** Unity Catalog's open REST API, its Delta API and the parts of Databricks' beside it. */
@NullMarked
package dev.lakemill.server.rest;

import org.jspecify.annotations.NullMarked;

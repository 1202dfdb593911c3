/** Backups of a node: base backups, marks, and how a data folder is made out of them again. */
@org.jspecify.annotations.NullMarked
package dev.lakemill.server.backup;

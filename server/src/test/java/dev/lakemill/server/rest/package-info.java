@org.jspecify.annotations.NullMarked
package dev.lakemill.server.rest;

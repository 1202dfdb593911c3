/** Who somebody is: secrets, tokens, sessions, OAuth. */
@NullMarked
package dev.lakemill.identity;

import org.jspecify.annotations.NullMarked;

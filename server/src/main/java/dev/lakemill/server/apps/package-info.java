/** Apps that the node hosts: deployed, supervised, and reached through its login. */
@NullMarked
package dev.lakemill.server.apps;

import org.jspecify.annotations.NullMarked;

/** The vertical farm's producers, simulated: a world model and the process that sends its rows. */
@NullMarked
package dev.lakemill.farm;

import org.jspecify.annotations.NullMarked;

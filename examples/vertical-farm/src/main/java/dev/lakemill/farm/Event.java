package dev.lakemill.farm;

import java.util.Optional;

/**
 * A row as it is sent.
 *
 * @param number the n of its event_id, from 0; that of the row repeated for a duplicate
 * @param fault what is wrong with it on purpose
 */
record Event(FarmRow row, long number, Optional<Fault> fault) {

    boolean is(Fault wanted) {
        return fault.isPresent() && fault.get() == wanted;
    }
}

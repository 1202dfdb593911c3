package dev.lakemill.server.apps;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * An app as Postgres has it.
 *
 * @param id of its securable
 * @param slot a small number of its own, from which its system user comes
 * @param running whether it is to run
 * @param active the version that runs, or ran; null before the first deployment that succeeded
 */
record AppRow(
        UUID id,
        String name,
        UUID principal,
        int slot,
        boolean running,
        @Nullable Integer active) {}

package dev.lakemill.sync;

import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/** Postgres failed, or refused, at one table. */
final class TableFailure extends Exception {
    private static final long serialVersionUID = 1L;

    private final transient Target target;
    private final boolean mayPass;

    TableFailure(Target target, SQLException cause) {
        super("%s: %s".formatted(target.spec().name(), cause.getMessage()), cause);
        this.target = target;
        this.mayPass = mayPass(cause.getSQLState());
    }

    Target target() {
        return target;
    }

    /** Whether the same may go through later: lost connections, full disks, locks, deadlocks. */
    boolean mayPass() {
        return mayPass;
    }

    private static boolean mayPass(@Nullable String state) {
        return state == null || state.matches("(08|40|53|55|57|58|XX).*");
    }
}

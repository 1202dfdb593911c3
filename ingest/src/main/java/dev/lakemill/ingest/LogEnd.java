package dev.lakemill.ingest;

import dev.lakemill.wal.Log;

/** What landings ask of the log: how far it is, and to let go what nobody needs any more. */
interface LogEnd {
    long durableLsn();

    void release(long lsn);

    static LogEnd of(Log log) {
        return new LogEnd() {
            @Override
            public long durableLsn() {
                return log.durableLsn();
            }

            @Override
            public void release(long lsn) {
                log.release(lsn);
            }
        };
    }
}

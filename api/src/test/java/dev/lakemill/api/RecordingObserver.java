package dev.lakemill.api;

import dev.lakemill.types.LakemillException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Writes down what it hears, as text. */
final class RecordingObserver implements ProducerObserver {
    final List<String> events = new CopyOnWriteArrayList<>();

    @Override
    public void opened(String streamId) {
        events.add("opened");
    }

    @Override
    public void acked(long first, long last, long atMicros) {
        events.add("acked " + first + "-" + last);
    }

    @Override
    public void resent(long first, long last, long rows) {
        events.add("resent " + first + "-" + last + " rows " + rows);
    }

    @Override
    public void reconnecting(int attempt, Duration wait, String cause) {
        events.add("reconnecting " + attempt);
    }

    @Override
    public void failed(LakemillException error) {
        events.add("failed " + error.code());
    }
}

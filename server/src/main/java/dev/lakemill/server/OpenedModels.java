package dev.lakemill.server;

import dev.lakemill.catalog.ModelVersion;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Securable;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.UUID;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Versions of models that are kept open between scores, since to open one may take longer than to
 * score. Safe to use from any thread.
 *
 * <p>At most {@value #OPEN_MAX} are kept; beyond that, the one closes that was not used for the
 * longest time. At most {@value #SCORES_AT_ONCE_MAX} scores run at once, others wait a moment and
 * are refused then. A version that is let go of while it scores is closed by the last that scores,
 * so that never more than the sum of both are open.
 *
 * @param <M> a model that is open
 */
final class OpenedModels<M> implements AutoCloseable {
    static final int OPEN_MAX = 8;
    static final int SCORES_AT_ONCE_MAX = 16;

    private final Function<ModelVersion, M> open;
    private final Consumer<M> close;
    private final Duration waitMax;
    private final Semaphore turns = new Semaphore(SCORES_AT_ONCE_MAX, true);

    /** The longest unused first; guarded by this, as are counts of users. */
    private final LinkedHashMap<UUID, Held> held = new LinkedHashMap<>(16, 0.75f, true);

    private boolean closed;

    /** The model is guarded by its own monitor: while it is opened, others score. */
    private final class Held {
        final Securable name;
        private @Nullable M model;
        private int users;
        private boolean released;

        Held(Securable name) {
            this.name = name;
        }

        synchronized M opened(ModelVersion version) {
            var known = model;
            if (known == null) {
                known = open.apply(version);
                model = known;
            }
            return known;
        }

        synchronized void shut() {
            var known = model;
            model = null;
            if (known != null) {
                close.accept(known);
            }
        }
    }

    OpenedModels(Function<ModelVersion, M> open, Consumer<M> close, Duration waitMax) {
        this.open = open;
        this.close = close;
        this.waitMax = waitMax;
    }

    /**
     * @param work that keeps nothing of the model
     * @throws LakemillException RESOURCE_EXHAUSTED when too many scores run
     */
    <T> T use(ModelVersion version, Function<M, T> work) {
        awaitTurn();
        try {
            var taken = take(version);
            try {
                return work.apply(taken.opened(version));
            } finally {
                giveBack(taken);
            }
        } finally {
            turns.release();
        }
    }

    private void awaitTurn() {
        try {
            if (turns.tryAcquire(waitMax.toMillis(), TimeUnit.MILLISECONDS)) {
                return;
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
        throw new LakemillException(
                ErrorCode.RESOURCE_EXHAUSTED,
                "%d requests are scored already".formatted(SCORES_AT_ONCE_MAX),
                "ask again when one has ended, or send more rows with one request");
    }

    private synchronized Held take(ModelVersion version) {
        var taken = held.computeIfAbsent(version.id(), _ -> new Held(version.model()));
        taken.users++;
        if (closed) {
            release(held.remove(version.id()));
        } else if (held.size() > OPEN_MAX) {
            release(held.remove(held.sequencedKeySet().getFirst()));
        }
        return taken;
    }

    private synchronized void giveBack(Held taken) {
        taken.users--;
        if (taken.released && taken.users == 0) {
            taken.shut();
        }
    }

    /** Closed now, or by the last that scores with it. */
    private void release(@Nullable Held gone) {
        if (gone != null) {
            gone.released = true;
            if (gone.users == 0) {
                gone.shut();
            }
        }
    }

    /** A model has fewer versions, or is gone. */
    synchronized void forget(Securable model) {
        var gone = held.values().stream().filter(each -> each.name.equals(model)).toList();
        held.values().removeAll(gone);
        gone.forEach(this::release);
    }

    @Override
    public synchronized void close() {
        closed = true;
        held.values().forEach(this::release);
        held.clear();
    }
}

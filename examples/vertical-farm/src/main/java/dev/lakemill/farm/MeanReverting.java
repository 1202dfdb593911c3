package dev.lakemill.farm;

import java.util.random.RandomGenerator;

/**
 * A walk that drifts off and comes back: an Ornstein-Uhlenbeck process, stepped exactly over any
 * stretch of time, so its spread does not depend on how often it is asked. Give the value as a
 * factor round 1.
 */
final class MeanReverting {
    private final RandomGenerator random;
    private final double returnHours;
    private final double spread;
    private double state;
    private long atMicros = Long.MIN_VALUE;

    /**
     * @param returnHours after which 1/e of a deviation is left
     * @param spread standard deviation of the factor's logarithm in the long run
     */
    MeanReverting(RandomGenerator random, double returnHours, double spread) {
        this.random = random;
        this.returnHours = returnHours;
        this.spread = spread;
        this.state = random.nextGaussian();
    }

    /** The factor at a time that never goes back. */
    double factor(long nowMicros) {
        if (atMicros != Long.MIN_VALUE && nowMicros > atMicros) {
            var hours = (double) (nowMicros - atMicros) / RowModel.MICROS_PER_HOUR;
            var kept = Math.exp(-hours / returnHours);
            state = state * kept + Math.sqrt(1 - kept * kept) * random.nextGaussian();
        }
        atMicros = nowMicros;
        return Math.exp(spread * state);
    }
}

package dev.lakemill.agents.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;

/** When a provider is asked, with a clock that moves by hand. */
final class CircuitBreakerTest {
    private Instant now = Instant.parse("2026-11-29T12:00:00Z");
    private final CircuitBreaker breaker =
            new CircuitBreaker(
                    new Clock() {
                        @Override
                        public ZoneId getZone() {
                            return ZoneOffset.UTC;
                        }

                        @Override
                        public Clock withZone(ZoneId zone) {
                            return this;
                        }

                        @Override
                        public Instant instant() {
                            return now;
                        }
                    });

    @Test
    void afterFiveFailuresOneCallDecidesWhenTheTimeIsUp() {
        fail(5);
        assertThat(breaker.state()).isEqualTo(CircuitBreaker.State.OPEN);
        assertThat(breaker.admits()).isFalse();
        now = now.plusSeconds(31);
        assertThat(breaker.state()).isEqualTo(CircuitBreaker.State.HALF_OPEN);
        assertThat(breaker.admits()).isTrue();
        assertThat(breaker.admits()).as("while the one is under way").isFalse();
        breaker.failed();
        assertThat(breaker.admits()).isFalse();
        now = now.plusSeconds(31);
        assertThat(breaker.admits()).isTrue();
        breaker.succeeded();
        assertThat(breaker.state()).isEqualTo(CircuitBreaker.State.CLOSED);
        assertThat(breaker.admits()).isTrue();
        assertThat(breaker.admits()).isTrue();
    }

    @Test
    void aSuccessForgetsFailures() {
        fail(4);
        breaker.succeeded();
        fail(4);
        assertThat(breaker.admits()).isTrue();
    }

    @Test
    void theCallThatDecidesMayEndWithoutSayingAnything() {
        fail(5);
        now = now.plusSeconds(31);
        assertThat(breaker.admits()).isTrue();
        breaker.released();
        assertThat(breaker.admits()).as("another decides").isTrue();
    }

    @Test
    void aPauseLastsAsLongAsItWasAskedForWithinItsLimit() {
        breaker.paused(Duration.ofSeconds(3));
        assertThat(breaker.admits()).isFalse();
        now = now.plusSeconds(4);
        assertThat(breaker.admits()).isTrue();
        breaker.paused(Duration.ofHours(1));
        now = now.plusSeconds(31);
        assertThat(breaker.admits()).isTrue();
    }

    private void fail(int times) {
        for (int i = 0; i < times; i++) {
            assertThat(breaker.admits()).isTrue();
            breaker.failed();
        }
    }
}

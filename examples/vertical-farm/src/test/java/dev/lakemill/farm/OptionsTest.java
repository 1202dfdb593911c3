package dev.lakemill.farm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.api.Endpoint;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class OptionsTest {
    @Test
    void withoutArgumentsADayOfHistoryAndTwoThousandRowsASecond() {
        assertThat(Options.parse(List.of()))
                .isEqualTo(
                        new Options(
                                Endpoint.plaintext("127.0.0.1", 7077),
                                2_000,
                                0,
                                1,
                                24,
                                null,
                                false));
    }

    @Test
    void everyOptionIsRead() {
        var arguments =
                "--endpoint farm:1 --tls-ca ca.pem --rate 10 --seconds 5 --seed -3"
                        + " --history-hours 2 --truth truth.json --ack-samples";
        assertThat(Options.parse(List.of(arguments.split(" "))))
                .isEqualTo(
                        new Options(
                                Endpoint.tls("farm", 1, Path.of("ca.pem")),
                                10,
                                5,
                                -3,
                                2,
                                Path.of("truth.json"),
                                true));
    }

    @Test
    void anEndpointMayHaveItsScheme() {
        assertThat(Options.parse(List.of("--endpoint", "http://127.0.0.1:9")).endpoint())
                .isEqualTo(Endpoint.plaintext("127.0.0.1", 9));
    }

    @Test
    void noHistoryIsNoHours() {
        assertThat(Options.parse(List.of("--no-history")).historyHours()).isZero();
    }

    @Test
    void wrongArgumentsAreToldOf() {
        assertThatThrownBy(() -> Options.parse(List.of("--speed", "1")))
                .hasMessage("there is no option --speed");
        assertThatThrownBy(() -> Options.parse(List.of("--rate")))
                .hasMessage("--rate needs a value");
        assertThatThrownBy(() -> Options.parse(List.of("--rate", "0")))
                .hasMessage("--rate is '0'; give a whole number from 1 to 200000");
    }
}

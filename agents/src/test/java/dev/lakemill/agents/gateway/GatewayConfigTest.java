package dev.lakemill.agents.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.types.LakemillException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What lakemill.yml may say of models, and what is told of what it may not. */
final class GatewayConfigTest {
    private static final String GOOD = "{name: p, base_url: 'http://gpu:8000/v1/', model: m}";

    @Test
    void theFirstEndpointIsTheDefaultOne() {
        var config =
                read(
                        "{endpoints: [{name: a, providers: [%s]}, {name: b, providers: [%s]}]}"
                                .formatted(GOOD, GOOD));
        assertThat(config.endpoint("").orElseThrow().name()).isEqualTo("a");
        assertThat(config.endpoint("default").orElseThrow().name()).isEqualTo("a");
        assertThat(config.endpoint("template").orElseThrow().isTemplateAlone()).isTrue();
        assertThat(config.endpoint("c")).isEmpty();
        assertThat(GatewayConfig.none().endpoint("").orElseThrow().isTemplateAlone()).isTrue();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{name: a}|providers",
                "{name: a, providers: [{name: p, model: m}]}|base_url",
                "{name: a, providers: [{name: p, model: m, base_url: 'file:///etc/passwd'}]}|base_url",
                "{name: a, providers: [{name: p, model: m, base_url: 'http://u:p@gpu/v1'}]}|base_url",
                "{name: a, providers: [{name: p, model: m, base_url: 'http://gpu/v1', api_key: sk-1}]}|no reference",
                "{name: a, providers: [{name: p, base_url: 'http://gpu/v1'}]}|no model",
                "{name: a, provders: []}|'provders' is not a key",
                "{name: 'a b', providers: []}|no name of an endpoint",
                "{name: template, providers: [GOOD]}|the name is taken",
                "{name: a, providers: [GOOD], timeout_seconds: 0}|timeout_seconds",
                "{name: a, providers: [GOOD], rate_limits: [{key: user}]}|limits nothing",
                "{name: a, providers: [GOOD], rate_limits: [{key: user_group, calls: 1}]}|group",
                "{name: a, providers: [GOOD], rate_limits: [{key: planet, calls: 1}]}|planet",
                "{name: a, providers: [GOOD], guardrails: {input: {safety: true}}}|model that judges",
                "{name: a, providers: [GOOD], guardrails: {output: {valid_topics: [food]}}}|model that judges",
                "{name: a, providers: [GOOD], guardrails: {input: {pii: {behavior: EAT}}}}|EAT",
                "{name: a, providers: [{name: p, model: m, base_url: 'http://gpu/v1', api_key: '{{secrets/../key}}'}]}|no reference",
            })
    void tellsWhatIsWrongAndWhere(String endpoint, String told) {
        var text = "{endpoints: [%s]}".formatted(endpoint.replace("GOOD", GOOD));
        assertThatThrownBy(() -> read(text))
                .isInstanceOf(LakemillException.class)
                .hasMessageContaining("models.endpoints[")
                .hasMessageContaining(told);
    }

    @Test
    void aJudgeIsAnotherEndpointThatIsNotJudged() {
        for (var judge : List.of("a", "template", "none")) {
            var text =
                    "{endpoints: [{name: a, providers: [%s], guardrails: {input: {safety: true}, judge: %s}}]}"
                            .formatted(GOOD, judge);
            assertThatThrownBy(() -> read(text))
                    .hasMessageContaining("'%s' cannot judge what 'a' is asked".formatted(judge));
        }
    }

    private static GatewayConfig read(String yaml) {
        var tree = new org.yaml.snakeyaml.Yaml().<Object>load(yaml);
        return GatewayConfig.read(new ObjectMapper().valueToTree(tree), Path.of("."), _ -> null);
    }
}

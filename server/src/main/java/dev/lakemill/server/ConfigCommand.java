package dev.lakemill.server;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Prints every setting with its value in this project. */
@Command(
        name = "config",
        description = "Lists every setting: key, environment variable, value and meaning.",
        mixinStandardHelpOptions = true)
final class ConfigCommand implements Callable<Integer> {
    @Spec private CommandSpec spec;

    @Option(
            names = "--project",
            paramLabel = "DIR",
            defaultValue = ".",
            description = "folder with lakemill.yml (default: the current one)")
    private Path project;

    @Override
    public Integer call() {
        var config = Config.load(project, System.getenv());
        var out = spec.commandLine().getOut();
        for (var setting : Setting.values()) {
            out.printf(
                    "%-26s %-32s %-14s %s%n",
                    setting.key(),
                    setting.variable(),
                    config.text(setting).isEmpty() ? "-" : config.text(setting),
                    setting.meaning());
        }
        return 0;
    }
}

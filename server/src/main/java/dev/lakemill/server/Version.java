package dev.lakemill.server;

import picocli.CommandLine.IVersionProvider;

/** The version, as the build wrote it into the jar or class folder. */
final class Version implements IVersionProvider {
    static final String NUMBER = "0.1.0";

    @Override
    public String[] getVersion() {
        return new String[] {"lakemill " + NUMBER};
    }
}

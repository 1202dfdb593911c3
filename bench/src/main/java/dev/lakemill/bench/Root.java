package dev.lakemill.bench;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The source checkout, and how its parts are started as processes of their own. */
final class Root {
    private Root() {}

    static Path folder() {
        return Path.of(System.getProperty("lakemill.root", ".")).toAbsolutePath().normalize();
    }

    /** A java command with the class path of a module and the flags that our libraries need. */
    static List<String> java(String module, String mainClass, List<String> jvmOptions) {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("@" + folder().resolve("jvm.flags"));
        command.addAll(jvmOptions);
        command.add("-Dlakemill.root=" + folder());
        command.add("-cp");
        command.add(classPath(module));
        command.add(mainClass);
        return command;
    }

    private static String classPath(String module) {
        var target = folder().resolve(module).resolve("target");
        if (!Files.isDirectory(target.resolve("lib"))) {
            throw new IllegalStateException(target.resolve("lib") + " is missing: run ./lakemill");
        }
        return target.resolve("lib") + "/*";
    }
}

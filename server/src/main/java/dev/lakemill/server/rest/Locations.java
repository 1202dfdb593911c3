package dev.lakemill.server.rest;

import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.SecurableInfo;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Where data lies, as URIs: which external location covers a place, and what lies there already.
 *
 * <p>Two names of one folder are one place: file URIs, however their scheme is written, are
 * resolved through dots and links before they are compared or kept, so that nobody reaches a
 * governed table by another path to it.
 */
final class Locations {
    private static final String OWN = "the node's own data folder";

    private final Catalog catalog;
    private final Path data;
    private final ReentrantLock claims = new ReentrantLock();

    /**
     * @param data the node's own folder, which no location of anybody may touch
     */
    Locations(Catalog catalog, Path data) {
        this.catalog = catalog;
        this.data = real(data);
    }

    /** The form that is kept: without a slash at its end. INVALID_ARGUMENT for what is no URI. */
    static String normal(String url) {
        try {
            var uri = new URI(url.strip());
            if (uri.getScheme() == null) {
                throw bad(url, null);
            }
            if (!uri.getScheme().equalsIgnoreCase("file")) {
                return strip(uri.normalize().toString());
            }
            if (uri.getPath() == null) {
                throw bad(url, null);
            }
            return uri(real(Path.of(uri.getPath())));
        } catch (URISyntaxException | IllegalArgumentException e) {
            throw bad(url, e);
        }
    }

    static boolean isFile(String url) {
        return url.startsWith("file:");
    }

    /** A new folder of the node's own for a volume, a model or a managed table. */
    String own(String kind, UUID id) {
        return uri(data.resolve(kind).resolve(id.toString()));
    }

    static Path folder(String url) {
        return Path.of(URI.create(url));
    }

    /** The innermost external location that holds the place. */
    Optional<SecurableInfo> covering(String url) {
        return catalog
                .securables()
                .list(Securable.METASTORE, SecurableType.EXTERNAL_LOCATION)
                .stream()
                .filter(location -> holds(location.location(), url))
                .max(Comparator.comparingInt(location -> location.location().length()));
    }

    /**
     * Looks and takes a place in one go: of two who want it at once, one finds it taken.
     *
     * @param take looks whether the place is free, and makes what lies there
     */
    <T> T claim(Supplier<T> take) {
        claims.lock();
        try {
            return take.get();
        } finally {
            claims.unlock();
        }
    }

    /** INVALID_ARGUMENT for a place in or around the node's own data folder. */
    void requireOutside(String url) {
        if (touchesData(url)) {
            throw overlapping(url, OWN);
        }
    }

    private boolean touchesData(String url) {
        return isFile(url) && overlap(uri(data), url);
    }

    /** What governs the place already, in words; empty when nothing does. */
    Optional<String> taken(String url) {
        if (touchesData(url)) {
            return Optional.of(OWN);
        }
        var tables =
                catalog.list().stream()
                        .filter(
                                table ->
                                        table.location().contains("://")
                                                || isFile(table.location()))
                        .filter(table -> overlap(table.location(), url))
                        .map(table -> "the table " + table.name());
        return Stream.concat(tables, volumes(url)).findFirst();
    }

    private Stream<String> volumes(String url) {
        return catalog.securables().list(Securable.METASTORE, SecurableType.CATALOG).stream()
                .flatMap(
                        c ->
                                catalog
                                        .securables()
                                        .list(c.securable(), SecurableType.SCHEMA)
                                        .stream())
                .flatMap(
                        s ->
                                catalog
                                        .securables()
                                        .list(s.securable(), SecurableType.VOLUME)
                                        .stream())
                .filter(volume -> overlap(volume.location(), url))
                .map(volume -> "the volume " + volume.securable().name());
    }

    /** INVALID_ARGUMENT when something lies there, above it or below it. */
    void requireFree(String url) {
        taken(url)
                .ifPresent(
                        what -> {
                            throw overlapping(url, what);
                        });
    }

    private static LakemillException overlapping(String url, String what) {
        return new LakemillException(
                ErrorCode.INVALID_ARGUMENT,
                "%s overlaps %s".formatted(url, what),
                "choose a folder that nothing else lies in or around");
    }

    private static String uri(Path path) {
        return strip("file://" + path.toUri().getRawPath());
    }

    private static boolean overlap(String a, String b) {
        return holds(a, b) || holds(b, a);
    }

    private static boolean holds(String outer, String inner) {
        var folder = strip(outer) + "/";
        return (strip(inner) + "/").startsWith(folder);
    }

    private static String strip(String url) {
        var end = url.length();
        while (end > 1 && url.charAt(end - 1) == '/' && url.charAt(end - 2) != ':') {
            end--;
        }
        return url.substring(0, end);
    }

    private static Path real(Path path) {
        var normal = path.toAbsolutePath().normalize();
        try {
            for (var at = normal; at != null; at = at.getParent()) {
                if (Files.exists(at)) {
                    return at.toRealPath().resolve(at.relativize(normal)).normalize();
                }
            }
            return normal;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static LakemillException bad(String url, @Nullable Exception cause) {
        var problem = "'%s' is not a location".formatted(url);
        var hint = "write a URI such as file:///data/sales or s3://bucket/sales";
        return cause == null
                ? new LakemillException(ErrorCode.INVALID_ARGUMENT, problem, hint)
                : new LakemillException(ErrorCode.INVALID_ARGUMENT, problem, hint, cause);
    }
}

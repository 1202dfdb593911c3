package dev.lakemill.server.apps;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipArchiveOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an upload cannot do: leave its folder, link out of it, or fill the disk. */
final class AppArchiveTest {
    private static final AppArchive.Limits SMALL = new AppArchive.Limits(50, 2 << 20, 4 << 20);

    @TempDir Path folder;

    private interface Content {
        void to(TarArchiveOutputStream tar) throws IOException;
    }

    private AppArchive.Unpacked tar(Content content) throws IOException {
        var archive = folder.resolve("app.tar.gz");
        try (var tar =
                new TarArchiveOutputStream(new GZIPOutputStream(Files.newOutputStream(archive)))) {
            content.to(tar);
        }
        return AppArchive.unpack(archive, Files.createTempDirectory(folder, "out"), SMALL);
    }

    private static void file(TarArchiveOutputStream tar, String name, String text)
            throws IOException {
        var entry = new TarArchiveEntry(name, true);
        entry.setSize(text.length());
        tar.putArchiveEntry(entry);
        tar.write(text.getBytes(java.nio.charset.StandardCharsets.US_ASCII));
        tar.closeArchiveEntry();
    }

    @Test
    void theDigestIsOfNamesAndContentAlone() throws IOException {
        var one =
                tar(
                        t -> {
                            file(t, "a.txt", "1");
                            file(t, "b/c.txt", "2");
                        });
        var other =
                tar(
                        t -> {
                            file(t, "./b/c.txt", "2");
                            file(t, "a.txt", "1");
                        });
        assertThat(one).isEqualTo(other);
        assertThat(tar(t -> file(t, "a.txt", "12")).digest()).isNotEqualTo(one.digest());
    }

    @Test
    void pathsStayInTheFolder() {
        for (var name :
                new String[] {
                    "../a", "a/../../b", "/etc/a", "a\\..\\b", "a/\u0001", "..", "a/.."
                }) {
            assertThatThrownBy(() -> tar(t -> file(t, name, "x")))
                    .as(name)
                    .hasMessageContaining("is no path of an app");
        }
        assertThat(folder.resolve("a")).doesNotExist();
        assertThatThrownBy(
                        () ->
                                tar(
                                        t -> {
                                            file(t, "a", "x");
                                            file(t, "./a", "y");
                                        }))
                .hasMessageContaining("twice");
    }

    @Test
    void linksAndDevicesAreRefused() {
        for (var type :
                new byte[] {
                    TarConstants.LF_SYMLINK,
                    TarConstants.LF_LINK,
                    TarConstants.LF_CHR,
                    TarConstants.LF_FIFO
                }) {
            assertThatThrownBy(
                            () ->
                                    tar(
                                            t -> {
                                                var entry = new TarArchiveEntry("link", type);
                                                entry.setLinkName("/etc/passwd");
                                                t.putArchiveEntry(entry);
                                                t.closeArchiveEntry();
                                            }))
                    .hasMessageContaining("is a link or a device");
        }
    }

    @Test
    void zipsAreHeldToTheSame() throws IOException {
        assertThatThrownBy(() -> zip("../a", 0100644)).hasMessageContaining("is no path");
        assertThatThrownBy(() -> zip("link", 0120777)).hasMessageContaining("is a link");
        assertThat(zip("a/b.txt", 0100755).files()).isEqualTo(1);
    }

    private AppArchive.Unpacked zip(String name, int mode) throws IOException {
        var archive = folder.resolve("app.zip");
        try (var zip = new ZipArchiveOutputStream(archive)) {
            var entry = new ZipArchiveEntry(name);
            entry.setUnixMode(mode);
            zip.putArchiveEntry(entry);
            zip.write(new byte[] {1});
            zip.closeArchiveEntry();
        }
        return AppArchive.unpack(archive, Files.createTempDirectory(folder, "out"), SMALL);
    }

    @Test
    void whatSwellsIsStopped() {
        assertThatThrownBy(
                        () ->
                                tar(
                                        t -> {
                                            var entry = new TarArchiveEntry("bomb", true);
                                            entry.setSize(SMALL.fileBytesMax() + 1);
                                            t.putArchiveEntry(entry);
                                            zeros(t, SMALL.fileBytesMax() + 1);
                                            t.closeArchiveEntry();
                                        }))
                .hasMessageContaining("larger than 2 MB");
        assertThatThrownBy(
                        () ->
                                tar(
                                        t -> {
                                            for (int i = 0; i <= SMALL.filesMax(); i++) {
                                                t.putArchiveEntry(
                                                        new TarArchiveEntry("d" + i + "/", true));
                                                t.closeArchiveEntry();
                                            }
                                        }))
                .hasMessageContaining("more than 50 files");
    }

    private static void zeros(OutputStream out, long bytes) throws IOException {
        var piece = new byte[1 << 20];
        for (long left = bytes; left > 0; left -= piece.length) {
            out.write(piece, 0, (int) Math.min(left, piece.length));
        }
    }

    @Test
    void whatIsNoArchiveIsTold() throws IOException {
        var text = folder.resolve("text");
        Files.writeString(text, "hello");
        assertThatThrownBy(() -> AppArchive.unpack(text, folder, SMALL))
                .hasMessageContaining("neither .tar.gz nor .zip");
        Files.write(text, new byte[] {0x1f, (byte) 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2});
        assertThatThrownBy(() -> AppArchive.unpack(text, folder, SMALL))
                .hasMessageContaining("cannot be unpacked");
    }
}

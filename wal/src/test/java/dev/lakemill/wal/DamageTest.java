package dev.lakemill.wal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What the log makes of bytes that are not as it wrote them. */
final class DamageTest {
    private static final Path FOLDER = Path.of("/log");
    private static final LogConfig CONFIG = new LogConfig(20_000, 200_000, 100_000, 4_000);

    @Test
    void noDamageToAcknowledgedFramesGoesUnnoticed() {
        Seeds.check(200, this::noDamageToAcknowledgedFramesGoesUnnoticed);
    }

    private void noDamageToAcknowledgedFramesGoesUnnoticed(long seed) throws Exception {
        Random random = new Random(seed);
        SimulatedDisk disk = new SimulatedDisk(random);
        List<Durable> written = write(disk, random, 1 + random.nextInt(60));
        Path file = pick(disk.files(Segment.SEGMENT), random);
        byte[] bytes = disk.bytes(file);
        int at = random.nextInt(bytes.length);
        int count = 1 + random.nextInt(random.nextInt(800) + 1);
        spoil(bytes, at, Math.min(bytes.length, at + count), finalMark(disk, file), random);
        try {
            assertThat(Frames.told(replayed(disk))).isEqualTo(Frames.told(written));
        } catch (LakemillException e) {
            assertThat(e.code()).isEqualTo(ErrorCode.DATA_LOSS);
            assertThat(e.getMessage()).contains(file.toString());
        }
    }

    /** Where the mark begins that closing left, the proof for all before. */
    private static int finalMark(SimulatedDisk disk, Path file) throws Exception {
        boolean last = file.equals(disk.files(Segment.SEGMENT).getLast());
        return last ? end(disk) - FrameFormat.HEADER_BYTES : Integer.MAX_VALUE;
    }

    /** The position behind the newest segment's frames. */
    private static int end(SimulatedDisk disk) throws Exception {
        Recovery recovery = new Recovery(FOLDER, disk);
        recovery.run();
        return (int) recovery.segments().getLast().header().position(recovery.endLsn());
    }

    private static void spoil(byte[] bytes, int from, int to, int mark, Random random) {
        boolean zeros = random.nextBoolean();
        for (int i = from; i < to; i++) {
            boolean spared = i >= mark && i < mark + FrameFormat.HEADER_BYTES;
            bytes[i] = spared ? bytes[i] : zeros ? 0 : (byte) random.nextInt();
        }
    }

    @Test
    void aDamagedFrameNamesItsSegmentAndByteAndChangesNothing() throws Exception {
        SimulatedDisk disk = new SimulatedDisk(new Random(1));
        write(disk, new Random(1), 40);
        Path file = disk.files(Segment.SEGMENT).getFirst();
        byte[] bytes = disk.bytes(file);
        bytes[SegmentHeader.BLOCK_BYTES + 10]++;
        byte[] before = bytes.clone();
        assertThatThrownBy(() -> replayed(disk))
                .isInstanceOf(LakemillException.class)
                .hasMessageContaining(file + " is damaged at byte 4096, LSN 0")
                .hasMessageContaining("hint: nothing was changed");
        assertThat(disk.bytes(file)).isEqualTo(before);
    }

    @Test
    void whereTheLossIsAcceptedEveryUndamagedFrameIsKept() {
        Seeds.check(200, this::whereTheLossIsAcceptedEveryUndamagedFrameIsKept);
    }

    private void whereTheLossIsAcceptedEveryUndamagedFrameIsKept(long seed) throws Exception {
        Random random = new Random(seed);
        SimulatedDisk disk = new SimulatedDisk(random);
        List<Durable> written = write(disk, random, 20 + random.nextInt(40));
        Path file = pick(disk.files(Segment.SEGMENT), random);
        SegmentHeader header = SegmentHeader.decode(ByteBuffer.wrap(disk.bytes(file)));
        Durable spoiled = pick(within(written, header.baseLsn(), nextBase(disk, file)), random);
        disk.bytes(file)[(int) header.position(spoiled.lsn()) - 1]++;
        assertThatThrownBy(() -> replayed(disk)).hasMessageContaining("create the empty file");
        disk.create(Segment.path(FOLDER, header.baseLsn(), Segment.LOST));
        List<Durable> kept = new ArrayList<>(written);
        kept.remove(spoiled);
        assertThat(Frames.told(replayed(disk))).isEqualTo(Frames.told(kept));
        assertThat(Frames.told(replayed(disk))).isEqualTo(Frames.told(kept));
    }

    private static long nextBase(SimulatedDisk disk, Path file) {
        return disk.files(Segment.SEGMENT).stream()
                .filter(other -> other.compareTo(file) > 0)
                .mapToLong(
                        other -> SegmentHeader.decode(ByteBuffer.wrap(disk.bytes(other))).baseLsn())
                .min()
                .orElse(Long.MAX_VALUE);
    }

    private static List<Durable> within(List<Durable> frames, long base, long end) {
        return frames.stream()
                .filter(durable -> durable.lsn() > base && durable.lsn() <= end)
                .toList();
    }

    @Test
    void anUnfinishedLastWriteIsDroppedAndOverwritten() throws Exception {
        SimulatedDisk disk = new SimulatedDisk(new Random(1));
        List<Durable> written = write(disk, new Random(1), 3);
        Path file = disk.files(Segment.SEGMENT).getLast();
        int end = end(disk);
        appendUnacknowledged(disk, file, end);
        disk.bytes(file)[end + 70]++;
        assertThat(Frames.told(replayed(disk))).isEqualTo(Frames.told(written));
        assertThat(Arrays.copyOfRange(disk.bytes(file), end + 64, end + 600)).containsOnly(0);
    }

    /** Two frames of one group, of which the first will be torn and the second stays whole. */
    private static void appendUnacknowledged(SimulatedDisk disk, Path file, int position)
            throws Exception {
        SegmentHeader header = SegmentHeader.decode(ByteBuffer.wrap(disk.bytes(file)));
        SegmentWriter writer =
                new SegmentWriter(
                        new Segment(file, header),
                        disk.open(file),
                        ByteBuffer.allocateDirect(10_000),
                        position);
        long durable = header.lsn(position);
        writer.append(Frames.frame(900, 200), FrameFormat.ROWS, durable);
        writer.append(Frames.frame(901, 200), FrameFormat.ROWS, durable);
        writer.sync();
    }

    @Test
    void aMissingSegmentIsDamage() throws Exception {
        SimulatedDisk disk = new SimulatedDisk(new Random(1));
        write(disk, new Random(1), 60);
        List<Path> files = disk.files(Segment.SEGMENT);
        assertThat(files).hasSizeGreaterThan(2);
        disk.remove(files.get(1));
        assertThatThrownBy(() -> replayed(disk)).hasMessageContaining("is missing");
    }

    @Test
    void aHeaderThatIsNotWholeIsDamage() throws Exception {
        SimulatedDisk disk = new SimulatedDisk(new Random(1));
        write(disk, new Random(1), 1);
        disk.bytes(disk.files(Segment.SEGMENT).getFirst())[20]++;
        assertThatThrownBy(() -> replayed(disk)).hasMessageContaining("its header is not whole");
    }

    @Test
    void whatRecycledSegmentsStillHoldIsNeverTakenForNew() throws Exception {
        SimulatedDisk disk = new SimulatedDisk(new Random(1));
        Acknowledged acknowledged = new Acknowledged();
        try (Log log = open(disk, new ArrayList<>(), acknowledged)) {
            for (int i = 0; i < 500; i++) {
                Frames.offer(log, Frames.frame(i, 300));
                acknowledged.awaitFrames(i + 1);
                log.release(log.durableLsn());
            }
            Frames.offer(log, Frames.frame(500, 300));
        }
        disk.restart(SimulatedDisk.End.POWER_CUT);
        assertThat(Frames.told(replayed(disk)))
                .isEqualTo(Frames.told(acknowledged.frames().subList(500, 501)));
    }

    private static List<Durable> write(SimulatedDisk disk, Random random, int frames)
            throws Exception {
        Acknowledged acknowledged = new Acknowledged();
        try (Log log = open(disk, new ArrayList<>(), acknowledged)) {
            for (int i = 0; i < frames; i++) {
                Frames.offer(log, Frames.frame(i, 1 + random.nextInt(2_000)));
            }
        }
        return acknowledged.frames();
    }

    private static List<Durable> replayed(SimulatedDisk disk) {
        List<Durable> replayed = new ArrayList<>();
        open(disk, replayed, new Acknowledged()).close();
        return replayed;
    }

    private static Log open(SimulatedDisk disk, List<Durable> replayed, Log.Listener listener) {
        Surroundings surroundings = new Surroundings(disk, new Random(3)::nextLong, 60_000, 1);
        return Log.open(FOLDER, CONFIG, surroundings, replayed::add, listener);
    }

    private static <T> T pick(List<T> list, Random random) {
        return list.get(random.nextInt(list.size()));
    }
}

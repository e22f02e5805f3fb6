package peers;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;

/** What both topologies are about: events, answers, panes, and how each is written. */
final class Job {
    static final long MINUTE_MS = 60_000;

    private static final ObjectMapper MAPPER = new ObjectMapper();

    private Job() {}

    /** An event of the topic; the time is in milliseconds. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    record Event(String ticket, String type, long time, String customer, String priority) {
        boolean isOpened() {
            return type.equals("opened");
        }

        Answer answers(long openedMs, Map<String, Long> targets) {
            return new Answer(ticket, customer, priority, time, time - openedMs, targets.get(priority));
        }
    }

    /** A first response, in milliseconds: when it came, how long it took, and what was promised. */
    record Answer(String ticket, String customer, String priority, long at, long took, long target) {
        boolean late() {
            return took >= target;
        }
    }

    /** The answers of a customer in a minute: their number, their sum and their maximum, of which follows the mean. */
    static final class Pane {
        long count;
        long sumMs;
        long maxMs;

        Pane plus(long tookMs) {
            count++;
            sumMs += tookMs;
            maxMs = Math.max(maxMs, tookMs);
            return this;
        }
    }

    static Serde<Event> events() {
        ObjectReader reader = MAPPER.readerFor(Event.class);
        return Serdes.serdeFrom((topic, event) -> { throw new UnsupportedOperationException(); },
                (topic, bytes) -> read(reader, bytes));
    }

    static Serde<Answer> answers() {
        ObjectReader reader = MAPPER.readerFor(Answer.class);
        ObjectWriter writer = MAPPER.writerFor(Answer.class);
        return Serdes.serdeFrom((topic, answer) -> write(writer, answer), (topic, bytes) -> read(reader, bytes));
    }

    /** Three numbers of eight bytes: the Python side reads them from the changelog. */
    static Serde<Pane> panes() {
        return Serdes.serdeFrom(
                (topic, pane) -> pane == null ? null
                        : ByteBuffer.allocate(24).putLong(pane.count).putLong(pane.sumMs).putLong(pane.maxMs).array(),
                (topic, bytes) -> {
                    if (bytes == null) {
                        return null;
                    }
                    ByteBuffer from = ByteBuffer.wrap(bytes);
                    Pane pane = new Pane();
                    pane.count = from.getLong();
                    pane.sumMs = from.getLong();
                    pane.maxMs = from.getLong();
                    return pane;
                });
    }

    /** Reads targets written as {@code P1=10800000,P2=14400000}. */
    static Map<String, Long> targets(String text) {
        Map<String, Long> targets = new HashMap<>();
        for (String one : text.split(",")) {
            String[] parts = one.split("=");
            targets.put(parts[0], Long.valueOf(parts[1]));
        }
        return targets;
    }

    private static <T> T read(ObjectReader reader, byte[] bytes) {
        try {
            return bytes == null ? null : reader.readValue(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static byte[] write(ObjectWriter writer, Object value) {
        try {
            return value == null ? null : writer.writeValueAsBytes(value);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

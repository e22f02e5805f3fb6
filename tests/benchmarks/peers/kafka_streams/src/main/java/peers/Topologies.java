package peers;

import java.time.Duration;
import java.util.Map;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.WindowStore;
import peers.Job.Answer;
import peers.Job.Event;
import peers.Job.Pane;

/** The job in the two ways of Kafka Streams. Stores are RocksDB with a changelog and the record cache, as by default. */
final class Topologies {
    /** Partitions drift apart while they catch up: nothing of the job may count as late. */
    private static final Duration GRACE = Duration.ofHours(96);

    private static final String OPENED = "opened";
    private static final String PANES = "panes";
    private static final Serde<String> STRING = Serdes.String();

    private Topologies() {}

    /** Answers are sent on by customer through a repartition topic, so that each pane is whole in one place. */
    static void dsl(StreamsBuilder builder, String source, String late, Map<String, Long> targets) {
        builder.addStateStore(openedStore());
        ProcessorSupplier<String, Event, String, Answer> response = () -> new FirstResponse(targets);
        KStream<String, Answer> answers = events(builder, source).process(response, OPENED);
        answers.filter((ticket, answer) -> answer.late()).to(late, Produced.with(STRING, Job.answers()));
        answers.selectKey((ticket, answer) -> answer.customer())
                .groupByKey(Grouped.with("by-customer", STRING, Job.answers()))
                .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMillis(Job.MINUTE_MS), GRACE))
                .aggregate(Pane::new, (customer, answer, pane) -> pane.plus(answer.took()),
                        Materialized.<String, Pane, WindowStore<Bytes, byte[]>>as(PANES)
                                .withKeySerde(STRING).withValueSerde(Job.panes()).withCachingEnabled()
                                .withRetention(GRACE.plusHours(1)));
    }

    /** One processor with both stores: a pane holds the answers of one source partition, as sla-monitor's do. */
    static void processor(StreamsBuilder builder, String source, String late, Map<String, Long> targets) {
        builder.addStateStore(openedStore());
        builder.addStateStore(cached(PANES, Job.panes()));
        ProcessorSupplier<String, Event, String, Answer> both = () -> new Both(targets);
        events(builder, source).process(both, OPENED, PANES).to(late, Produced.with(STRING, Job.answers()));
    }

    private static KStream<String, Event> events(StreamsBuilder builder, String source) {
        return builder.stream(source, Consumed.with(STRING, Job.events())
                .withTimestampExtractor((record, before) -> ((Event) record.value()).time()));
    }

    private static StoreBuilder<KeyValueStore<String, Long>> openedStore() {
        return cached(OPENED, Serdes.Long());
    }

    private static <V> StoreBuilder<KeyValueStore<String, V>> cached(String name, Serde<V> values) {
        return Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(name), STRING, values).withCachingEnabled();
    }

    /** The clock of a ticket: when it was opened, until it is answered. */
    private static class FirstResponse implements Processor<String, Event, String, Answer> {
        protected ProcessorContext<String, Answer> context;
        private final Map<String, Long> targets;
        private KeyValueStore<String, Long> opened;

        FirstResponse(Map<String, Long> targets) {
            this.targets = targets;
        }

        @Override
        public void init(ProcessorContext<String, Answer> context) {
            this.context = context;
            opened = context.getStateStore(OPENED);
        }

        @Override
        public void process(Record<String, Event> record) {
            Event event = record.value();
            if (event.isOpened()) {
                opened.put(record.key(), event.time());
                return;
            }
            Long openedMs = opened.delete(record.key());
            if (openedMs != null) {
                answered(record, event.answers(openedMs, targets));
            }
        }

        void answered(Record<String, Event> record, Answer answer) {
            context.forward(record.withValue(answer));
        }
    }

    /** The same, with the panes in a store beside it; it sends on late answers only. */
    private static final class Both extends FirstResponse {
        private KeyValueStore<String, Pane> panes;

        Both(Map<String, Long> targets) {
            super(targets);
        }

        @Override
        public void init(ProcessorContext<String, Answer> context) {
            super.init(context);
            panes = context.getStateStore(PANES);
        }

        @Override
        void answered(Record<String, Event> record, Answer answer) {
            String key = answer.customer() + "|" + answer.at() / Job.MINUTE_MS;
            Pane pane = panes.get(key);
            panes.put(key, (pane == null ? new Pane() : pane).plus(answer.took()));
            if (answer.late()) {
                super.answered(record, answer);
            }
        }
    }
}

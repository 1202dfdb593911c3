package dev.lakemill.farm;

import static dev.lakemill.farm.FarmTable.FieldType.DECIMAL;
import static dev.lakemill.farm.FarmTable.FieldType.DOUBLE;
import static dev.lakemill.farm.FarmTable.FieldType.INT;
import static dev.lakemill.farm.FarmTable.FieldType.LONG;
import static dev.lakemill.farm.FarmTable.FieldType.STRING;
import static dev.lakemill.farm.FarmTable.FieldType.TIMESTAMP;

import dev.lakemill.types.TableName;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * The tables that the farm's producers write, with the columns of pipelines/01_bronze.sql.
 *
 * <p>The first column is event_id, the last sent_at; these two are NOT NULL. Two of the four big
 * streams speak protobuf and two JSON, so that both are used all the time.
 */
enum FarmTable {
    DEMAND_EVENTS(
            'd',
            true,
            "occurred_at",
            field("event_id", STRING),
            field("sku", STRING),
            field("site", STRING),
            field("channel", STRING),
            field("trays_per_hour", DOUBLE),
            field("occurred_at", TIMESTAMP),
            field("sent_at", TIMESTAMP)),
    INVENTORY_MOVEMENTS(
            'i',
            false,
            "occurred_at",
            field("event_id", STRING),
            field("sku", STRING),
            field("site", STRING),
            field("kind", STRING),
            field("grams", LONG),
            field("lot", STRING),
            field("occurred_at", TIMESTAMP),
            field("sent_at", TIMESTAMP)),
    SUPPLIER_QUOTES(
            'q',
            true,
            "quoted_at",
            field("event_id", STRING),
            field("supplier_id", STRING),
            field("sku", STRING),
            field("price_per_kg", DECIMAL),
            field("currency", STRING),
            field("min_order_grams", LONG),
            field("lead_time_hours", INT),
            field("valid_until", TIMESTAMP),
            field("quoted_at", TIMESTAMP),
            field("sent_at", TIMESTAMP)),
    COMMODITY_PRICES(
            'c',
            false,
            "observed_at",
            field("event_id", STRING),
            field("commodity", STRING),
            field("unit", STRING),
            field("price", DECIMAL),
            field("market", STRING),
            field("observed_at", TIMESTAMP),
            field("sent_at", TIMESTAMP)),
    SKU_CHANGES(
            's',
            false,
            "changed_at",
            field("event_id", STRING),
            field("sku", STRING),
            field("name", STRING),
            field("family", STRING),
            field("grams_per_tray", DOUBLE),
            field("grow_days", INT),
            field("shelf_life_days", INT),
            field("changed_at", TIMESTAMP),
            field("sent_at", TIMESTAMP)),
    SUPPLIER_CHANGES(
            'u',
            false,
            "changed_at",
            field("event_id", STRING),
            field("supplier_id", STRING),
            field("name", STRING),
            field("country", STRING),
            field("email", STRING),
            field("reliability", DOUBLE),
            field("payment_terms_days", INT),
            field("changed_at", TIMESTAMP),
            field("sent_at", TIMESTAMP)),
    SITE_CHANGES(
            't',
            false,
            "changed_at",
            field("event_id", STRING),
            field("site", STRING),
            field("name", STRING),
            field("capacity_grams", LONG),
            field("changed_at", TIMESTAMP),
            field("sent_at", TIMESTAMP));

    /** What a field holds in a {@link FarmRow}. */
    enum FieldType {
        /** A String. */
        STRING,
        /** A Long. */
        LONG,
        /** An Integer. */
        INT,
        /** A Double. */
        DOUBLE,
        /** A BigDecimal. */
        DECIMAL,
        /** A Long: microseconds since 1970 UTC. */
        TIMESTAMP
    }

    record Field(String name, FieldType type) {}

    private final char letter;
    private final boolean proto;
    private final String timeColumn;

    @SuppressWarnings("ImmutableEnumChecker") // made by List.of
    private final List<Field> fields;

    FarmTable(char letter, boolean proto, String timeColumn, Field... fields) {
        this.letter = letter;
        this.proto = proto;
        this.timeColumn = timeColumn;
        this.fields = List.of(fields);
    }

    /** The streams of events, which the rate is shared by; the others hold reference data. */
    static List<FarmTable> events() {
        return Stream.of(values()).filter(t -> t.ratePercent() > 0).toList();
    }

    /** This table's share of all rows. */
    int ratePercent() {
        return switch (this) {
            case DEMAND_EVENTS -> 55;
            case INVENTORY_MOVEMENTS -> 25;
            case SUPPLIER_QUOTES -> 15;
            case COMMODITY_PRICES -> 5;
            case SKU_CHANGES, SUPPLIER_CHANGES, SITE_CHANGES -> 0;
        };
    }

    /** The name within the schema, as in SQL. */
    String sqlName() {
        return name().toLowerCase(Locale.ROOT);
    }

    TableName tableName() {
        return new TableName("farm", "bronze", sqlName());
    }

    /** Begins the event ids of a run: {@code d-7f3a-}. */
    String idPrefix(String run) {
        return letter + "-" + run + "-";
    }

    /** Whether its stream speaks protobuf; else JSON. */
    boolean proto() {
        return proto;
    }

    /** The column that says when it happened. */
    String timeColumn() {
        return timeColumn;
    }

    List<Field> fields() {
        return fields;
    }

    int indexOf(String column) {
        for (int i = 0; i < fields.size(); i++) {
            if (fields.get(i).name().equals(column)) {
                return i;
            }
        }
        throw new IllegalArgumentException("no column " + column + " in " + sqlName());
    }

    private static Field field(String name, FieldType type) {
        return new Field(name, type);
    }
}

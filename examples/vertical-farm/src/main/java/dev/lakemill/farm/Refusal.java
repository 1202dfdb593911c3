package dev.lakemill.farm;

/** A record that the server must refuse at the door, so that it never stands in Bronze. */
enum Refusal {
    /** No JSON. */
    MALFORMED,
    /** JSON without a NOT NULL column. */
    MISSING_FIELD;

    /** The row as such a record. Its id begins with x: no row that counts has it. */
    String spoil(FarmRow row, String id) {
        var json = RowEncoding.json(row.with("event_id", id));
        return switch (this) {
            case MALFORMED -> json.substring(0, json.length() / 2);
            case MISSING_FIELD -> RowEncoding.json(row.with("event_id", id).with("sent_at", null));
        };
    }
}

package dev.lakemill.farm;

/**
 * A kind of seed, and what is usual for it.
 *
 * @param id as in the tables, for example pea-shoots
 * @param gramsPerTray seed sown on one tray
 * @param euroPerKg what a middling supplier asks on a middling day
 * @param traysPerHour mean demand of all sites and channels together
 * @param coverDays how long the stock lasts that the buyers keep of it
 */
record Sku(
        String id,
        String name,
        Family family,
        double gramsPerTray,
        int growDays,
        int shelfLifeDays,
        double euroPerKg,
        double traysPerHour,
        double coverDays) {

    enum Family {
        SHOOTS("shoots"),
        MICROGREENS("microgreens"),
        HERBS("herbs"),
        SALADS("salads");

        private final String sqlName;

        Family(String sqlName) {
            this.sqlName = sqlName;
        }

        String sqlName() {
            return sqlName;
        }
    }

    double gramsPerDay() {
        return traysPerHour * 24 * gramsPerTray;
    }
}
